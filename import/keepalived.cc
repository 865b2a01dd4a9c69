#include "import/keepalived.h"

#include <algorithm>

#include "config/diagnostics.h"
#include "config/load.h"
#include "config/words.h"
#include "import/globals.h"
#include "import/virtual_server.h"

namespace l4ward::keepalived {
namespace {

// The account at the end: what nobody has seen.
void sayUnknown(Node& node, Report& report) {
  for (auto& child : node.children) {
    if (!child.seen) {
      markSeen(child);
      report.add(child, {Level::lost,
                         "unknown here" + config::didYouMean(child.keyword(), knownKeywords()),
                         "see keepalived.conf(5) for what it was meant to do"});
    } else {
      sayUnknown(child, report);
    }
  }
}

void sayUnused(const std::map<std::string, Group>& groups, Report& report) {
  for (const auto& [name, group] : groups) {
    if (group.used) continue;
    report.add(*group.node, {Level::note, "no virtual server has this group"});
  }
}

// Whatever the importer did, nobody gets a file that l4ward would not take.
Status validated(const std::string& yaml, const std::string& file) {
  const auto site = config::loadSite(yaml, "site.yaml", "node");
  if (site) return {};
  return fail(file + ": what it becomes is no site file: " + site.error().front().str());
}

// `oneFile`: then its name need not be said again and again.
std::string linesText(const std::vector<const ReportLine*>& lines, bool oneFile) {
  constexpr std::size_t shown = 8;
  const auto placeOf = [&](const ReportLine& line) {
    if (line.line == 0) return "file " + line.file;
    return (oneFile ? "line " : line.file + ":") + std::to_string(line.line);
  };
  std::string out;
  for (std::size_t i = 0; i < lines.size() && i < shown; ++i) {
    const auto& line = *lines[i];
    out += "  " + placeOf(line) + ": " + line.keyword +
           (line.value.empty() ? "" : " " + line.value) + "\n";
  }
  if (lines.size() > shown) {
    out += std::string("  and at") + (oneFile ? " lines" : "");
    for (std::size_t i = shown; i < lines.size(); ++i) {
      out += " " + (oneFile ? std::to_string(lines[i]->line) : placeOf(*lines[i]));
    }
    out += "\n";
  }
  return out;
}

const char* headOf(Level level) {
  switch (level) {
    case Level::lost:
      return "LOST: the site file does without these";
    case Level::changed:
      return "CHANGED: the site file has something that is not quite the same";
    case Level::note:
      break;
  }
  return "NOTES";
}

}  // namespace

Result<Import> importKeepalived(std::string_view text, const std::string& file,
                                const ReadInclude& readInclude, const std::string& configId) {
  Report report;
  const auto lines = readLines({file, std::string(text)}, configId, readInclude, report);
  if (!lines) return tl::unexpected(lines.error());
  auto tree = parseTree(*lines);
  if (!tree) return tl::unexpected(tree.error());
  const Section root(*tree, report);
  SiteDraft site;
  auto globals = readGlobals(root, site);
  for (auto* node : root.all({"virtual_server"})) {
    importVirtualServer(*node, globals, site, report);
  }
  sayUnused(globals.groups, report);
  sayUnknown(*tree, report);
  Import import;
  import.siteYaml = site.text(file, report);
  import.report = report.take();
  if (auto good = validated(import.siteYaml, file); !good) return tl::unexpected(good.error());
  return import;
}

std::string importText(const Import& import) {
  std::string out;
  const auto& all = import.report;
  const bool oneFile = std::all_of(all.begin(), all.end(),
                                   [&](const auto& line) { return line.file == all[0].file; });
  for (const auto level : {Level::lost, Level::changed, Level::note}) {
    std::vector<std::pair<std::string, std::vector<const ReportLine*>>> remarks;
    std::map<std::string, std::size_t> known;
    for (const auto& line : import.report) {
      if (line.level != level) continue;
      const auto remark = line.why + (line.advice.empty() ? "." : ".\n  -> " + line.advice + ".");
      const auto [at, fresh] = known.emplace(remark, remarks.size());
      if (fresh) remarks.push_back({remark, {}});
      remarks[at->second].second.push_back(&line);
    }
    if (remarks.empty()) continue;
    out += (out.empty() ? "" : "\n") + std::string(headOf(level)) + "\n";
    for (const auto& [remark, lines] : remarks)
      out += "\n" + linesText(lines, oneFile) + "  " + remark + "\n";
  }
  return out.empty() ? "Everything is carried over as it is.\n" : out;
}

}  // namespace l4ward::keepalived
