#include "config/sections.h"
#include "config/words.h"

namespace l4ward::config {
namespace {

using namespace std::chrono_literals;

constexpr DurationRange kTimeout{1s, 596h};  // INT_MAX / HZ in ip_vs_set_timeout()
constexpr DurationRange kDriftPeriod{1s, 1h};
constexpr NumberRange kPort{1, 65535};
constexpr NumberRange kTtl{1, 255};
constexpr NumberRange kId{0, 255};

// start_sync_thread in net/netfilter/ipvs/ip_vs_sync.c moves other lengths into this range without
// a word: less than 64 KiB with UDP's header and IP's, and for a backup no less than 1024.
NumberRange lengths(const SyncDaemon& daemon, bool backup) {
  const bool v6 = daemon.group && !daemon.group->isV4();
  return {backup ? 1024U : 1U, 65535U - 8U - (v6 ? 40U : 20U)};
}

void readTimeout(const Record& timeouts, std::string_view key, std::optional<Millis>& timeout) {
  if (const auto value = timeouts.find(key)) timeout = value->seconds(kTimeout);
}

Timeouts readTimeouts(const Value& value) {
  const Record record(value, {"tcp", "tcp_fin", "udp"});
  Timeouts timeouts;
  readTimeout(record, "tcp", timeouts.tcp);
  readTimeout(record, "tcp_fin", timeouts.tcpFin);
  readTimeout(record, "udp", timeouts.udp);
  return timeouts;
}

std::optional<IpAddress> readGroup(const Value& value) {
  const auto group = value.address();
  if (!group || group->isMulticast()) return group;
  value.error("a multicast address");
  return std::nullopt;
}

SyncDaemon readDaemon(const Value& value, bool backup) {
  const Record record(value, {"interface", "id", "group", "port", "ttl", "max_length"});
  SyncDaemon daemon;
  if (const auto interface = record.require("interface", "the interface to the other nodes")) {
    daemon.interface =
        interface->text(isInterfaceName, "the name of an interface, 1 to 15 characters")
            .value_or("");
  }
  if (const auto id = record.require("id", "a number from 0 to 255 that the nodes share")) {
    daemon.id = id->number(kId).value_or(0);
  }
  if (const auto group = record.find("group")) daemon.group = readGroup(*group);
  daemon.port = static_cast<std::uint16_t>(record.number("port", kPort, daemon.port));
  daemon.ttl = record.number("ttl", kTtl, daemon.ttl);
  daemon.maxLength = record.number("max_length", lengths(daemon, backup), daemon.maxLength);
  return daemon;
}

}  // namespace

Ipvs readIpvs(const Value& value) {
  const Record record(value, {"timeouts", "sync", "drift_period"});
  Ipvs ipvs;
  if (const auto timeouts = record.find("timeouts")) ipvs.timeouts = readTimeouts(*timeouts);
  if (const auto sync = record.find("sync")) {
    const Record daemons(*sync, {"master", "backup"});
    if (const auto master = daemons.find("master")) ipvs.syncMaster = readDaemon(*master, false);
    if (const auto backup = daemons.find("backup")) ipvs.syncBackup = readDaemon(*backup, true);
  }
  ipvs.driftPeriod = record.duration("drift_period", kDriftPeriod, ipvs.driftPeriod);
  return ipvs;
}

}  // namespace l4ward::config
