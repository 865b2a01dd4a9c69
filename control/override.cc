#include "control/override.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "config/diagnostics.h"
#include "config/words.h"
#include "control/json_text.h"
#include "control/status_json.h"

namespace l4ward::control {
namespace {

using nlohmann::json;
using Kind = Subject::Kind;

constexpr int kVersion = 1;
constexpr std::size_t kMaxBy = 64;  // with kMaxReason: a full record fits kMaxOverridesBytes

constexpr char kSubjects[] = "node, vip ADDRESS, service NAME, server NAME or server POOL/NAME";

tl::unexpected<Error> notASubject(std::string_view text) {
  return fail("found " + config::inQuotes(text) + ", expected " + kSubjects);
}

// A virtual IP or range, in the one form that it has in the site.
Result<std::string> canonicalVip(std::string_view text) {
  if (const auto address = IpAddress::parse(text)) return address->str();
  const auto prefix = Prefix::parse(text);
  if (!prefix) return tl::unexpected(prefix.error());
  return prefix->shortStr();
}

Status checkLine(const char* what, const std::string& text, std::size_t limit) {
  if (text.size() <= limit && isOneLine(text)) return {};
  return fail(std::string(what) + ": found " + config::inQuotes(text) +
              ", expected one line of at most " + std::to_string(limit) + " bytes");
}

bool isTime(double time) {
  return std::isfinite(time) && time >= 0;
}

const Override* stronger(const Override* a, const Override* b) {
  if (!a || !b) return a ? a : b;
  return b->action > a->action ? b : a;
}

}  // namespace

std::string Subject::str() const {
  switch (kind) {
    case Kind::node:
      return "node";
    case Kind::vip:
      return "vip " + name;
    case Kind::service:
      return "service " + name;
    case Kind::server:
      break;
  }
  return "server " + (pool.empty() ? name : pool + "/" + name);
}

Result<Subject> Subject::parse(std::string_view text) {
  if (text == "node") return Subject{};
  const auto blank = text.find(' ');
  if (blank == text.npos) return notASubject(text);
  const auto word = text.substr(0, blank);
  auto name = text.substr(blank + 1);
  if (word == "vip") {
    auto vip = canonicalVip(name);
    if (!vip) return tl::unexpected(vip.error());
    return Subject{Kind::vip, std::move(*vip), {}};
  }
  std::string_view pool;
  if (const auto slash = name.find('/'); word == "server" && slash != name.npos) {
    pool = name.substr(0, slash);
    if (!config::isName(pool)) return notASubject(text);
    name = name.substr(slash + 1);
  }
  if ((word != "service" && word != "server") || !config::isName(name)) return notASubject(text);
  return Subject{word == "service" ? Kind::service : Kind::server, std::string(name),
                 std::string(pool)};
}

std::string_view toString(Action action) {
  return action == Action::drain ? "drain" : "disable";
}

Result<Action> parseAction(std::string_view text) {
  if (text == "drain") return Action::drain;
  if (text == "disable") return Action::disable;
  return fail("found " + config::inQuotes(text) + ", expected drain or disable");
}

std::string describe(const Override& override) {
  const std::string what = override.action == Action::drain ? "drained" : "disabled";
  return what + " by " + override.by + (override.reason.empty() ? "" : ": " + override.reason);
}

Status Overrides::set(Override override) {
  if (Subject::parse(override.subject.str()) != override.subject) {
    return notASubject(override.subject.str());
  }
  if (auto ok = checkLine("reason", override.reason, kMaxReason); !ok) return ok;
  if (auto ok = checkLine("by", override.by, kMaxBy); !ok) return ok;
  if (!isTime(override.since) || !isTime(override.until)) {
    return fail("found a time that is none, expected seconds since 1970");
  }
  if (commands_.size() >= kMaxOverrides && !commands_.contains(override.subject)) {
    return fail("there are " + std::to_string(kMaxOverrides) + " overrides, which is the limit");
  }
  override.fromFile = false;
  const auto subject = override.subject;
  commands_[subject] = std::move(override);
  return {};
}

bool Overrides::clear(const Subject& subject) {
  return commands_.erase(subject) > 0;
}

bool Overrides::setFiles(std::vector<Override> files) {
  std::map<Subject, Override> next;
  for (auto& file : files) {
    file.fromFile = true;
    const auto known = next.find(file.subject);
    if (known == next.end()) {
      if (next.size() < kMaxOverrides) next.emplace(file.subject, std::move(file));
    } else if (file.action > known->second.action) {
      known->second = std::move(file);
    }
  }
  if (next == files_) return false;
  files_ = std::move(next);
  return true;
}

std::vector<Override> Overrides::expire(double now) {
  std::vector<Override> over;
  std::erase_if(commands_, [&](const auto& entry) {
    const auto& override = entry.second;
    if (override.until == 0 || override.until > now) return false;
    over.push_back(override);
    return true;
  });
  return over;
}

std::optional<double> Overrides::nextExpiry() const {
  std::optional<double> next;
  for (const auto& [subject, override] : commands_) {
    if (override.until > 0) next = std::min(next.value_or(override.until), override.until);
  }
  return next;
}

std::vector<Override> Overrides::all() const {
  std::vector<Override> all;
  for (const auto* overrides : {&commands_, &files_}) {
    for (const auto& [subject, override] : *overrides) all.push_back(override);
  }
  std::ranges::stable_sort(all, {}, &Override::subject);
  return all;
}

const Override* Overrides::find(const Subject& subject) const {
  const auto in = [&](const auto& overrides) {
    const auto found = overrides.find(subject);
    return found == overrides.end() ? nullptr : &found->second;
  };
  return stronger(in(commands_), in(files_));
}

const Override* Overrides::ofServer(const std::string& pool, const std::string& server) const {
  return stronger(find({Kind::server, server, pool}), find({Kind::server, server, {}}));
}

std::string Overrides::encode() const {
  // A line each: for people who look into the file.
  std::string text = "{\"version\":" + std::to_string(kVersion) + ",\"overrides\":[";
  const char* separator = "\n";
  for (const auto& [subject, override] : commands_) {
    text += separator + json(override).dump();
    separator = ",\n";
  }
  return text + "\n]}\n";
}

Result<Overrides> Overrides::decode(std::string_view text) {
  if (text.size() > kMaxOverridesBytes) {
    return fail("larger than " + std::to_string(kMaxOverridesBytes) + " bytes");
  }
  try {
    const auto record = json::parse(text);
    if (record.at("version") != kVersion) {
      return fail("found version " + record.at("version").dump().substr(0, 20) + ", expected " +
                  std::to_string(kVersion));
    }
    Overrides overrides;
    for (const auto& entry : record.at("overrides").get_ref<const json::array_t&>()) {
      if (const auto added = overrides.set(entry.get<Override>()); !added) {
        return tl::unexpected(added.error());
      }
    }
    return overrides;
  } catch (const json::exception& problem) {
    return fail(problem.what());
  }
}

}  // namespace l4ward::control
