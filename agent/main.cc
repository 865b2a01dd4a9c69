#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "agent/daemon.h"
#include "agent/memory_file.h"
#include "agent/nftables.h"
#include "agent/options.h"
#include "agent/preview.h"
#include "agent/remove_command.h"
#include "agent/setup.h"
#include "agent/site_loader.h"
#include "base/host_name.h"
#include "base/netns.h"
#include "base/version.h"
#include "bgp/exabgp_config.h"
#include "config/load.h"
#include "ipvs/identity.h"
#include "ipvs/netlink.h"
#include "ipvs/table_size.h"

namespace l4ward::agent {
namespace {

constexpr int kBadInput = 2;

std::string count(std::size_t number, const std::string& what) {
  return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

int check(const Options& options, const config::Site& site) {
  const auto model = compile(site);
  std::size_t servers = 0;
  for (const auto& [name, pool] : site.pools) servers += pool.servers.size();
  std::cout << options.config << ": valid: " << count(model.services.size(), "IPVS service")
            << " on " << count(model.vips.size(), "virtual IP") << ", "
            << count(site.pools.size(), "pool") << " with " << count(servers, "server") << ", "
            << count(site.bgp ? site.bgp->neighbors.size() : 0, "BGP neighbor") << '\n';
  return 0;
}

int printExabgpConfig(const Options& options, const config::Site& site) {
  if (!site.bgp) {
    std::cerr << "l4ward: " << options.config << " has no 'bgp' section\n";
    return kBadInput;
  }
  const auto config = exabgpConfig(site, options);
  if (!config) {
    std::cerr << "l4ward: " << config.error().message << '\n';
    return 1;
  }
  std::cout << bgp::exabgpConfigText(*config);
  return 0;
}

// The kernel's table, the agent's record and the size of Maglev tables, all only read.
int plan(const Options& options, const config::Site& site) {
  const auto failed = [](const Error& error) {
    std::cerr << "l4ward: " << error.message << '\n';
    return 1;
  };
  auto kernel = ipvs::NetlinkKernel::open();
  if (!kernel) return failed(kernel.error());
  const auto actual = (*kernel)->dump();
  if (!actual) return failed(actual.error());
  const auto identity = ipvs::kernelIdentity();
  if (!identity) return failed(identity.error());
  MemoryFile memory(recordPath(options), *identity);
  memory.load();
  auto size = ipvs::findTableSize();
  if (!size) {
    std::cerr << "l4ward: " << size.error().message << "; Debian's "
              << ipvs::MaglevTable::kDefaultSize << " slots are assumed\n";
    size = ipvs::TableSize{ipvs::MaglevTable::kDefaultSize, "assumed"};
  }
  std::cout << previewText(preview(site, *actual, memory.value, size->slots));
  return 0;
}

// The actions that need the network. Sockets and threads are in the namespace that they are made
// in, so entering it comes before any.
int onNetwork(const Options& options, config::Site site, SiteLoader loader) {
  const auto entered = options.netns.empty() ? Status{} : enterNetns(options.netns);
  if (!entered) {
    std::cerr << "l4ward: " << entered.error().message << '\n';
    return 1;
  }
  if (options.action == Options::Action::plan) return plan(options, site);
  return Daemon(options, std::move(site), std::move(loader)).run();
}

int run(const std::vector<std::string>& arguments) {
  const auto options = parseOptions(arguments);
  if (!options) {
    std::cerr << "l4ward: " << options.error().message << "\nTry 'l4ward --help'.\n";
    return kBadInput;
  }
  if (options->action == Options::Action::help) {
    std::cout << helpText();
    return 0;
  }
  if (options->action == Options::Action::version) {
    std::cout << "l4ward " << kVersion << '\n';
    return 0;
  }
  log::setLevel(options->logLevel);
  if (options->action == Options::Action::remove) return removeCommand(*options);
  // Only an agent that is to run makes do with old servers where their file is wrong.
  SiteLoader loader(options->config, options->stateDir, hostName());
  auto site = options->action == Options::Action::run ? loader.load()
                                                      : config::loadSiteFile(options->config);
  if (!site) {
    for (const auto& diagnostic : site.error()) std::cerr << diagnostic.str() << '\n';
    return kBadInput;
  }
  switch (options->action) {
    case Options::Action::check:
      return check(*options, *site);
    case Options::Action::printNftables:
      std::cout << nftablesText(*site);
      return 0;
    case Options::Action::printExabgpConfig:
      return printExabgpConfig(*options, *site);
    default:
      return onNetwork(*options, *std::move(site), std::move(loader));
  }
}

}  // namespace
}  // namespace l4ward::agent

int main(int argc, char** argv) {
  return l4ward::agent::run({argv + 1, argv + argc});
}
