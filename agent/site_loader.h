// The site file with the servers that it has elsewhere (`servers_from`). Whoever writes those files
// may make mistakes: a pool whose file is missing or wrong keeps the servers that it had, those of
// this run or else of the copy in <state dir>/pools/NAME.yaml, and everything else goes on.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/load.h"

namespace l4ward::agent {

// For one thread. Reads and writes files; logs what becomes of pools (`discovery.…`).
class SiteLoader {
 public:
  // An empty `stateDir` keeps no copies.
  SiteLoader(std::string siteFile, std::string stateDir, std::string hostName);

  // The site file and all that it names, as they are now. An error if the site file is wrong, or a
  // pool's files are and there is nothing to fall back to.
  config::Checked<config::Site> load();
  // The site in force with the servers as they stand in the files now; nothing if they are the
  // same.
  std::optional<config::Site> refresh();
  // `site`, which load() or refresh() returned last, is in force.
  void accept(const config::Site& site);

  // Of the site file in force.
  const std::string& text() const { return text_; }
  // What refresh() would look at: files and directories.
  std::set<std::string> paths() const;
  // The pools that could not have what their files say, and why.
  const std::map<std::string, std::string>& stale() const { return stale_; }

 private:
  using Diagnostics = std::vector<config::Diagnostic>;
  using Files = Result<std::vector<config::ServersFile>>;
  using Prints = std::map<std::string, std::uint64_t>;

  // One look at all files: none is read twice. By names of pools.
  struct Look {
    std::string text;  // of the site file
    std::map<std::string, Files> files;
    std::map<std::string, Files> fallbacks;
    std::map<std::string, Diagnostics> stale;  // those that fall back, and why
  };

  config::Checked<config::Site> read(Look& look) const;
  config::Checked<config::Site> resolve(Look& look) const;
  bool blame(const Diagnostics& errors, Look& look) const;
  config::Checked<config::Site> oneByOne(Diagnostics errors, Look& look) const;
  const Files& fallback(const std::string& pool, Look& look) const;
  std::string copyOf(const std::string& pool) const;
  void finish(const Look& look);
  void tell(const std::string& pool, const Diagnostics& problems) const;
  void save(const config::Pool& pool) const;
  void dropCopies() const;

  std::string siteFile_;
  std::string stateDir_;
  std::string hostName_;
  config::ServersReader readFiles_;

  // Of the last look, and of the site in force.
  std::string lastText_, text_;
  Prints lastPrints_, prints_;                // of what was in the files
  std::map<std::string, config::Pool> good_;  // the pools in force with `servers_from`
  std::map<std::string, std::string> stale_;
  Prints told_;  // which contents were reported
};

}  // namespace l4ward::agent
