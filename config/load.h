// Reads and validates site.yaml. Pure but for readSiteFile: text in, Site or all errors out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/site.h"

namespace l4ward::config {

// One mistake, where it stands and what belongs there. Lines and columns count from 1.
struct Diagnostic {
  std::string file;
  int line = 0;  // 0: the file as a whole
  int column = 0;
  std::string path;      // "checks.healthz.interval"
  std::string found;     // "'-2s'"
  std::string expected;  // "a duration such as 500ms, 2s or 5m, at least 10ms"

  // "site.yaml:12:15: checks.healthz.interval: found '-2s', expected a duration such as …"
  std::string str() const;
};

template <typename T>
using Checked = tl::expected<T, std::vector<Diagnostic>>;

// All errors at once, in the order of the file; at most 100. `file` is only named in diagnostics;
// `hostName` is the default of `node`.
Checked<Site> loadSite(std::string_view text, const std::string& file, const std::string& hostName);

// As loadSite, from a file of at most 4 MiB.
Checked<Site> loadSiteFile(const std::string& path);

}  // namespace l4ward::config
