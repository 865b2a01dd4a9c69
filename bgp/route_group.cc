#include "bgp/route_group.h"

#include <algorithm>
#include <utility>

#include "bgp/exabgp_text.h"

namespace l4ward::bgp {

bool RouteGroup::add(const RouteBook::Command& command, std::size_t room) {
  const std::string prefix = " " + command.key.prefix.str();
  if (keys_.empty()) {
    line_ = routesLineHead(command.announce, command.key.neighbor, command.attributes);
    first_ = command;
  } else if (first_.alone || command.alone || command.announce != first_.announce ||
             command.key.neighbor != first_.key.neighbor ||
             command.attributes != first_.attributes) {
    return false;
  }
  if (line_.size() + prefix.size() + 1 > std::min(room, kMaxCommandLine + 1)) return false;
  line_ += prefix;
  keys_.push_back(command.key);
  return true;
}

std::string RouteGroup::take(std::vector<RouteKey>& keys) {
  keys = std::exchange(keys_, {});
  if (keys.empty()) return {};
  if (keys.size() > 1) return std::exchange(line_, {});
  return routeLine(first_.announce, first_.key, first_.attributes);
}

}  // namespace l4ward::bgp
