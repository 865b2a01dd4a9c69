// Single answers: where a flow goes, and one event.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "control/ctl/screens.h"
#include "control/ctl/table.h"

namespace l4ward::ctl {
namespace {

using control::Lookup;

std::string serverText(const std::string& name, const std::string& address) {
  if (address.empty()) return "nobody";
  return name.empty() ? address : fmt::format("{} ({})", name, address);
}

// As the log quotes them (base/log.h).
std::string valueText(const std::string& value) {
  const bool plain = !value.empty() && std::all_of(value.begin(), value.end(), [](unsigned char c) {
    return c > 0x20 && c < 0x7f && c != '"' && c != '=' && c != '\\';
  });
  return plain ? value : nlohmann::json(clean(value)).dump();
}

}  // namespace

std::string lookupScreen(const Lookup& lookup, const Style& style) {
  std::string text;
  for (const auto& line : wrap(clean(lookup.text), style.width > 0 ? style.width : 100)) {
    text += line + "\n";
  }
  Table table({{"", Column::Kind::left}, {"", Column::Kind::wrap}});
  table.row({"flow", lookup.client + " to " + lookup.vip});
  table.row({"service", lookup.name.empty() ? lookup.service
                                            : fmt::format("{}, {}", lookup.name, lookup.service)});
  if (lookup.slots > 0) {
    table.row({"slot", fmt::format("{} of {}, of {}", lookup.slot, lookup.slots,
                                   serverText(lookup.ownerName, lookup.owner))});
    table.row({"fallback", lookup.fallback ? Cell("yes: the slot's server takes no new connections",
                                                  Tone::warning)
                                           : Cell("no")});
  }
  table.row({"new flow", lookup.server.empty()
                             ? Cell("is refused", Tone::bad)
                             : Cell(serverText(lookup.serverName, lookup.server), Tone::strong)});
  table.row({"in kernel", lookup.held ? fmt::format("yes, {}: {}", lookup.heldState,
                                                    serverText(lookup.heldName, *lookup.held))
                                      : "no"});
  if (!lookup.digest.empty()) table.row({"digest", lookup.digest});
  return text + "\n" + table.str(style);
}

std::string eventLine(const control::Event& event, const Style& style) {
  const auto tone = event.level == "error"     ? Tone::bad
                    : event.level == "warning" ? Tone::warning
                                               : Tone::plain;
  std::string line = utc(event.at) + "  " +
                     painted(fmt::format("{:<7}", clean(event.level)), tone, style) + "  " +
                     painted(clean(event.id), Tone::strong, style);
  for (const auto& [key, value] : event.fields) line += " " + clean(key) + "=" + valueText(value);
  return line + "\n";
}

}  // namespace l4ward::ctl
