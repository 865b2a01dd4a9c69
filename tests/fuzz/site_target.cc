#include <string>

#include "config/load.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/targets.h"

namespace l4ward::fuzz {

void site(Input text) {
  const std::string own(text.begin(), text.end());
  const auto loaded = config::loadSite(own, "site.yaml", "host");
  if (loaded) return;
  require(!loaded.error().empty() && loaded.error().size() <= 100);
  for (const auto& diagnostic : loaded.error()) {
    require(diagnostic.str().find('\n') == std::string::npos);
  }
}

}  // namespace l4ward::fuzz
