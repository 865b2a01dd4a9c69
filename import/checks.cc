#include "import/checks.h"

#include <algorithm>
#include <array>

#include "config/words.h"

namespace l4ward::keepalived {
namespace {

using namespace healthcheck;
using namespace std::chrono_literals;

constexpr std::size_t kMaxChecks = 64;  // that are looked at; a pool has fewer

constexpr std::array kCommonFates{
    Fate{"warmup", Level::changed, "l4ward spreads first probes over one second, or the interval",
         ""},
    Fate{"alpha", Level::note, "a server always waits for its first answer before it is used", ""},
    Fate{"log_all_failures", Level::note, "the log has each change and its reason",
         "for every probe see the metrics"},
};

constexpr std::array kConnectionFates{
    Fate{"bind_if", Level::lost, "a check is bound to no interface",
         "use `source`, and a route or rule for that address"},
    Fate{"bind_port", Level::lost, "the kernel chooses the port that probes come from",
         "let the servers' firewall take any port"},
    Fate{"fwmark", Level::lost, "probes carry no mark of yours",
         "`via: tunnel` goes the way of clients' packets; for others route by `source`"},
};

constexpr std::array kSmtpFates{
    Fate{"helo_name", Level::lost, "nothing is sent: the greeting is looked at",
         "a check of type exec can hold the whole dialogue"},
    Fate{"host", Level::lost, "a check asks the server's own address only",
         "a check of type exec can ask others"},
};

constexpr std::array kFileFates{
    Fate{"FILE_CHECK", Level::lost, "Keepalived's file has a number, l4ward's a word",
         "a check of type file, and write `up`, `drain` or `down` to its file"},
};

constexpr std::array kBfdFates{
    Fate{"BFD_CHECK", Level::lost, "l4ward speaks no BFD with servers",
         "a check of type icmp or tcp with a short interval"},
};

void readSource(const Section& checker, const CheckedServer& server, config::Check& check) {
  const auto bind = checker.text("bindto");
  if (!bind) return;
  const auto address = IpAddress::parse(bind->value);
  if (!address) {
    sayInvalid(*bind->node, "an address", checker.report());
  } else if (address->family() != server.address.family() || address->isUnspecified() ||
             address->isMulticast() || address->isLinkLocal()) {
    checker.report().add(*bind->node, {Level::lost,
                                       "not an address of the server's family that a "
                                       "probe can come from",
                                       "set `source`"});
  } else {
    check.source = {*address};
  }
}

// Whether the check asks the server itself; another address is nothing that l4ward can ask.
bool asksServer(const Section& checker, const CheckedServer& server) {
  const auto connect = checker.text("connect_ip");
  if (!connect) return true;
  const auto address = IpAddress::parse(connect->value);
  if (!address) sayInvalid(*connect->node, "an address", checker.report());
  if (!address || *address == server.address) return true;
  checker.report().add(*connect->node,
                       {Level::lost, "a check asks the server's own address; this one is left out",
                        "a check of type exec can ask another"});
  return false;
}

void readPort(const Section& checker, const CheckedServer& server, config::Check& check) {
  if (server.port != 0) check.port = server.port;
  if (const auto port = checker.number("connect_port", 1, 65535)) {
    check.port = static_cast<std::uint16_t>(port->value);
  }
}

std::optional<How> readDns(const Section& checker) {
  static const std::array<std::pair<const char*, DnsType>, 7> types{{{"A", DnsType::a},
                                                                     {"NS", DnsType::ns},
                                                                     {"CNAME", DnsType::cname},
                                                                     {"SOA", DnsType::soa},
                                                                     {"MX", DnsType::mx},
                                                                     {"TXT", DnsType::txt},
                                                                     {"AAAA", DnsType::aaaa}}};
  DnsProbe probe{"", DnsType::soa, {}, false};
  if (const auto type = checker.text("type")) {
    const auto known = std::find_if(types.begin(), types.end(),
                                    [&](const auto& entry) { return type->value == entry.first; });
    if (known == types.end()) {
      sayInvalid(*type->node, "A, NS, CNAME, SOA, MX, TXT or AAAA", checker.report());
    } else {
      probe.type = known->second;
    }
  }
  if (const auto name = checker.text("name"); name && name->value != ".") {
    if (config::isDomainName(name->value)) {
      probe.name =
          name->value.ends_with('.') ? name->value.substr(0, name->value.size() - 1) : name->value;
    } else {
      sayInvalid(*name->node, "a domain name", checker.report());
    }
  }
  checker.report().add(checker.block(),
                       {Level::changed, "an answer must have a record of the type, too",
                        "ask for a name that has one"});
  return probe;
}

std::optional<How> readSmtp(const Section& checker) {
  checker.say(kSmtpFates);
  checker.report().add(checker.block(),
                       {Level::changed,
                        "the server's greeting (220) is looked at, and no dialogue "
                        "follows",
                        "a check of type exec can hold one"});
  return TcpProbe{"", Expectation{"^220", true}};
}

TimingDefaults defaultsOf(const std::string& type, const Timing& timing) {
  if (type == "HTTP_GET" || type == "SSL_GET") return {1, 3s};
  if (type == "MISC_CHECK") return {0, 1s};
  if (type == "DNS_CHECK") return {3, timing.delayLoop ? timing.delayLoop->value : Micros(60s)};
  return {1, 1s};
}

std::optional<How> howOf(const Section& checker, const CheckedServer& server) {
  const auto& type = checker.block().keyword();
  if (type == "SMTP_CHECK") return readSmtp(checker);
  if (type == "DNS_CHECK") return readDns(checker);
  if (type == "UDP_CHECK") return readUdpHow(checker);
  if (type == "MISC_CHECK") return readMiscHow(checker, server);
  if (type == "PING_CHECK") return IcmpProbe();
  return TcpProbe();
}

void readCheck(Node& node, const CheckedServer& server, Report& report,
               std::vector<CheckDraft>& checks) {
  const Section checker(node, report);
  const auto& type = node.keyword();
  const auto own = readTiming(checker, 0);
  const auto timing = own.within(server.timing);
  config::Check check;
  const bool misc = type == "MISC_CHECK";
  std::optional<Given<Micros>> timeout = timing.connectTimeout;
  if (misc) {
    timeout = timing.delayLoop;
    const auto limit = checker.number("misc_timeout", 0, 86400);
    if (limit && limit->value > 0) {
      timeout = Given<Micros>{std::chrono::seconds(limit->value), limit->node};
    }
  }
  setTiming(timing, defaultsOf(type, timing), timeout, report, check);
  if (misc && !timeout) check.timeout = check.interval;
  sayUseless(own, report);
  checker.say(kCommonFates);
  bool possible = true;
  if (!misc) {
    checker.say(kConnectionFates);
    possible = asksServer(checker, server);
    readSource(checker, server, check);
    readPort(checker, server, check);
  }
  const std::size_t before = checks.size();
  if (type == "HTTP_GET" || type == "SSL_GET") {
    readHttpCheck(checker, server, type == "SSL_GET", check, checks);
  } else if (auto how = howOf(checker, server)) {
    if (std::holds_alternative<IcmpProbe>(*how)) check.port.reset();
    check.how = std::move(*how);
    checks.push_back({std::move(check), &node});
  }
  if (!possible) checks.resize(before);
}

// Reports a block, and each statement in it.
void sayWithin(const Section& section, const Fate& fate) {
  section.say({&fate, 1});
  for (auto* node : section.all({fate.keyword})) {
    for (auto& child : node->children) {
      section.report().add(child, {fate.level, fate.why, fate.advice});
    }
  }
}

}  // namespace

std::vector<CheckDraft> readChecks(const Section& realServer, const CheckedServer& server) {
  std::vector<CheckDraft> checks;
  const auto tooMany = [&](Node& node) {
    markSeen(node);
    realServer.report().add(node, {Level::lost, "more checks than a pool can have; it is left out",
                                   "put them into one page or program"});
  };
  for (auto* node : realServer.all({"HTTP_GET", "SSL_GET", "TCP_CHECK", "SMTP_CHECK", "DNS_CHECK",
                                    "MISC_CHECK", "PING_CHECK", "UDP_CHECK"})) {
    if (checks.size() > kMaxChecks) {
      tooMany(*node);
    } else {
      readCheck(*node, server, realServer.report(), checks);
    }
  }
  sayWithin(realServer, kFileFates[0]);
  sayWithin(realServer, kBfdFates[0]);
  return checks;
}

}  // namespace l4ward::keepalived
