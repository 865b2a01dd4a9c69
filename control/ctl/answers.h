// What is printed of the agent's answers as JSON, and which exit status a refusal means. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "control/ctl/command_line.h"
#include "control/event.h"
#include "control/request.h"
#include "control/status.h"

namespace l4ward::ctl {

enum Exit { kWell = 0, kWrong = 1, kBadInput = 2, kNoAgent = 3 };

int exitOf(const control::Refusal& refusal);
nlohmann::json toJson(const control::Refusal& refusal);  // {"error": {"code", "message", "next"}}

// Of the answer to `status`, what `line.command` shows: a list of services, servers … Kept as the
// agent gave it, with keys that this program does not know. `status` is the same answer.
nlohmann::json partOf(const nlohmann::json& answer, const control::NodeStatus& status,
                      const CommandLine& line);
// A name in a filter that the node does not have: "unknown-name", with did-you-mean.
std::optional<control::Refusal> checkNames(const control::NodeStatus& status,
                                           const CommandLine& line);

// "bad-reply" for what is no status, or of a version that is not understood.
tl::expected<control::NodeStatus, control::Refusal> readStatus(const nlohmann::json& answer);
// Events in the answer to `events`, or in one of its later lines. What is none is left out.
std::vector<control::Event> readEvents(const nlohmann::json& answer);
// The answer's text: `reload`, `resync`, `plan`, `config`.
std::string readText(const nlohmann::json& answer);

// "info" < "warning" < "error"
bool isAtLeast(const std::string& level, const std::string& least);

// What a shell may complete, sorted: servers (also as POOL/NAME), server-names, pools, services,
// vips, overridden (subjects of overrides).
std::vector<std::string> candidates(const control::NodeStatus& status, const std::string& kind);

}  // namespace l4ward::ctl
