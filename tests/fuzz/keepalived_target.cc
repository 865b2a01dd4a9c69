#include <string>

#include "config/load.h"
#include "import/keepalived.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/targets.h"

namespace l4ward::fuzz {
namespace {

// One file that includes itself, and one that is not there.
Result<std::vector<keepalived::File>> includes(const std::string& pattern, const std::string&) {
  if (pattern == "missing") return std::vector<keepalived::File>();
  return std::vector<keepalived::File>{{"more.conf", "quorum 2\ninclude missing\n"}};
}

bool isOneLine(const std::string& text) {
  return text.find('\n') == std::string::npos;
}

}  // namespace

// Either an error, or a site file that l4ward takes and a report.
void keepalived(Input text) {
  const std::string own(text.begin(), text.end());
  const auto import = keepalived::importKeepalived(own, "keepalived.conf", includes, "lb1");
  if (!import) {
    require(isOneLine(import.error().message));
    // Only limits of site files are a reason to refuse what has been made.
    const auto& message = import.error().message;
    require(message.find("is no site file") == std::string::npos ||
            message.find("at most") != std::string::npos);
    return;
  }
  require(config::loadSite(import->siteYaml, "site.yaml", "node").has_value());
  for (const auto& line : import->report) {
    require(isOneLine(line.str()));
    require(!line.why.empty());
  }
  require(!keepalived::importText(*import).empty());
}

}  // namespace l4ward::fuzz
