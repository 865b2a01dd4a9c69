#include <algorithm>

#include "config/sections.h"
#include "config/words.h"

namespace l4ward::config {
namespace {

constexpr NumberRange kPort{1, 65535};

const std::vector<std::string>& schedulers() {
  static const std::vector<std::string> names{"rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh",
                                              "sh", "sed", "nq", "fo",  "ovf",  "mh"};
  return names;
}

const std::vector<std::string>& mhFlags() {
  static const std::vector<std::string> names{"mh-fallback", "mh-port"};
  return names;
}

std::vector<IpAddress> readVips(const Value& value) {
  static const IpAddress kBroadcast = *IpAddress::parse("255.255.255.255");
  std::vector<IpAddress> vips;
  for (const auto& item : value.list({1, kMaxVips})) {
    const auto address = item.address();
    // The place in the list is kept: a wrong one stays, as 0.0.0.0.
    vips.push_back(address.value_or(IpAddress()));
    if (!address) continue;
    const auto refuse = [&](const char* kind) {
      item.error(item.describe() + ", " + kind, "an address of one host that can be announced");
      vips.back() = IpAddress();
    };
    if (address->isUnspecified()) {
      refuse("the unspecified address");
    } else if (address->isMulticast() || *address == kBroadcast) {
      refuse("an address of many hosts");
    } else if (address->isLoopback()) {
      refuse("a loopback address");
    } else if (address->isLinkLocal()) {
      refuse("a link-local address");
    } else if (std::count(vips.begin(), vips.end(), *address) > 1) {
      item.error(item.describe() + " a second time", "each address once a service");
    }
  }
  return vips;
}

std::vector<std::uint16_t> readPorts(const Value& value) {
  std::vector<std::uint16_t> ports;
  for (const auto& item : value.list({1, kMaxPorts})) {
    const auto port = item.number(kPort);
    if (!port) continue;
    if (std::count(ports.begin(), ports.end(), *port) > 0) {
      item.error(item.describe() + " a second time", "each port once a service");
    } else {
      ports.push_back(static_cast<std::uint16_t>(*port));
    }
  }
  return ports;
}

void readScheduler(const Record& record, Service& service) {
  const auto scheduler = record.find("scheduler");
  const auto choice = scheduler ? scheduler->choice(schedulers()) : std::nullopt;
  if (choice) service.scheduler = schedulers()[*choice];
  const auto flags = record.find("scheduler_flags");
  if (service.scheduler != "mh") {
    if (flags) {
      flags->error("flags for " + inQuotes(service.scheduler), "them only with `scheduler: mh`");
    }
    return;
  }
  if (!flags) {
    service.schedulerFlags = mhFlags();
    return;
  }
  for (const auto& item : flags->list({0, mhFlags().size()})) {
    const auto flag = item.choice(mhFlags());
    if (!flag) continue;
    const auto& name = mhFlags()[*flag];
    if (std::count(service.schedulerFlags.begin(), service.schedulerFlags.end(), name) > 0) {
      item.error(item.describe() + " a second time", "each flag once");
    } else {
      service.schedulerFlags.push_back(name);
    }
  }
  std::sort(service.schedulerFlags.begin(), service.schedulerFlags.end());
}

Quorum readQuorum(const Value& value) {
  const auto text = value.isScalar() ? std::string_view(value.node().text) : std::string_view();
  const bool percent = text.ends_with('%');
  const auto number = parsePlainNumber(text.substr(0, text.size() - (percent ? 1 : 0)));
  if (number && *number >= 1 && *number <= (percent ? 100 : kMaxServers)) {
    return {*number, percent};
  }
  value.error("a number of servers from 1 to " + std::to_string(kMaxServers) +
              ", or a share of the pool's weight from \"1%\" to \"100%\"");
  return {};
}

Service readService(const Named& named) {
  const Record record(
      named.value, {"vips", "ports", "protocol", "pool", "scheduler", "scheduler_flags", "quorum"});
  Service service;
  service.name = named.name;
  if (const auto vips = record.require("vips", "a list of addresses")) {
    service.vips = readVips(*vips);
  }
  if (const auto ports = record.require("ports", "a list of ports")) {
    service.ports = readPorts(*ports);
  }
  service.protocol = static_cast<Protocol>(record.choice("protocol", {"tcp", "udp", "sctp"}, 0));
  if (const auto pool = record.require("pool", "the name of a pool")) {
    service.pool = pool->name().value_or("");
  }
  readScheduler(record, service);
  if (const auto quorum = record.find("quorum")) service.quorum = readQuorum(*quorum);
  return service;
}

}  // namespace

std::map<std::string, Service> readServices(const Value& value) {
  std::map<std::string, Service> services;
  for (const auto& named : readNamed(value, {0, kMaxNamed})) {
    services.emplace(named.name, readService(named));
  }
  return services;
}

}  // namespace l4ward::config
