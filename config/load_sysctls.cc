#include "config/sections.h"
#include "config/words.h"

namespace l4ward::config {

std::map<std::string, std::string> defaultSysctls() {
  return {
      {"net.ipv4.vs.sloppy_tcp", "1"},          // take over a flow in its middle
      {"net.ipv4.vs.schedule_icmp", "1"},       // path MTU messages reach the server
      {"net.ipv4.vs.expire_nodest_conn", "0"},  // draining ends when connections do
      {"net.ipv4.vs.conntrack", "0"},           // no second connection table
  };
}

std::map<std::string, std::string> readSysctls(const Value& value) {
  auto sysctls = defaultSysctls();
  if (value.node().kind != Node::Kind::map) {
    value.error("a map");
    return sysctls;
  }
  std::map<std::string, int> lines;
  for (const auto& child : value.node().children) {
    const Value item(child, joinPath(value.path(), child.key), value.errors());
    const auto [first, fresh] = lines.emplace(child.key, child.keyPlace.line);
    if (!fresh) {
      value.errors().add(child.keyPlace, item.path(),
                         "the key " + inQuotes(child.key) + " a second time",
                         "it once (line " + std::to_string(first->second) + " has it too)");
    } else if (!isSysctlKey(child.key)) {
      value.errors().add(child.keyPlace, item.path(), "the key " + inQuotes(child.key),
                         "net.ipv4.vs.KEY, or net.ipv4.conf.INTERFACE.KEY, or the same of ipv6");
    } else if (item.isNull() || (item.isScalar() && child.text == "keep")) {
      sysctls.erase(child.key);
    } else if (const auto text = item.text(isSysctlValue, "a value such as 1, or keep")) {
      sysctls[child.key] = *text;
    }
  }
  return sysctls;
}

}  // namespace l4ward::config
