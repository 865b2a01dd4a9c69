// `import`, which asks no agent.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <ostream>
#include <string_view>

#include "base/host_name.h"
#include "control/ctl/session.h"
#include "import/keepalived.h"

namespace l4ward::ctl {

using keepalived::Import;
using keepalived::Level;
using nlohmann::json;

namespace {

constexpr std::size_t kNarrowest = 40;

// Each line broken to the width, its later parts below its first one.
std::string fitted(std::string_view text, std::size_t width) {
  std::string out;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    const auto indent = std::min(line.find_first_not_of(' '), line.size());
    const auto body = line.substr(indent);
    const std::size_t hang = indent + (body.starts_with("-> ") ? 3 : 0);
    bool isFirst = true;
    for (const auto& part : wrap(clean(body), std::max(width, kNarrowest) - hang)) {
      out += std::string(isFirst ? indent : hang, ' ') + part + "\n";
      isFirst = false;
    }
  }
  return out;
}

std::string summary(const Import& import) {
  std::map<Level, std::size_t> counts;
  for (const auto& line : import.report) ++counts[line.level];
  return fmt::format(
      "\n{} lost, {} changed, {}. Next: look at 'bgp' in the site file, then\n"
      "  l4ward --check --config FILE\n",
      counts[Level::lost], counts[Level::changed], plural(counts[Level::note], "note"));
}

json toJson(const Import& import) {
  auto report = json::array();
  for (const auto& line : import.report) {
    report.push_back({{"file", line.file},
                      {"line", line.line},
                      {"keyword", line.keyword},
                      {"value", line.value},
                      {"level", keepalived::toString(line.level)},
                      {"why", line.why},
                      {"advice", line.advice}});
  }
  return {{"site", import.siteYaml}, {"report", std::move(report)}};
}

}  // namespace

int Session::importSite() {
  const auto& path = line_.arguments[0];
  const auto text = readInput(path, keepalived::kMaxText);
  if (!text) return badInput(text.error().message);
  const auto import = keepalived::importKeepalived(
      *text, path == "-" ? "standard input" : path, keepalived::includesOf,
      line_.configId.empty() ? shortHostName() : line_.configId);
  if (!import) {
    const auto next = path == "-" ? "" : "keepalived --config-test --use-file " + path;
    return refuse({"invalid-config", import.error().message, next});
  }
  if (line_.json) {
    print(toJson(*import));
  } else {
    terminal_.out << import->siteYaml << std::flush;
    const auto report = importText(*import) + summary(*import);
    if (terminal_.width > 0) terminal_.err << "\n";  // both on one terminal
    terminal_.err << (terminal_.errorWidth == 0 ? report : fitted(report, terminal_.errorWidth));
  }
  const bool isExact = std::all_of(import->report.begin(), import->report.end(),
                                   [](const auto& line) { return line.level == Level::note; });
  return isExact ? kWell : kWrong;
}

}  // namespace l4ward::ctl
