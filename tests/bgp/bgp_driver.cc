// A small agent for the tests with real programs: RelayLink and ExabgpProcess, driven by lines on
// standard input; events go to standard output, one a line.
//
//   bgp_driver DIR RELAY USER HOLD_MS [NODE] NEIGHBOR…
//
// NODE: as=65001,graceful=30 (seconds),service=1 (ExaBGP is one of its own). NEIGHBOR: ADDR,LOCAL
// and any of as=65000, hold=9 (seconds), password=, multihop=, ttl=, passive=1, port=179.
//
//   publish COUNT MED     COUNT prefixes to each neighbor
//   routes JSON           these, as bgp/route_json.h has them
//   neighbor ADDR LOCAL   one neighbor more: reload
//   broken                a configuration that ExaBGP refuses
//   stop                  end ExaBGP, then exit
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "bgp/exabgp_config.h"
#include "bgp/exabgp_process.h"
#include "bgp/relay_link.h"
#include "bgp/route_json.h"

namespace l4ward::bgp {
namespace {

void say(const std::string& text) {
  std::cout << text << std::endl;
}

// "192.0.2.1,192.0.2.11,as=65001": plain words, which come first, are found under "0", "1", ….
using Settings = std::map<std::string, std::string>;

Settings settingsOf(const std::string& argument) {
  Settings found;
  std::istringstream words(argument);
  for (std::string word; std::getline(words, word, ',');) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) {
      found[std::to_string(found.size())] = word;
    } else {
      found[word.substr(0, equals)] = word.substr(equals + 1);
    }
  }
  return found;
}

unsigned number(const Settings& settings, const std::string& key, unsigned otherwise) {
  const auto found = settings.find(key);
  return found == settings.end() ? otherwise : static_cast<unsigned>(std::stoul(found->second));
}

class Driver {
 public:
  Driver(asio::io_context& loop, const std::vector<std::string>& args)
      : input_(loop, ::dup(STDIN_FILENO)),
        link_(loop, linkEvents()),
        process_(loop, processOptions(args), processEvents()) {
    config_.relayProgram = args[2];
    config_.relaySocket = args[1] + "/bgp.sock";
    config_.relayState = args[1] + "/relay/relay.json";
    config_.localAs = 65001;
    for (std::size_t i = 5; i < args.size(); ++i) {
      const Settings settings = settingsOf(args[i]);
      if (settings.contains("0")) {
        addNeighbor(settings);
      } else {
        config_.localAs = number(settings, "as", config_.localAs);
        config_.gracefulRestart = Millis(1000 * number(settings, "graceful", 30));
      }
    }
    link_.setHold(Millis(std::stoi(args[4])));
    report(link_.listen(config_.relaySocket, args[3]));
    report(process_.run(exabgpConfigText(config_)));
    readLine();
  }

 private:
  RelayLink::Events linkEvents() {
    RelayLink::Events events;
    events.connected = [](const RouteSet& standing) {
      say("connected " + std::to_string(standing.size()));
    };
    events.synced = [](std::uint64_t generation) { say("synced " + std::to_string(generation)); };
    events.session = [](const IpAddress& neighbor, const std::string& state,
                        const std::string& reason) {
      say("session " + neighbor.str() + " " + state + " " + reason);
    };
    events.error = [](const std::string& what) { say("error " + what); };
    events.disconnected = [] { say("disconnected"); };
    events.stuck = [this](const std::string& what) {
      say("stuck " + what);
      process_.restart(what);
    };
    events.frozen = [](int pid) {
      say("frozen " + std::to_string(pid));
      ::kill(pid, SIGKILL);
    };
    return events;
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
  static ExabgpProcess::Options processOptions(const std::vector<std::string>& args) {
    const std::string& dir = args[1];
    ExabgpProcess::Options options{"exabgp", dir + "/exabgp.conf", dir + "/exabgp.pid",
                                   dir + "/exabgp.log", args[3]};
    options.service = number(settingsOf(args[5]), "service", 0) != 0;
    return options;
  }

  static void report(const Status& status) {
    if (!status) say("failed " + status.error().message);
  }

  void addNeighbor(const Settings& settings) {
    ExabgpNeighbor neighbor;
    neighbor.address = IpAddress::parse(settings.at("0")).value();
    neighbor.localAddress = IpAddress::parse(settings.at("1")).value();
    neighbor.peerAs = number(settings, "as", 65000);
    neighbor.holdTime = Millis(1000 * number(settings, "hold", 9));
    if (settings.contains("password")) neighbor.password = settings.at("password");
    neighbor.multihop = number(settings, "multihop", 0);
    neighbor.ttlSecurity = number(settings, "ttl", 0);
    neighbor.passive = number(settings, "passive", 0) != 0;
    neighbor.port = static_cast<std::uint16_t>(number(settings, "port", 179));
    if (neighbor.localAddress.isV4()) config_.routerId = neighbor.localAddress;
    config_.neighbors.push_back(std::move(neighbor));
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
      publish(routes(std::stoi(first), std::stoul(second)));
    } else if (verb == "routes") {
      const auto set =
          routesFromJson(nlohmann::json::parse(line.substr(verb.size()), nullptr, false));
      set ? publish(*set) : say("failed " + set.error().message);
    } else if (verb == "neighbor") {
      addNeighbor({{"0", first}, {"1", second}});
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

  void publish(const RouteSet& wanted) {
    say("generation " + std::to_string(link_.publish(wanted)));
  }

  RouteSet routes(int count, unsigned long med) const {
    RouteSet set;
    for (const ExabgpNeighbor& neighbor : config_.neighbors) {
      const bool v4 = neighbor.address.isV4();
      for (int i = 1; i <= count; ++i) {
        const std::string high = std::to_string(i / 250), low = std::to_string(i % 250);
        const std::string text =
            v4 ? "198.51." + high + "." + low + "/32" : "fd51::" + high + ":" + low + "/128";
        Attributes& route = set[{neighbor.address, Prefix::parse(text).value()}];
        route.nextHop = neighbor.localAddress;
        route.med = static_cast<std::uint32_t>(med);
        route.communities = {"65001:80"};
        route.largeCommunities = {"65001:1:2"};
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
