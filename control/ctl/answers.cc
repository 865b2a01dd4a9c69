#include "control/ctl/answers.h"

#include <algorithm>
#include <set>

#include "config/diagnostics.h"
#include "control/ctl/client.h"
#include "control/ctl/screens.h"
#include "control/status_json.h"

namespace l4ward::ctl {

using control::NodeStatus;
using control::Refusal;
using nlohmann::json;

int exitOf(const Refusal& refusal) {
  if (isUnreachable(refusal)) return kNoAgent;
  const auto& code = refusal.code;
  const bool input = code == "usage" || code.starts_with("bad-") || code.starts_with("unknown-") ||
                     code.starts_with("invalid");
  return input ? kBadInput : kWrong;
}

json toJson(const Refusal& refusal) {
  return {
      {"error", {{"code", refusal.code}, {"message", refusal.message}, {"next", refusal.next}}}};
}

namespace {

// The elements of answer[name] that `matches` selects; `values` are the same, read.
template <typename T, typename Matches>
json selected(const json& answer, const char* name, const std::vector<T>& values, Matches matches) {
  json part = json::array();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (matches(values[i])) part.push_back(answer.at(name).at(i));
  }
  return part;
}

json digestsOf(const NodeStatus& status) {
  json services = json::array();
  for (const auto& service : status.services) {
    services.push_back({{"key", service.key}, {"name", service.name}, {"digest", service.digest}});
  }
  return {{"services", std::move(services)}, {"total", totalDigest(status)}};
}

Refusal badReply(const std::string& message) {
  return {kBadReply, "the agent's answer is not understood: " + message, "l4wardctl version"};
}

template <typename Names>
std::optional<Refusal> checkName(const char* what, const std::string& name, const Names& known) {
  if (name.empty() || known.contains(name)) return std::nullopt;
  const std::vector<std::string> names(known.begin(), known.end());
  return Refusal{
      "unknown-name",
      std::string("no ") + what + " " + config::inQuotes(name) + " on this node" +
          config::didYouMean(name, names),
      std::string("l4wardctl ") + (what == std::string("service") ? "services" : "servers")};
}

}  // namespace

json partOf(const json& answer, const NodeStatus& status, const CommandLine& line) {
  const auto& command = line.command;
  const auto list = [&](const char* name) { return answer.value(name, json::array()); };
  if (command == "services" || command == "vips" || command == "overrides") {
    return list(command.c_str());
  }
  if (command == "servers") {
    const ServerFilter filter{line.pool, line.service, line.down};
    return selected(answer, "servers", status.servers,
                    [&](const control::Server& server) { return matches(status, filter, server); });
  }
  if (command == "checks") {
    const CheckFilter filter{line.server, line.failing};
    return selected(answer, "checks", status.checks,
                    [&](const control::Check& check) { return matches(filter, check); });
  }
  if (command == "bgp") {
    return {{"relay", answer.value("relay", json::object())},
            {"neighbors", list("neighbors")},
            {"vips", list("vips")}};
  }
  if (command == "digest") return digestsOf(status);
  return answer;
}

std::optional<Refusal> checkNames(const NodeStatus& status, const CommandLine& line) {
  std::set<std::string> pools;
  std::set<std::string> servers;
  std::set<std::string> services;
  for (const auto& server : status.servers) {
    pools.insert(server.pool);
    servers.insert(server.name);
  }
  for (const auto& check : status.checks) servers.insert(check.server);
  for (const auto& service : status.services) {
    services.insert(service.key);
    if (!service.name.empty()) services.insert(service.name);
  }
  if (auto refusal = checkName("pool", line.pool, pools)) return refusal;
  if (auto refusal = checkName("service", line.service, services)) return refusal;
  return checkName("server", line.server, servers);
}

tl::expected<NodeStatus, Refusal> readStatus(const json& answer) {
  try {
    auto status = answer.get<NodeStatus>();
    if (status.version != NodeStatus{}.version) {
      return tl::unexpected(badReply("its status has version " + std::to_string(status.version) +
                                     ", expected " + std::to_string(NodeStatus{}.version)));
    }
    return status;
  } catch (const json::exception& problem) {
    return tl::unexpected(badReply(problem.what()));
  }
}

std::vector<control::Event> readEvents(const json& answer) {
  std::vector<control::Event> events;
  const auto add = [&](const json& one) {
    try {
      events.push_back(one.get<control::Event>());
    } catch (const json::exception&) {
      return;
    }
  };
  const json* list = &answer;
  if (answer.is_object() && answer.contains("events")) list = &answer["events"];
  if (answer.is_object() && answer.contains("event")) list = &answer["event"];
  if (list->is_array()) {
    for (const auto& one : *list) add(one);
  } else {
    add(*list);
  }
  return events;
}

std::string readText(const json& answer) {
  const json* text = &answer;
  if (answer.is_object() && answer.contains("text")) text = &answer["text"];
  std::string out = text->is_string() ? text->get<std::string>()
                                      : text->dump(2, ' ', false, json::error_handler_t::replace);
  if (!out.empty() && !out.ends_with('\n')) out += '\n';
  return out;
}

bool isAtLeast(const std::string& level, const std::string& least) {
  const auto rank = [](const std::string& word) {
    return word == "error" ? 2 : word == "warning" ? 1 : 0;
  };
  return rank(level) >= rank(least);
}

std::vector<std::string> candidates(const NodeStatus& status, const std::string& kind) {
  std::set<std::string> names;
  for (const auto& server : status.servers) {
    if (kind == "servers") names.insert({server.name, server.pool + "/" + server.name});
    if (kind == "server-names") names.insert(server.name);
    if (kind == "pools") names.insert(server.pool);
  }
  for (const auto& service : status.services) {
    if (kind == "services" && !service.name.empty()) names.insert(service.name);
  }
  for (const auto& vip : status.vips) {
    const auto prefix = Prefix::parse(vip.prefix);
    if (kind == "vips") names.insert(prefix ? prefix->shortStr() : vip.prefix);
  }
  for (const auto& override : status.overrides) {
    if (kind == "overridden" && !override.fromFile) names.insert(override.subject.str());
  }
  return {names.begin(), names.end()};
}

}  // namespace l4ward::ctl
