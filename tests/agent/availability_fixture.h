// A service of three servers, with two more in a backup pool if it is to have one.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "tests/agent/controller_fixture.h"

namespace l4ward::agent {

class ControllerAvailability : public ControllerTest {
 protected:
  static constexpr const char* kServers[] = {"192.0.2.101:80", "192.0.2.102:80", "192.0.2.103:80"};
  // One that sorts before the pool's servers, and one that sorts behind them.
  static constexpr const char* kBackups[] = {"192.0.2.51:80", "192.0.2.201:80"};

  // Three servers and two in a backup pool; `service` and `bgp` have more keys.
  static std::string yaml(const std::string& service, const std::string& bgp = "") {
    std::string head = kHead;
    if (!bgp.empty()) head.insert(head.find("checks:"), "  " + bgp + "\n");
    return head + R"(
pools:
  edge:
    check: healthz
    servers:
      - { name: lb7-1, address: 192.0.2.101 }
      - { name: lb7-2, address: 192.0.2.102 }
      - { name: lb7-3, address: 192.0.2.103, weight: 4 }
  reserve:
    check: healthz
    servers:
      - { name: r-1, address: 192.0.2.51 }
      - { name: r-2, address: 192.0.2.201, weight: 2 }
on_all_down: believe
services:
  web: { vips: [198.51.100.1], ports: [80], pool: edge, )" +
           service + " }\n";
  }
  void fail(Life& life, std::string_view server) { failServer(life, server); }
  void pass(Life& life, std::string_view server) {
    for (int i = 0; i < 2; ++i) life.answer(server, Answer::pass);
    life.turn();
  }
  void failAll(Life& life) {
    for (const auto* server : kServers) fail(life, server);
  }
  // Address and weight of each destination, in the kernel's order.
  std::string held() {
    std::string text;
    const auto table = kernel.dump().value();
    for (const auto& destination : table.at(web).destinations) {
      text += (text.empty() ? "" : " ") + destination.address.address.str().substr(8) + "=" +
              std::to_string(destination.weight);
    }
    return text;
  }
  // Fails the test when the service of an announced VIP is without any server that is in; that one
  // is taken out and put back at once in another place of the list counts as in.
  void watch(const Life& life) {
    kernel.failure = [this, &life](std::size_t, const ipvs::Operation& operation) {
      const auto* add = std::get_if<ipvs::AddDestination>(&operation.what);
      const bool isBack = add && add->address == std::exchange(deleted, std::nullopt);
      if (const auto* remove = std::get_if<ipvs::DeleteDestination>(&operation.what)) {
        deleted = remove->address;
      }
      if (!life.announced().empty() && !isBack) {
        EXPECT_TRUE(anyIn()) << "before " << operation.str();
      }
      return 0;
    };
  }
  bool anyIn() {
    const auto weights = ControllerTest::weights(web);
    return std::ranges::any_of(weights, [](auto weight) { return weight > 0; });
  }
  std::optional<std::uint32_t> med(const Life& life) const {
    return life.published.empty() ? std::nullopt : life.published.begin()->second.med;
  }

  std::optional<Endpoint> deleted;  // by the operation before
};

}  // namespace l4ward::agent
