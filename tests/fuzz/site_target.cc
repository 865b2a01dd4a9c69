#include <string>
#include <vector>

#include "config/load.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/targets.h"

namespace l4ward::fuzz {

void site(Input text) {
  const std::string own(text.begin(), text.end());
  // A pool's servers may stand in a file of their own; the same text is that, too.
  const auto read = [&](const config::Pool&) {
    return std::vector<config::ServersFile>{{"servers.yaml", own}};
  };
  const auto loaded = config::loadSite(own, "site.yaml", "host", read);
  if (loaded) return;
  require(!loaded.error().empty() && loaded.error().size() <= 100);
  for (const auto& diagnostic : loaded.error()) {
    require(diagnostic.str().find('\n') == std::string::npos);
  }
}

}  // namespace l4ward::fuzz
