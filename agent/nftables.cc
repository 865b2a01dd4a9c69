#include "agent/nftables.h"

#include <map>
#include <vector>

namespace l4ward::agent {
namespace {

std::string setOf(const std::vector<std::string>& items) {
  if (items.size() == 1) return items.front();
  std::string text = "{ ";
  for (const auto& item : items) text += (&item == &items.front() ? "" : ", ") + item;
  return text + " }";
}

std::string portsOf(const config::Service& service) {
  static constexpr const char* kNames[] = {"tcp", "udp", "sctp"};
  const std::string protocol = kNames[static_cast<int>(service.protocol)];
  if (service.ports == std::vector<std::uint16_t>{0}) return "meta l4proto " + protocol;
  std::vector<std::string> ports;
  for (const auto port : service.ports) ports.push_back(std::to_string(port));
  return protocol + " dport " + setOf(ports);
}

std::string rulesOf(const config::Service& service) {
  std::map<Family, std::vector<std::string>> addresses;
  for (const auto& vip : service.vips) {
    addresses[vip.address.family()].push_back(vip.shortStr());
  }
  std::string rules;
  for (const auto& [family, list] : addresses) {
    rules += std::string("    ") + (family == Family::v4 ? "ip" : "ip6") + " daddr " + setOf(list) +
             " " + portsOf(service) + " meta mark set " + std::to_string(*service.mark) +
             " comment \"" + service.name + "\"\n";
  }
  return rules;
}

}  // namespace

std::string nftablesText(const config::Site& site) {
  std::string rules;
  for (const auto& [name, service] : site.services) {
    if (service.mark) rules += rulesOf(service);
  }
  // Declared first, so that deleting it never fails; all of the file is one transaction.
  std::string text =
      "# Marks for l4ward's services that are found by firewall mark.\n"
      "# Load: l4ward --print-nftables | nft -f -\n"
      "table inet l4ward\n"
      "delete table inet l4ward\n";
  if (rules.empty()) return text;
  return text +
         "table inet l4ward {\n"
         "  chain prerouting {\n"
         "    type filter hook prerouting priority mangle; policy accept;\n" +
         rules + "  }\n}\n";
}

}  // namespace l4ward::agent
