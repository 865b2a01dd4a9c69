#include <algorithm>

#include "config/routing.h"
#include "config/sections.h"

namespace l4ward::config {
namespace {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;

constexpr NumberRange kMark{1, 4294967295};
constexpr DurationRange kPersistence{1s, 744h};  // 31 days, as ipvsadm has it

const Words& schedulers() {
  static const Words names{"rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh",
                           "sh", "sed", "nq", "fo",  "ovf",  "mh",    "twos"};
  return names;
}

// Sorted. The kernel has three flags, which each scheduler reads in its own way; ipvsadm's names.
const Words& flagsOf(std::string_view scheduler) {
  static const Words mh{"mh-fallback", "mh-port"};
  static const Words sh{"sh-fallback", "sh-port"};
  static const Words others{"flag-1", "flag-2", "flag-3"};
  return scheduler == "mh" ? mh : scheduler == "sh" ? sh : others;
}

Words readFlags(const Value& value, const Words& known) {
  Words flags;
  for (const auto& item : value.list({0, known.size()})) {
    const auto flag = item.choice(known);
    if (!flag) continue;
    const auto& name = known[*flag];
    if (std::count(flags.begin(), flags.end(), name) > 0) {
      item.error(item.describe() + " a second time", "each flag once");
    } else {
      flags.push_back(name);
    }
  }
  std::sort(flags.begin(), flags.end());
  return flags;
}

void readScheduler(const Record& record, Service& service) {
  if (const auto scheduler = record.find("scheduler")) {
    const auto choice = scheduler->choice(schedulers());
    if (!choice) return;  // whose flags they are is not known
    service.scheduler = schedulers()[*choice];
  }
  const auto& known = flagsOf(service.scheduler);
  if (const auto flags = record.find("scheduler_flags")) {
    service.schedulerFlags = readFlags(*flags, known);
  } else if (service.scheduler == "mh") {
    service.schedulerFlags = known;
  }
}

Persistence readPersistence(const Value& value, bool mayBeUdp) {
  const Record record(value, {"timeout", "mask", "mask6", "engine"});
  Persistence persistence;
  if (const auto timeout = record.find("timeout")) {
    persistence.timeout = timeout->seconds(kPersistence).value_or(persistence.timeout);
  }
  persistence.prefix4 = record.number("mask", {1, 32}, persistence.prefix4);
  persistence.prefix6 = record.number("mask6", {1, 128}, persistence.prefix6);
  if (const auto engine = record.find("engine"); engine && engine->choice({"sip"})) {
    persistence.engine = "sip";
    if (!mayBeUdp) engine->error("it only with `protocol: udp` or `mark`");
  }
  return persistence;
}

// What the kernel remembers of clients and of their packets.
void readConnections(const Record& record, bool mayBeUdp, Service& service) {
  const auto persistence = record.find("persistence");
  if (persistence) service.persistence = readPersistence(*persistence, mayBeUdp);
  const auto onePacket = record.find("one_packet");
  service.onePacket = onePacket && onePacket->boolean().value_or(false);
  if (!service.onePacket) return;
  if (!mayBeUdp) onePacket->error("it only with `protocol: udp` or `mark`");
  if (persistence) {
    onePacket->error("this key in a service with `persistence`", "one of the two");
  }
}

void readKey(const Record& record, Service& service) {
  if (const auto vips = record.require("vips", "a list of addresses or prefixes")) {
    service.vips = readVips(*vips);
  }
  // A wrong mark stays, as 0: what is said of services without one is not meant.
  if (const auto mark = record.find("mark")) service.mark = mark->number(kMark).value_or(0);
  if (!service.mark) record.require("ports", "a list of ports, or all");
  const auto ports = record.find("ports");
  if (ports) {
    service.ports = readPorts(*ports);
  } else if (service.mark) {
    service.ports = {0};
  }
  // "port zero only supported in persistent services": ip_vs_schedule in
  // net/netfilter/ipvs/ip_vs_core.c.
  if (ports && service.ports == std::vector<std::uint16_t>{0} && !service.mark &&
      !record.has("persistence")) {
    ports->error("`persistence` or `mark` with it, or a list of ports");
  }
}

Service readService(const Named& named) {
  const Record record(named.value, {"vips", "ports", "protocol", "mark", "pool", "scheduler",
                                    "scheduler_flags", "persistence", "one_packet", "quorum",
                                    "below_quorum", "panic_threshold", "backup_pool", "bgp"});
  Service service;
  service.name = named.name;
  readKey(record, service);
  const auto protocolKey = record.find("protocol");
  const auto protocol = protocolKey ? protocolKey->choice({"tcp", "udp", "sctp"}) : 0;
  service.protocol = static_cast<Protocol>(protocol.value_or(0));
  const bool mayBeUdp = service.mark || !protocol || service.protocol == Protocol::udp;
  readConnections(record, mayBeUdp, service);
  if (const auto pool = record.require("pool", "the name of a pool")) {
    service.pool = pool->name().value_or("");
  }
  readScheduler(record, service);
  readAvailability(record, service);
  if (const auto bgp = record.find("bgp")) {
    service.routes = readRoutes(Record(*bgp, withRouteKeys()));
  }
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
