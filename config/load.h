// Reads and validates site.yaml. Pure but for what says "file": text in, Site or all errors out.
#pragma once

#include <cstddef>
#include <functional>
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

// A line each, without a line break at the end.
std::string linesOf(const std::vector<Diagnostic>& diagnostics);

template <typename T>
using Checked = tl::expected<T, std::vector<Diagnostic>>;

inline constexpr std::size_t kMaxSiteBytes = 4U << 20;

// A file of servers; `name` is only named.
struct ServersFile {
  std::string name;
  std::string text;
};
// What stands where `pool.serversFrom` says; of the pool this and its name are known. More than
// one file: their servers are joined.
using ServersReader = std::function<Result<std::vector<ServersFile>>(const Pool& pool)>;

// All errors at once, in the order of the file, then those of files of servers; at most 100. `file`
// is only named in diagnostics; `hostName` is the default of `node`. Without `read` a pool with
// `servers_from` is a mistake.
Checked<Site> loadSite(std::string_view text, const std::string& file, const std::string& hostName,
                       const ServersReader& read = {});

// As loadSite, from files (config/servers_from.h), the site file of at most kMaxSiteBytes.
Checked<Site> loadSiteFile(const std::string& path);
Checked<std::string> readSiteFile(const std::string& path);

}  // namespace l4ward::config
