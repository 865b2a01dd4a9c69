#include "control/followers.h"

#include "control/json_text.h"
#include "control/request.h"
#include "control/status_json.h"

namespace l4ward::control {
std::string Followers::line(const Event& event) {
  return "{\"version\":" + std::to_string(kProtocolVersion) + ",\"event\":" + dump(event) + "}\n";
}

std::string Followers::after(std::uint64_t number) const {
  return dump({{"events", ring_.after(number)}, {"last", ring_.last()}});
}

void Followers::add(Event event) {
  const Event& added = ring_.add(std::move(event));
  if (followers_.empty()) return;
  const auto told = std::make_shared<const std::string>(line(added));
  for (auto next = followers_.begin(); next != followers_.end();) {
    const auto follower = (next++)->second;  // it may go meanwhile
    follower(told);
  }
}

}  // namespace l4ward::control
