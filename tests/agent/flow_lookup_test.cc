#include "agent/flow_lookup.h"

#include <gmock/gmock.h>

#include "ipvs/maglev.h"
#include "tests/agent/controller_fixture.h"

namespace l4ward::agent {
namespace {

using testing::HasSubstr;

constexpr std::size_t kSlots = 251;

std::string with(std::string yaml, const std::string& from, const std::string& to) {
  const auto at = yaml.find(from);
  EXPECT_NE(at, yaml.npos) << from;
  return yaml.replace(at, from.size(), to);
}

class FlowLookup : public ControllerTest {
 protected:
  control::Lookup ask(Life& life, const std::string& client, const std::string& vip,
                      std::size_t slots = kSlots) {
    return lookUp(life.controller.snapshot(life.now),
                  {ipvs::Protocol::tcp, endpoint(client), endpoint(vip)}, slots, held);
  }
  control::Lookup ask(Life& life, const std::string& client) {
    return ask(life, client, "198.51.100.1:80");
  }
  static std::string clientAt(unsigned i) {
    return "203.0.113." + std::to_string(i % 250) + ":" + std::to_string(20000 + i);
  }
  // As the kernel would do it.
  static ipvs::MaglevTable table(const std::vector<bool>& available) {
    std::vector<ipvs::MaglevServer> servers;
    for (std::size_t i = 0; i < available.size(); ++i) {
      servers.push_back({endpoint("192.0.2.10" + std::to_string(i + 1) + ":80"), 1, available[i]});
    }
    return {Family::v4, servers, kSlots};
  }

  std::optional<ipvs::Connection> held;
};

TEST_F(FlowLookup, AgreesWithTheTable) {
  const auto life = servingLife();
  const auto expected = table({true, true, true});
  const auto flags = ipvs::ServiceConfig{}.flags;
  for (unsigned i = 0; i < 300; ++i) {
    const auto client = endpoint(clientAt(i));
    const auto found = ask(*life, clientAt(i));
    EXPECT_EQ(found.server, expected.serverFor(client, flags)->str());
    EXPECT_EQ(found.owner, found.server);
    EXPECT_FALSE(found.fallback);
    ASSERT_LT(found.slot, kSlots);
    EXPECT_EQ(expected.servers()[expected.slots()[found.slot]].address.str(), found.server);
  }
  const auto one = ask(*life, clientAt(1));
  EXPECT_EQ(one.service, web.str());
  EXPECT_EQ(one.name, "web");
  EXPECT_EQ(one.slots, kSlots);
  EXPECT_EQ(one.serverName, one.ownerName);
  EXPECT_THAT(one.text, HasSubstr(one.serverName + " (" + one.server + ")"));
}

TEST_F(FlowLookup, AnOwnerThatIsOutHasAFallback) {
  const auto life = servingLife();
  failServer(*life, "192.0.2.102:80");
  const auto expected = table({true, false, true});
  unsigned fallbacks = 0;
  for (unsigned i = 0; i < 300; ++i) {
    const auto found = ask(*life, clientAt(i));
    EXPECT_EQ(found.server,
              expected.serverFor(endpoint(clientAt(i)), ipvs::ServiceConfig{}.flags)->str());
    EXPECT_EQ(found.fallback, found.owner == "192.0.2.102:80");
    if (!found.fallback) continue;
    ++fallbacks;
    EXPECT_THAT(found.text, HasSubstr("takes no new connections"));
  }
  EXPECT_GT(fallbacks, 0U);
}

TEST_F(FlowLookup, WithoutAServerItIsRefused) {
  const auto life = servingLife();
  for (const auto* target : {"192.0.2.101:80", "192.0.2.102:80", "192.0.2.103:80"}) {
    life->now += Millis(60000);
    failServer(*life, target);
  }
  const auto found = ask(*life, clientAt(1));
  EXPECT_EQ(found.server, "");
  EXPECT_FALSE(found.fallback);
  EXPECT_THAT(found.text, HasSubstr("refused"));
}

TEST_F(FlowLookup, AHeldFlowStaysWhereItIs) {
  const auto life = servingLife();
  held = ipvs::Connection{{}, endpoint("192.0.2.103:80"), "ESTABLISHED", 100};
  const auto found = ask(*life, clientAt(1));
  EXPECT_EQ(found.held, "192.0.2.103:80");
  EXPECT_EQ(found.heldName, "lb7-3");
  EXPECT_EQ(found.heldState, "ESTABLISHED");
  EXPECT_THAT(found.text, HasSubstr("its packets go to lb7-3"));
}

TEST_F(FlowLookup, ItSaysSoIfNoServiceTakesIt) {
  const auto life = servingLife();
  for (const auto* vip : {"198.51.100.1:81", "198.51.100.2:80"}) {
    const auto found = ask(*life, clientAt(1), vip);
    EXPECT_EQ(found.service, "");
    EXPECT_EQ(found.server, "");
    EXPECT_THAT(found.text, HasSubstr(std::string("No IPVS service takes tcp ") + vip));
  }
}

TEST_F(FlowLookup, AnAddressOfARange) {
  const auto life = servingLife(with(site(), "[198.51.100.1]", "[198.51.100.0/29]"));
  const auto found = ask(*life, clientAt(1), "198.51.100.5:80");
  EXPECT_EQ(found.service, "tcp 198.51.100.5:80");
  EXPECT_EQ(found.name, "web");
  EXPECT_NE(found.server, "");
}

TEST_F(FlowLookup, AServiceOfAMarkTakesItsVipsAndPorts) {
  auto yaml = with(site(), "ports: [80], pool: edge }", "ports: [80, 443], mark: 7, pool: edge }");
  yaml = with(yaml, "[198.51.100.1]", "[198.51.100.0/29]");
  const auto life = servingLife(yaml);
  const auto found = ask(*life, clientAt(1), "198.51.100.3:443");
  EXPECT_EQ(found.service, "mark 7 IPv4");
  EXPECT_EQ(found.name, "web");
  EXPECT_NE(found.serverName, "");
  held = ipvs::Connection{{}, endpoint("192.0.2.103:443"), "ESTABLISHED", 100};
  EXPECT_EQ(ask(*life, clientAt(1), "198.51.100.3:443").heldName, "lb7-3");
  held.reset();
  EXPECT_EQ(ask(*life, clientAt(1), "198.51.100.3:8080").service, "");
  EXPECT_EQ(ask(*life, clientAt(1), "198.51.100.9:443").service, "");
}

TEST_F(FlowLookup, OtherSchedulersHaveNoTable) {
  const auto life = servingLife(with(site(), "pool: edge }", "pool: edge, scheduler: wrr }"));
  const auto found = ask(*life, clientAt(1));
  EXPECT_EQ(found.service, web.str());
  EXPECT_EQ(found.server, "");
  EXPECT_THAT(found.text, HasSubstr("wrr has no table"));
}

TEST_F(FlowLookup, APersistentServiceSaysThatItIs) {
  const auto life =
      servingLife(with(site(), "pool: edge }", "pool: edge, persistence: { timeout: 300s } }"));
  EXPECT_THAT(ask(*life, clientAt(1)).text, HasSubstr("persistent"));
}

TEST_F(FlowLookup, ATableOfUnknownSizeIsNotGuessed) {
  const auto life = servingLife();
  const auto found = ask(*life, clientAt(1), "198.51.100.1:80", 0);
  EXPECT_EQ(found.server, "");
  EXPECT_THAT(found.text, HasSubstr("not known"));
}

}  // namespace
}  // namespace l4ward::agent
