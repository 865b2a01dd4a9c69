// The keys of a virtual server that become keys of a service.
#include <algorithm>
#include <array>
#include <bit>

#include "import/virtual_server.h"

namespace l4ward::keepalived {
namespace {

using config::Protocol;

constexpr std::uint32_t kMaxPersistence = 744 * 3600;  // seconds: 31 days

constexpr std::array<std::string_view, 14> kSchedulers{
    "rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh", "twos"};

void readProtocol(const Section& section, config::Service& service) {
  const auto protocol = section.text("protocol");
  if (!protocol) return;
  auto name = protocol->value;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (name == "udp") {
    service.protocol = Protocol::udp;
  } else if (name == "sctp") {
    service.protocol = Protocol::sctp;
  } else if (name != "tcp") {
    sayInvalid(*protocol->node, "TCP, UDP or SCTP", section.report());
  }
}

void readScheduler(const Section& section, config::Service& service) {
  auto& report = section.report();
  service.scheduler = "wlc";  // Keepalived's default
  auto* node = section.last({"lvs_sched", "lb_algo"});
  if (node == nullptr) {
    report.add(section.block(),
               {Level::note,
                "no scheduler is named: Keepalived takes wlc, whose choice differs "
                "from node to node",
                "behind ECMP use mh"});
    return;
  }
  expectWords(*node, 2, report);
  const auto& name = node->word(1);
  if (std::find(kSchedulers.begin(), kSchedulers.end(), name) == kSchedulers.end()) {
    sayInvalid(*node, "a scheduler that is known", report);
    return;
  }
  service.scheduler = name;
  if (name != "mh" && name != "sh") {
    report.add(*node, {Level::note, "the choice of this scheduler differs from node to node",
                       "behind ECMP use mh"});
  }
}

// The kernel's flags 1 and 2 are fallback and port for mh and sh (ip_vs.h).
std::string flagName(const std::string& scheduler, const std::string& keyword) {
  if (scheduler != "mh" && scheduler != "sh") return keyword.starts_with("flag-") ? keyword : "";
  if (keyword == "flag-1") return scheduler + "-fallback";
  if (keyword == "flag-2") return scheduler + "-port";
  return keyword.starts_with(scheduler) ? keyword : "";
}

void readFlags(const Section& section, config::Service& service) {
  for (auto* node : section.all(
           {"flag-1", "flag-2", "flag-3", "sh-port", "sh-fallback", "mh-port", "mh-fallback"})) {
    expectWords(*node, 1, section.report());
    const auto name = flagName(service.scheduler, node->keyword());
    if (name.empty()) {
      section.report().add(*node,
                           {Level::note, "scheduler " + service.scheduler + " has no such flag"});
    } else if (auto& flags = service.schedulerFlags;
               std::find(flags.begin(), flags.end(), name) == flags.end()) {
      flags.push_back(name);
    }
  }
  std::sort(service.schedulerFlags.begin(), service.schedulerFlags.end());
}

void readEngine(const Section& section, bool mayBeUdp, config::Persistence& persistence) {
  const auto engine = section.text("persistence_engine");
  if (!engine) return;
  if (engine->value == "sip" && mayBeUdp) {
    persistence.engine = "sip";
  } else {
    section.report().add(*engine->node, {Level::lost, "the kernel has `sip` only, for UDP", ""});
  }
}

// A netmask of IPv4, or a length of IPv6.
void readGranularity(Node& node, Report& report, config::Persistence& persistence) {
  expectWords(node, 2, report);
  const auto mask = IpAddress::parse(node.word(1));
  if (mask && mask->isV4()) {
    std::uint32_t bits = 0;
    for (const auto byte : mask->bytes()) bits = bits << 8U | byte;
    const auto length = static_cast<unsigned>(std::countl_one(bits));
    if (length > 0 && (length == 32 || bits << length == 0)) {
      persistence.prefix4 = length;
    } else {
      report.add(node, {Level::lost, "a mask with gaps, or of no bit at all",
                        "set `mask` to the number of leading bits"});
    }
  } else if (const auto length = parseNumber(node.word(1), 1, 128)) {
    persistence.prefix6 = *length;
  } else {
    sayInvalid(node, "a netmask, or a number from 1 to 128", report);
  }
}

void readPersistence(const Section& section, bool mayBeUdp, config::Service& service) {
  auto& report = section.report();
  auto* timeout = section.last("persistence_timeout");
  auto* granularity = section.last("persistence_granularity");
  if (timeout == nullptr && granularity == nullptr) {
    if (auto* engine = section.last("persistence_engine")) {
      report.add(*engine, {Level::note, "without persistence_timeout it does nothing"});
    }
    return;
  }
  config::Persistence persistence;
  persistence.timeout = std::chrono::seconds(360);  // Keepalived's default
  if (timeout != nullptr && timeout->words.size() > 1) {
    expectWords(*timeout, 2, report);
    const auto seconds = parseNumber(timeout->word(1), 1, kMaxPersistence);
    if (seconds) {
      persistence.timeout = std::chrono::seconds(*seconds);
    } else {
      report.add(*timeout, {Level::lost, "not seconds from 1 to 2678400; there is no persistence",
                            "set `persistence`"});
      if (granularity == nullptr) return;
    }
  }
  if (granularity != nullptr) readGranularity(*granularity, report, persistence);
  readEngine(section, mayBeUdp, persistence);
  service.persistence = persistence;
}

}  // namespace

config::Service readService(const Section& section, bool marked) {
  config::Service service;
  readProtocol(section, service);
  readScheduler(section, service);
  readFlags(section, service);
  const bool mayBeUdp = marked || service.protocol == Protocol::udp;
  readPersistence(section, mayBeUdp, service);
  if (auto* ops = section.last("ops")) {
    service.onePacket = mayBeUdp && !service.persistence;
    if (!service.onePacket) {
      section.report().add(*ops, {Level::lost, "only with UDP, and not with persistence", ""});
    }
  }
  return service;
}

config::Quorum readQuorum(const Section& section, std::uint64_t weight) {
  auto& report = section.report();
  const auto most = static_cast<std::uint32_t>(std::min<std::uint64_t>(weight, 4294967295));
  const auto quorum = section.number("quorum", 1, 4294967295);
  const auto given = section.number("hysteresis", 0, 4294967295);
  std::uint32_t amount = quorum ? quorum->value : 1;
  if (amount > most) {
    amount = most;
    report.add(*quorum->node,
               {Level::changed,
                "more than the pool's weight, and so made that: " + std::to_string(amount), ""});
  }
  std::uint32_t hysteresis = given ? given->value : 0;
  if (hysteresis >= amount) {
    if (hysteresis > 0) {
      report.add(*given->node, {Level::changed, "not below the quorum, and so made one less", ""});
    }
    hysteresis = amount - 1;
  }
  if (quorum) {
    report.add(*quorum->node, {Level::note, "without a quorum the VIPs are withdrawn",
                               "`below_quorum: keep` goes on announcing them"});
  }
  // Keepalived loses a quorum below amount - hysteresis and gains it at amount + hysteresis.
  config::Quorum result;
  result.value = amount - hysteresis;
  result.hysteresis = std::min(2 * hysteresis, most - result.value);
  if (result.hysteresis < 2 * hysteresis) {
    report.add(*given->node, {Level::changed,
                              "the quorum is back with all servers, as more than "
                              "their weight there is not",
                              ""});
  }
  if (result.value > 1 || result.hysteresis > 0) result.unit = config::Quorum::Unit::weight;
  return result;
}

}  // namespace l4ward::keepalived
