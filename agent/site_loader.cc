#include "agent/site_loader.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "config/diagnostics.h"
#include "config/servers_from.h"

namespace l4ward::agent {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxTold = 10;  // mistakes a pool and content

using Files = Result<std::vector<config::ServersFile>>;

std::uint64_t printOf(const Files& files) {
  if (!files) return fnv1a(files.error().message);
  std::string all;
  for (const auto& file : *files) all += file.name + '\0' + file.text + '\0';
  return fnv1a(all);
}

std::map<std::string, std::uint64_t> printsOf(const std::map<std::string, Files>& files) {
  std::map<std::string, std::uint64_t> prints;
  for (const auto& [pool, found] : files) prints.emplace(pool, printOf(found));
  return prints;
}

struct Difference {
  std::size_t added = 0;
  std::size_t removed = 0;
  std::size_t changed = 0;
};

Difference difference(const std::vector<config::Server>& before,
                      const std::vector<config::Server>& after) {
  std::map<std::string, const config::Server*> known;
  for (const auto& server : before) known.emplace(server.name, &server);
  Difference out;
  for (const auto& server : after) {
    const auto old = known.find(server.name);
    if (old == known.end()) {
      ++out.added;
      continue;
    }
    if (*old->second != server) ++out.changed;
    known.erase(old);
  }
  out.removed = known.size();
  return out;
}

}  // namespace

SiteLoader::SiteLoader(std::string siteFile, std::string stateDir, std::string hostName)
    : siteFile_(std::move(siteFile)),
      stateDir_(std::move(stateDir)),
      hostName_(std::move(hostName)),
      readFiles_(config::serversBeside(siteFile_)) {}

config::Checked<config::Site> SiteLoader::load() {
  auto text = config::readSiteFile(siteFile_);
  if (!text) return tl::unexpected(text.error());
  Look look{*std::move(text), {}, {}, {}};
  auto site = resolve(look);
  if (site) finish(look);
  return site;
}

std::optional<config::Site> SiteLoader::refresh() {
  Look look{text_, {}, {}, {}};
  for (const auto& [name, pool] : good_) look.files.emplace(name, readFiles_(pool));
  if (printsOf(look.files) == prints_) return std::nullopt;
  auto site = resolve(look);
  if (!site) return std::nullopt;  // not even with the servers in force: cannot be
  finish(look);
  prints_ = lastPrints_;
  const bool isChanged = std::ranges::any_of(good_, [&](const auto& entry) {
    return site->pools.at(entry.first).servers != entry.second.servers;
  });
  return isChanged ? std::optional(*std::move(site)) : std::nullopt;
}

void SiteLoader::accept(const config::Site& site) {
  text_ = lastText_;
  prints_ = lastPrints_;
  const auto before = std::exchange(good_, {});
  for (const auto& [name, pool] : site.pools) {
    if (pool.serversFrom.empty()) continue;
    good_.emplace(name, pool);
    const auto old = before.find(name);
    if (old != before.end() && old->second.servers == pool.servers) continue;
    save(pool);
    if (old == before.end()) continue;
    const auto [added, removed, changed] = difference(old->second.servers, pool.servers);
    log::info("discovery.applied", {{"pool", name},
                                    {"servers", pool.servers.size()},
                                    {"added", added},
                                    {"removed", removed},
                                    {"changed", changed}});
  }
  dropCopies();
}

std::set<std::string> SiteLoader::paths() const {
  std::set<std::string> paths;
  for (const auto& [name, pool] : good_) {
    paths.insert(config::pathBeside(siteFile_, pool.serversFrom));
  }
  return paths;
}

config::Checked<config::Site> SiteLoader::read(Look& look) const {
  return config::loadSite(look.text, siteFile_, hostName_, [&](const config::Pool& pool) {
    if (look.stale.contains(pool.name)) return fallback(pool.name, look);
    if (!look.files.contains(pool.name)) look.files.emplace(pool.name, readFiles_(pool));
    return look.files.at(pool.name);
  });
}

// Pools fall back as they are blamed, and what is left is right, or nothing can be done.
config::Checked<config::Site> SiteLoader::resolve(Look& look) const {
  const auto first = read(look);
  auto site = first;
  while (!site && blame(site.error(), look)) site = read(look);
  if (!site) site = oneByOne(site.error(), look);
  return site ? site : first;
}

// Whether another pool falls back now, because its files are wrong by themselves.
bool SiteLoader::blame(const Diagnostics& errors, Look& look) const {
  std::map<std::string, Diagnostics> blamed;
  for (const auto& [pool, files] : look.files) {
    if (look.stale.contains(pool)) continue;
    const auto path = config::joinPath(config::joinPath("pools", pool), "servers_from");
    for (const auto& error : errors) {
      if (config::isPathWithin(error.path, path)) blamed[pool].push_back(error);
    }
  }
  std::erase_if(blamed, [&](const auto& entry) { return !fallback(entry.first, look); });
  const bool any = !blamed.empty();
  look.stale.merge(blamed);
  return any;
}

// Mistakes that come only of servers and services together, such as the address of a virtual IP:
// each pool whose files are new is tried by itself.
config::Checked<config::Site> SiteLoader::oneByOne(Diagnostics errors, Look& look) const {
  std::vector<std::string> suspects;
  for (const auto& [pool, files] : look.files) {
    const auto known = prints_.find(pool);
    const bool isNew =
        known == prints_.end() || known->second != printOf(files) || stale_.contains(pool);
    if (isNew && !look.stale.contains(pool) && fallback(pool, look)) suspects.push_back(pool);
  }
  if (suspects.empty()) return tl::unexpected(std::move(errors));
  for (const auto& pool : suspects) look.stale.emplace(pool, errors);
  auto site = read(look);
  for (const auto& pool : suspects) {
    if (!site) break;
    look.stale.erase(pool);
    if (auto with = read(look)) {
      site = std::move(with);
    } else {
      look.stale.emplace(pool, std::move(with.error()));
    }
  }
  return site;
}

const SiteLoader::Files& SiteLoader::fallback(const std::string& pool, Look& look) const {
  if (const auto known = look.fallbacks.find(pool); known != look.fallbacks.end()) {
    return known->second;
  }
  const auto name = copyOf(pool);
  Files files = std::vector<config::ServersFile>();
  if (const auto good = good_.find(pool); good != good_.end()) {
    files->push_back({name, config::serversText(good->second.servers)});
  } else if (auto text = readFile(name, config::kMaxSiteBytes); text && !stateDir_.empty()) {
    files->push_back({name, *std::move(text)});
  } else {
    files = fail("no copy of earlier servers", ENOENT);
  }
  return look.fallbacks.emplace(pool, std::move(files)).first->second;
}

std::string SiteLoader::copyOf(const std::string& pool) const {
  return stateDir_ + "/pools/" + pool + ".yaml";
}

void SiteLoader::finish(const Look& look) {
  lastText_ = look.text;
  lastPrints_ = printsOf(look.files);
  for (const auto& [pool, reason] : stale_) {
    if (look.stale.contains(pool) || !look.files.contains(pool)) continue;
    log::info("discovery.valid", {{"pool", pool}});
    told_.erase(pool);
  }
  stale_.clear();
  for (const auto& [pool, problems] : look.stale) {
    stale_.emplace(pool, problems.front().str());
    const auto print = lastPrints_.at(pool);
    if (const auto told = told_.find(pool); told != told_.end() && told->second == print) continue;
    told_[pool] = print;
    tell(pool, problems);
  }
}

void SiteLoader::tell(const std::string& pool, const Diagnostics& problems) const {
  const auto* effect = good_.contains(pool) ? "none, it keeps its servers"
                                            : "it has those of the copy in the state directory";
  for (std::size_t i = 0; i < std::min(problems.size(), kMaxTold); ++i) {
    log::error("discovery.invalid",
               {{"pool", pool}, {"problem", problems[i].str()}, {"effect", effect}});
  }
}

void SiteLoader::save(const config::Pool& pool) const {
  if (stateDir_.empty()) return;
  const auto path = copyOf(pool.name);
  const auto text = config::serversText(pool.servers);
  if (const auto held = readFile(path, config::kMaxSiteBytes); held && *held == text) return;
  std::error_code ignored;  // the next step says it
  fs::create_directories(fs::path(path).parent_path(), ignored);
  if (const auto written = replaceFile(path, text); !written) {
    log::error("discovery.not_saved", {{"pool", pool.name}, {"reason", written.error().message}});
  }
}

// A pool that comes back one day must not begin with servers of long ago.
void SiteLoader::dropCopies() const {
  if (stateDir_.empty()) return;
  std::error_code problem;
  std::vector<fs::path> gone;
  for (fs::directory_iterator entry(stateDir_ + "/pools", problem), end; !problem && entry != end;
       entry.increment(problem)) {
    const auto& path = entry->path();
    if (path.extension() == ".yaml" && !good_.contains(path.stem().string())) gone.push_back(path);
  }
  for (const auto& path : gone) fs::remove(path, problem);
}

}  // namespace l4ward::agent
