#include "control/event.h"

#include <algorithm>

namespace l4ward::control {

const Event& EventRing::add(Event event) {
  event.number = ++last_;
  if (events_.size() >= capacity_ && !events_.empty()) events_.pop_front();
  return events_.emplace_back(std::move(event));
}

std::vector<Event> EventRing::after(std::uint64_t number) const {
  if (number > last_) number = 0;
  const auto newer = std::min<std::uint64_t>(last_ - number, events_.size());
  return {events_.end() - static_cast<std::ptrdiff_t>(newer), events_.end()};
}

}  // namespace l4ward::control
