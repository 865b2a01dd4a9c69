// l4ward-exabgp: the helper that ExaBGP runs. It holds the routes that the agent wants. Also what a
// service manager runs to have ExaBGP at all.
#include <sys/un.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include "base/asio.h"
#include "base/log.h"
#include "base/version.h"
#include "bgp/exabgp_service.h"
#include "bgp/relay_io.h"

namespace {

constexpr std::string_view kUsage =
    "Usage: l4ward-exabgp SOCKET RECORD\n"
    "       l4ward-exabgp --run-exabgp DIR\n"
    "\n"
    "Run by ExaBGP as its API process (see exabgp.conf, which l4ward writes). Connects to\n"
    "l4ward's unix socket SOCKET, makes ExaBGP announce the routes that l4ward wants, and keeps\n"
    "them for l4ward's hold time when l4ward is gone. RECORD is the file it remembers them in.\n"
    "\n"
    "  --run-exabgp DIR   for a service manager: waits until l4ward --exabgp-service has written\n"
    "                     DIR/exabgp.conf, then becomes ExaBGP\n"
    "  --help             print this text and end\n"
    "  --version          print the version and end\n";

int run(const std::string& socket, const std::string& record) {
  l4ward::asio::io_context loop(1);
  l4ward::bgp::RelayIo relay(loop, socket, record);
  relay.start();
  loop.run();
  return relay.exitStatus();
}

int runExabgp(const std::string& runDir) {
  const l4ward::Error error = l4ward::bgp::becomeExabgp(runDir);
  l4ward::log::error("exabgp.not_started", {{"reason", error.message}});
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view first = argc > 1 ? argv[1] : "";
  if (first == "--help") return std::fputs(kUsage.data(), stdout) < 0;
  if (first == "--version") return std::printf("l4ward-exabgp %s\n", l4ward::kVersion) < 0;
  if (first == "--run-exabgp" && argc == 3) return runExabgp(argv[2]);
  if (argc != 3 || first.size() >= sizeof(sockaddr_un{}.sun_path)) {
    std::fputs(kUsage.data(), stderr);
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return run(argv[1], argv[2]);
  } catch (const std::exception& error) {
    l4ward::log::error("relay.failed", {{"reason", error.what()}});
    return 1;
  }
}
