// The log's events, kept for people who ask later.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace l4ward::control {

struct Event {
  std::uint64_t number = 0;  // ascending from 1 for as long as the agent runs
  double at = 0;             // seconds since 1970
  std::string level;         // "info", "warning", "error"
  std::string id;            // docs/events.md
  std::vector<std::pair<std::string, std::string>> fields;
};

// The last `capacity` events. For one thread.
class EventRing {
 public:
  explicit EventRing(std::size_t capacity = 1000) : capacity_(capacity) {}
  // Gives it its number.
  const Event& add(Event event);
  // Those behind `number`, oldest first. All of them if there was no such number yet: whoever names
  // it knows it from an agent before this one.
  std::vector<Event> after(std::uint64_t number) const;
  // The number of the newest; 0 if there was none.
  std::uint64_t last() const { return last_; }

 private:
  std::size_t capacity_;
  std::uint64_t last_ = 0;
  std::deque<Event> events_;
};

}  // namespace l4ward::control
