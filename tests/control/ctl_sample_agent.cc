// An agent that is none: answers on SOCKET with a made-up node, until its standard input ends.
//   ctl_sample_agent SOCKET well|broken|large
#include <chrono>
#include <iostream>
#include <string>

#include "control/request.h"
#include "control/status_json.h"
#include "tests/control/ctl_samples.h"
#include "tests/control/fake_agent.h"

namespace l4ward::ctl::testing {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

NodeStatus nodeOf(const std::string& state) {
  return state == "broken" ? brokenNode() : state == "large" ? largeNode(100) : wellNode();
}

std::vector<Event> sampleEvents() {
  return {{1, kNow - 240, "info", "reload.done", {{"reason", "SIGHUP"}}},
          {2,
           kNow - 200,
           "warning",
           "server.down",
           {{"server", "lb7-2"}, {"check", "healthz"}, {"reason", "status 503, expected 200"}}},
          {3, kNow - 199, "error", "ipvs.operation_failed", {{"errno", "28"}}}};
}

Lookup sampleLookup() {
  Lookup lookup;
  lookup.client = "203.0.113.9:40000";
  lookup.vip = "198.51.100.1:443";
  lookup.service = "tcp 198.51.100.1:443";
  lookup.name = "web";
  lookup.digest = "5c1f0a7be2d94c31";
  lookup.slots = 4093;
  lookup.slot = 1717;
  lookup.owner = "192.0.2.102:443";
  lookup.ownerName = "lb7-2";
  lookup.fallback = true;
  lookup.server = "192.0.2.101:443";
  lookup.serverName = "lb7-1";
  lookup.held = "192.0.2.102:443";
  lookup.heldName = "lb7-2";
  lookup.heldState = "ESTABLISHED";
  lookup.text =
      "This flow is known and stays with lb7-2; a new one would go to lb7-1, since lb7-2, which "
      "owns slot 1717, takes no new connections.";
  return lookup;
}

bool isFollowing(const std::string& line) {
  const auto request = parseRequest(line);
  const auto* events = request ? std::get_if<EventsRequest>(&*request) : nullptr;
  return events && events->follow;
}

// As an agent does: nothing but the events.
std::string followed() {
  const Event event{4, kNow, "info", "bgp.session_up", {{"neighbor", "192.0.2.1"}}};
  return nlohmann::json{{"version", 1}, {"event", event}}.dump() + "\n";
}

class SampleAgent {
 public:
  explicit SampleAgent(const std::string& state) : status_(nodeOf(state)) {}

  Reply answer(const std::string& line) {
    const auto request = parseRequest(line);
    if (!request) return tl::unexpected(request.error());
    return std::visit([this](const auto& one) { return reply(one); }, *request);
  }

 private:
  Reply reply(const StatusRequest&) {
    // Connections of what drains end; an answer is never older than the request.
    if (draining_) {
      status_.countersAt = now();
      for (auto& service : status_.services) {
        for (auto& destination : service.destinations) {
          destination.weight = 0;
          destination.activeConnections /= 2;
          destination.inactiveConnections /= 2;
        }
      }
    }
    return nlohmann::json(status_);
  }
  Reply reply(const EventsRequest&) { return nlohmann::json{{"events", sampleEvents()}}; }
  Reply reply(const LookupRequest&) { return nlohmann::json(sampleLookup()); }
  Reply reply(const SetRequest& request) {
    if (request.subject.name == "lb7-9") {
      return tl::unexpected(
          Refusal{"unknown-subject", "there is no server 'lb7-9'", "l4wardctl servers"});
    }
    if (request.subject.name == "lb7-3" && !request.force) {
      return tl::unexpected(Refusal{"last-server", "lb7-3 is the last healthy server of pool edge",
                                    "l4wardctl drain server lb7-3 --force"});
    }
    draining_ = true;
    return nlohmann::json::object();
  }
  Reply reply(const PlanRequest&) { return nlohmann::json{{"text", "1 service is new\n"}}; }
  Reply reply(const VersionRequest&) { return nlohmann::json{{"version", "0.1.0"}}; }
  Reply reply(const ConfigRequest&) { return nlohmann::json{{"text", "services: {}\n"}}; }
  template <typename Other>
  Reply reply(const Other&) {
    return nlohmann::json::object();
  }

  NodeStatus status_;
  bool draining_ = false;
};

}  // namespace
}  // namespace l4ward::ctl::testing

int main(int argc, char** argv) {
  using namespace l4ward::ctl::testing;
  if (argc != 3) return 2;
  SampleAgent sample(argv[2]);
  const FakeAgent agent(argv[1], [&](const std::string& line) {
    if (isFollowing(line)) return followed();
    return l4ward::control::encode(sample.answer(line)) + "\n";
  });
  std::cout << "ready" << std::endl;
  while (std::cin.get() != EOF) {
  }
}
