// Agents on one fake kernel, and the site files that their tests start from.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/agent/fixture.h"

namespace l4ward::agent {

using healthcheck::Answer;

inline constexpr char kHead[] = R"(
bgp:
  local_as: 65001
  router_id: 192.0.2.11
  neighbors: [{ address: 192.0.2.1, peer_as: 65000 }, { address: 192.0.2.2, peer_as: 65000 }]
  communities: ["65001:80"]
  med: 100
checks:
  healthz: { type: http, port: 80, path: /healthcheck, rise: 2, fall: 3 }
)";

inline std::string site(const std::string& servers = "1 2 3", const std::string& services = "web") {
  std::string yaml = std::string(kHead) + "pools:\n  edge:\n    check: healthz\n    servers:\n";
  for (const char c : servers) {
    if (c == ' ') continue;
    yaml += std::string("      - { name: lb7-") + c + ", address: 192.0.2.10" + c + " }\n";
  }
  yaml += "services:\n";
  if (services.find("web") != services.npos) {
    yaml += "  web: { vips: [198.51.100.1], ports: [80], pool: edge }\n";
  }
  if (services.find("alt") != services.npos) {
    yaml += "  alt: { vips: [198.51.100.2], ports: [80], pool: edge }\n";
  }
  return yaml;
}

class ControllerTest : public testing::Test {
 protected:
  static constexpr const char* kVip = "198.51.100.1/32";
  const ipvs::ServiceKey web = tcp("198.51.100.1:80");

  std::unique_ptr<Life> newLife(const std::string& yaml, const bgp::RouteSet& standing = {}) {
    auto life = std::make_unique<Life>(kernel, interfaces, memory);
    EXPECT_TRUE(life->controller.start(siteOf(yaml), life->now));
    life->controller.onRelayConnected(standing, life->now);
    life->turn();
    return life;
  }
  // All of its servers are up.
  std::unique_ptr<Life> servingLife(const std::string& yaml = site()) {
    auto life = newLife(yaml);
    life->answerAll(Answer::pass);
    life->turn();
    life->sync();
    return life;
  }
  void failServer(Life& life, std::string_view target, int times = 3) {
    for (int i = 0; i < times; ++i) life.answer(target, Answer::fail);
    life.turn();
  }
  std::vector<std::uint32_t> weights(const ipvs::ServiceKey& key) {
    std::vector<std::uint32_t> out;
    const auto table = kernel.dump().value();
    for (const auto& destination : table.at(key).destinations) out.push_back(destination.weight);
    return out;
  }
  std::size_t writes() { return kernel.operations(); }

  ipvs::FakeKernel kernel;
  FakeInterfaces interfaces;
  MemoryFile memory{"", ""};
};

}  // namespace l4ward::agent
