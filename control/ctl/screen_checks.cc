#include <fmt/format.h>

#include "control/ctl/screens.h"
#include "control/ctl/table.h"
#include "control/ctl/tones.h"

namespace l4ward::ctl {
namespace {

using control::Check;
using Kind = Column::Kind;

// "fail (timeout)"
std::string answerOf(const control::CheckResult& result) {
  if (result.answer.empty()) return "none yet";
  return result.kind.empty() ? result.answer : fmt::format("{} ({})", result.answer, result.kind);
}

std::string noteOf(const Check& check) {
  std::vector<std::string> parts;
  if (!check.toward.empty()) {
    parts.push_back(fmt::format("{} of {} to {}", check.streak, check.needed, check.toward));
  }
  if (check.localError) parts.emplace_back("cannot be made on this node");
  if (check.last.answer != "pass") {
    const auto& reason = check.last.reason.empty() ? check.last.kind : check.last.reason;
    if (!reason.empty()) parts.push_back(reason);
  }
  if (!check.warning.empty()) parts.push_back("warning: " + check.warning);
  if (!check.verified && !check.health.empty() && check.health != "unknown") {
    parts.emplace_back("not seen yet: as an earlier agent left it");
  }
  return join(parts, "; ");
}

void addHistory(Table& table, const Check& check, double now) {
  for (const auto& result : check.history) {
    std::string line =
        fmt::format("{} UTC, {}: {}", utc(result.at), ago(result.at, now), answerOf(result));
    if (!result.reason.empty()) line += ": " + result.reason;
    table.note(line, Tone::dim);
  }
  std::vector<std::string> made;
  for (const auto& [answer, number] : check.made) {
    made.push_back(fmt::format("{} {}", number, answer));
  }
  if (!made.empty()) table.note("probes: " + join(made, ", "), Tone::dim);
}

}  // namespace

bool matches(const CheckFilter& filter, const Check& check) {
  if (!filter.server.empty() && check.server != filter.server) return false;
  if (!filter.failing) return true;
  return check.health != "up" || check.toward == "down" || check.toward == "drain" ||
         check.localError;
}

std::string checksScreen(const control::NodeStatus& status, const CheckView& view,
                         const Style& style) {
  Table table({{"SERVER", Kind::cut},
               {"CHECK", Kind::cut},
               {"TARGET"},
               {"HOW", Kind::cut},
               {"HEALTH"},
               {"SINCE", Kind::right},
               {"LAST"},
               {"TOOK", Kind::right},
               {"NOTE", Kind::wrap}});
  for (const auto& check : status.checks) {
    if (!matches(view.filter, check)) continue;
    table.row({check.server,
               check.name,
               check.target,
               check.how,
               {check.health, toneOf(check.health)},
               ageAt(check.since, status.at),
               {check.last.answer.empty() ? "none" : check.last.answer, toneOf(check.last.answer)},
               check.last.at > 0 ? latency(check.last.latency) : "-",
               noteOf(check)});
    if (view.verbose) addHistory(table, check, status.at);
  }
  if (table.empty()) return view.filter.failing ? "no check fails\n" : "no checks\n";
  return table.str(style);
}

}  // namespace l4ward::ctl
