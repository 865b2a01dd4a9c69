// A small agent for real_exabgp_test.py: RelayLink and ExabgpProcess, driven by lines on standard
// input; events go to standard output, one a line.
//
//   bgp_driver DIR RELAY USER HOLD_MS NEIGHBOR,LOCAL…
//
//   publish COUNT MED     COUNT prefixes to each neighbor
//   neighbor ADDR LOCAL   one neighbor more: reload
//   broken                a configuration that ExaBGP refuses
//   stop                  end ExaBGP, then exit
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "bgp/exabgp_config.h"
#include "bgp/exabgp_process.h"
#include "bgp/relay_link.h"

namespace l4ward::bgp {
namespace {

void say(const std::string& text) {
  std::cout << text << std::endl;
}

class Driver {
 public:
  Driver(asio::io_context& loop, const std::vector<std::string>& args)
      : input_(loop, ::dup(STDIN_FILENO)),
        link_(loop, linkEvents()),
        process_(loop, processOptions(args[1], args[3]), processEvents()) {
    config_.relayProgram = args[2];
    config_.relaySocket = args[1] + "/bgp.sock";
    config_.relayState = args[1] + "/relay/relay.json";
    config_.localAs = 65001;
    config_.routerId = IpAddress::parse("10.9.0.11").value();
    for (std::size_t i = 5; i < args.size(); ++i) {
      const std::size_t comma = args[i].find(',');
      addNeighbor(args[i].substr(0, comma), args[i].substr(comma + 1));
    }
    link_.setHold(Millis(std::stoi(args[4])));
    report(link_.listen(config_.relaySocket, args[3]));
    report(process_.run(exabgpConfigText(config_)));
    readLine();
  }

 private:
  RelayLink::Events linkEvents() {
    return {[](const RouteSet& standing) { say("connected " + std::to_string(standing.size())); },
            [](std::uint64_t generation) { say("synced " + std::to_string(generation)); },
            [](const IpAddress& neighbor, const std::string& state, const std::string& reason) {
              say("session " + neighbor.str() + " " + state + " " + reason);
            },
            [](const std::string& what) { say("error " + what); }, [] { say("disconnected"); }};
  }
  ExabgpProcess::Events processEvents() {
    return {[](int pid, bool adopted) {
              say("started " + std::to_string(pid) + (adopted ? " adopted" : " new"));
            },
            [](const std::string& how) { say("exited " + how); },
            [](const Error& error) {
              std::string text = error.message;
              for (char& c : text) c = c == '\n' ? ' ' : c;
              say("failed " + text);
            }};
  }
  static ExabgpProcess::Options processOptions(const std::string& dir, const std::string& user) {
    return {"exabgp", dir + "/exabgp.conf", dir + "/exabgp.pid", dir + "/exabgp.log", user};
  }

  static void report(const Status& status) {
    if (!status) say("failed " + status.error().message);
  }

  void addNeighbor(const std::string& address, const std::string& local) {
    config_.neighbors.push_back({IpAddress::parse(address).value(), IpAddress::parse(local).value(),
                                 65000, Millis(9000), ""});
  }

  void readLine() {
    asio::async_read_until(input_, asio::dynamic_buffer(buffer_), '\n',
                           [this](const ErrorCode& error, std::size_t size) {
                             if (error) std::exit(0);
                             const std::string line = buffer_.substr(0, size - 1);
                             buffer_.erase(0, size);
                             obey(line);
                             readLine();
                           });
  }

  void obey(const std::string& line) {
    std::istringstream words(line);
    std::string verb, first, second;
    words >> verb >> first >> second;
    if (verb == "publish") {
      const auto generation = link_.publish(routes(std::stoi(first), std::stoul(second)));
      say("generation " + std::to_string(generation));
    } else if (verb == "neighbor") {
      addNeighbor(first, second);
      report(process_.run(exabgpConfigText(config_)));
    } else if (verb == "broken") {
      report(process_.run(exabgpConfigText(config_) + "neighbor 192.0.2.77 { nonsense; }\n"));
    } else if (verb == "stop") {
      process_.stop(Millis(3000), [] {
        say("stopped");
        std::exit(0);
      });
    }
  }

  RouteSet routes(int count, unsigned long med) const {
    RouteSet set;
    for (const ExabgpNeighbor& neighbor : config_.neighbors) {
      const bool v4 = neighbor.address.isV4();
      for (int i = 1; i <= count; ++i) {
        const std::string high = std::to_string(i / 250), low = std::to_string(i % 250);
        const std::string text =
            v4 ? "198.51." + high + "." + low + "/32" : "fd51::" + high + ":" + low + "/128";
        set[{neighbor.address, Prefix::parse(text).value()}] = {
            neighbor.localAddress, static_cast<std::uint32_t>(med), {"65001:80", "65001:1:2"}};
      }
    }
    return set;
  }

  asio::posix::stream_descriptor input_;
  std::string buffer_;
  ExabgpConfig config_;
  RelayLink link_;
  ExabgpProcess process_;
};

}  // namespace
}  // namespace l4ward::bgp

int main(int argc, char** argv) {
  if (argc < 6) return 2;
  l4ward::asio::io_context loop(1);
  l4ward::bgp::Driver driver(loop, std::vector<std::string>(argv, argv + argc));
  loop.run();
  return 0;
}
