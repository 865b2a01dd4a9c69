#include "bgp/process_id.h"

#include <sstream>

#include "base/file.h"

namespace l4ward::bgp {

std::string ProcessId::str() const {
  return std::to_string(pid) + ":" + std::to_string(startTime);
}

Result<ProcessId> processId(pid_t pid) {
  const auto stat = readFile("/proc/" + std::to_string(pid) + "/stat", 8192);
  if (!stat) return tl::unexpected(stat.error());
  // The second field is the program's name in parentheses and may hold anything, so count from
  // behind it: state is field 3.
  const std::size_t name = stat->rfind(')');
  if (name == std::string::npos) return fail("/proc: unknown format");
  std::istringstream fields(stat->substr(name + 1));
  std::string state, skipped;
  fields >> state;
  if (state == "Z" || state == "X") return fail("process " + std::to_string(pid) + " has ended");
  for (int field = 4; field < 22; ++field) fields >> skipped;
  ProcessId id{pid, 0};
  fields >> id.startTime;
  if (!fields) return fail("/proc: unknown format");
  return id;
}

}  // namespace l4ward::bgp
