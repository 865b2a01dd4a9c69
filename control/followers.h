// The events, and the clients that are told of each as it happens. Lives on one loop.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "control/event.h"

namespace l4ward::control {

class Followers {
 public:
  const EventRing& ring() const { return ring_; }
  // One line with its end: {"version":1,"event":{…}}
  static std::string line(const Event& event);
  // {"events":[…],"last":…}: those behind `number`
  std::string after(std::uint64_t number) const;

  void add(Event event);

  using Line = std::shared_ptr<const std::string>;
  // `told` may end its own following, and nobody else's.
  void follow(const void* who, std::function<void(const Line&)> told) {
    followers_[who] = std::move(told);
  }
  void unfollow(const void* who) { followers_.erase(who); }

 private:
  EventRing ring_;
  std::map<const void*, std::function<void(const Line&)>> followers_;
};

}  // namespace l4ward::control
