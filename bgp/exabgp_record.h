// The record of the running ExaBGP, <run dir>/exabgp.pid: by it a new agent finds one that outlived
// the old agent, or that the service manager has started. Written by whoever starts ExaBGP and,
// when its configuration was changed, by the agent.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "bgp/process_id.h"

namespace l4ward::bgp {

inline constexpr std::size_t kMaxExabgpConfig = std::size_t{1} << 20;  // bytes

struct ExabgpRecord {
  ProcessId id;
  std::string config;  // configFingerprint() of what it runs with
};

// Only to tell one configuration from another.
std::string configFingerprint(std::string_view configText);

// Nothing if there is no record, or a damaged one. Its process may have ended.
std::optional<ExabgpRecord> readExabgpRecord(const std::string& path);
// The same, and only if its process runs still.
std::optional<ExabgpRecord> findExabgp(const std::string& recordPath);

Status writeExabgpRecord(const std::string& path, const ExabgpRecord& record);

}  // namespace l4ward::bgp
