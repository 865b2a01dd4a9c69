// Commands that go to ExaBGP as one line: of one neighbor, one verb and one set of attributes. That
// takes ExaBGP less than half the time of a line each. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "bgp/route_book.h"

namespace l4ward::bgp {

class RouteGroup {
 public:
  // False: it needs a line of its own, or this one would become longer than `room` bytes, its end
  // included.
  bool add(const RouteBook::Command& command, std::size_t room);

  // The line without its end, and the routes in it. Empty: there is none. The group is empty then.
  std::string take(std::vector<RouteKey>& keys);

 private:
  RouteBook::Command first_;
  std::vector<RouteKey> keys_;
  std::string line_;
};

}  // namespace l4ward::bgp
