#include <fmt/format.h>

#include "control/ctl/screens.h"
#include "control/ctl/table.h"

namespace l4ward::ctl {
namespace {

using Kind = Column::Kind;

constexpr const char* kEnd = "Nothing has been changed.\n";

}  // namespace

std::string differencesScreen(const control::NodeStatus& status, const Style& style) {
  const auto& differences = status.differences;
  if (differences.empty()) {
    return painted("the kernel is as this agent would have it", Tone::good, style) + "\n";
  }
  Table table({{"WHAT"}, {"SUBJECT"}, {"SINCE", Kind::right}, {"HOW", Kind::wrap}});
  for (const auto& difference : differences) {
    table.row(
        {difference.kind, difference.subject, ageAt(difference.since, status.at), difference.text});
    for (const auto& operation : difference.operations) table.note(operation, Tone::dim);
  }
  return table.str(style) + "\n" + plural(differences.size(), "difference") + ". " + kEnd;
}

}  // namespace l4ward::ctl
