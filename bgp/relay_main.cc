// l4ward-exabgp: the helper that ExaBGP runs. It holds the routes that the agent wants.
#include <sys/un.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include "base/asio.h"
#include "base/log.h"
#include "bgp/relay_io.h"

namespace {

constexpr std::string_view kUsage =
    "Usage: l4ward-exabgp SOCKET RECORD\n"
    "\n"
    "Run by ExaBGP as its API process (see exabgp.conf, which l4ward writes). Connects to\n"
    "l4ward's unix socket SOCKET, makes ExaBGP announce the routes that l4ward wants, and keeps\n"
    "them for l4ward's hold time when l4ward is gone. RECORD is the file it remembers them in.\n"
    "\n"
    "  --help      this text\n"
    "  --version   the version\n";

int run(const std::string& socket, const std::string& record) {
  l4ward::asio::io_context loop(1);
  l4ward::bgp::RelayIo relay(loop, socket, record);
  relay.start();
  loop.run();
  return relay.exitStatus();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view first = argc > 1 ? argv[1] : "";
  if (first == "--help") return std::fputs(kUsage.data(), stdout) < 0;
  if (first == "--version") return std::puts("l4ward-exabgp " L4WARD_VERSION) < 0;
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
