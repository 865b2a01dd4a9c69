// An in-memory model of what globals.h is about, with what Linux 6.1 does: defaults are filled in,
// one daemon of each role, no daemons beside servers of the other address family.
#pragma once

#include <cerrno>
#include <cstring>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "ipvs/globals.h"

namespace l4ward::ipvs {

class FakeGlobals final : public GlobalsKernel {
 public:
  Globals state{{900, 120, 300}, {}};
  std::set<std::string> interfaces{"eth0"};
  bool mixedFamilies = false;        // there are servers of the other family than their service
  std::optional<Error> dumpFailure;  // of the next dump()
  std::size_t operations = 0;        // seen so far, failed ones too

  Result<Globals> dump() override {
    if (dumpFailure) return tl::unexpected(*std::exchange(dumpFailure, std::nullopt));
    return state;
  }

  ApplyReport apply(std::span<const GlobalsOperation> todo) override {
    ApplyReport report;
    for (std::size_t i = 0; i < todo.size(); ++i) {
      ++operations;
      const int code = std::visit([this](const auto& what) { return run(what); }, todo[i].what);
      if (code == 0) {
        ++report.applied;
      } else {
        report.failures.push_back({i, {todo[i].str() + ": " + std::strerror(code), code}});
      }
    }
    return report;
  }

 private:
  int run(const SetTimeouts& set) {
    for (const auto& value : {set.timeouts.tcp, set.timeouts.tcpFin, set.timeouts.udp}) {
      if (value.value_or(0) > Timeouts::kMaxTimeout) return EINVAL;
    }
    // 0 leaves a timeout as it is.
    const auto put = [](std::optional<std::uint32_t>& into, std::optional<std::uint32_t> value) {
      if (value.value_or(0) != 0) into = value;
    };
    put(state.timeouts.tcp, set.timeouts.tcp);
    put(state.timeouts.tcpFin, set.timeouts.tcpFin);
    put(state.timeouts.udp, set.timeouts.udp);
    return 0;
  }

  int run(const StopDaemon& stop) {
    const auto gone = std::erase_if(
        state.daemons, [&](const SyncDaemon& daemon) { return daemon.role == stop.role; });
    return gone == 0 ? ESRCH : 0;
  }

  int run(const StartDaemon& start) {
    auto daemon = start.daemon;
    if (daemon.group && !daemon.group->isMulticast()) return EINVAL;
    if (mixedFamilies) return EINVAL;
    if (!interfaces.contains(daemon.interface)) return ENODEV;
    if (state.daemon(daemon.role)) return EEXIST;
    if (!daemon.group) daemon.group = IpAddress::parse("224.0.0.81").value();
    const std::uint16_t headers = daemon.group->isV4() ? 28 : 48;
    daemon.port = daemon.port.value_or(8848);
    daemon.ttl = daemon.ttl.value_or(1);
    daemon.maxLength = daemon.maxLength.value_or(static_cast<std::uint16_t>(1500 - headers));
    if (daemon.role == SyncRole::backup && *daemon.maxLength < 1024) daemon.maxLength = 1024;
    state.daemons.push_back(daemon);
    return 0;
  }
};

}  // namespace l4ward::ipvs
