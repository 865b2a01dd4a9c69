#include "ipvs/digest.h"

#include <gmock/gmock.h>

#include <set>

#include "tests/ipvs/fake_kernel.h"
#include "tests/ipvs/tables.h"

namespace l4ward::ipvs {
namespace {

const ServiceKey kWeb = tcp("198.51.100.1:80");
constexpr auto kBoth = kFlagMhFallback | kFlagMhPort;

std::vector<MaglevServer> servers(unsigned n) {
  std::vector<MaglevServer> result;
  for (unsigned i = 1; i <= n; ++i) result.push_back({server(i)});
  return result;
}

std::string digestOf(std::vector<MaglevServer> list, std::size_t size = 4093,
                     std::uint32_t flags = kBoth) {
  return digest(MaglevTable(Family::v4, std::move(list), size), flags);
}

// Computed apart from the code, with a few lines of Python after the format in digest.h.
TEST(Digest, IsAsTheFormatSays) {
  EXPECT_EQ(digestOf({}, 4093, 0), "mh1:4093:af63bd4c8601b7df");
  EXPECT_EQ(digestOf({}, 251, kBoth), "mh1:251:af63be4c8601b992");
  // One server owns every slot.
  EXPECT_EQ(digestOf(servers(1), 4093, kFlagMhPort), "mh1:4093:847ccb8389d973b2");
  EXPECT_EQ(digestOf({{endpoint("[2001:db8::1]:8443")}}, 251, kFlagMhFallback),
            "mh1:251:c38e8bdda7f209da");
}

TEST(Digest, TellsTablesApart) {
  auto reversed = servers(20);
  std::ranges::reverse(reversed);
  auto weighted = servers(20);
  weighted[3].lastWeight = 2;
  auto otherPort = servers(20);
  otherPort[3].address.port = 81;
  const std::vector<std::string> digests{digestOf(servers(20)),
                                         digestOf(servers(19)),
                                         digestOf(reversed),
                                         digestOf(weighted),
                                         digestOf(otherPort),
                                         digestOf(servers(20), 8191),
                                         digestOf(servers(20), 4093, kFlagMhPort),
                                         digestOf(servers(20), 4093, kFlagMhFallback),
                                         digestOf(servers(20), 4093, 0)};
  EXPECT_EQ(std::set(digests.begin(), digests.end()).size(), digests.size());
}

TEST(Digest, IsTheSameWhoeverIsOut) {
  auto list = servers(20);
  list[3].available = false;
  list[9].available = false;
  EXPECT_EQ(digestOf(list), digestOf(servers(20)));
}

TEST(Digest, HeedsNoOtherFlags) {
  EXPECT_EQ(digestOf(servers(3), 4093, kBoth | kFlagPersistent | kFlagHashed | kFlagSched3),
            digestOf(servers(3)));
}

// Shares are what counts: weights that are divided to the same ones give the same table.
TEST(Digest, IsTheSameForMultiplesOfWeights) {
  auto doubled = servers(20);
  for (auto& server : doubled) server.lastWeight = 2;
  EXPECT_EQ(digestOf(doubled), digestOf(servers(20)));
}

TEST(Digest, OfAServiceAfterDifferentHistories) {
  auto wanted = pool(30);
  wanted.destinations[server(5)] = out(2);
  std::set<std::optional<std::string>> digests;
  for (std::uint32_t seed = 1; seed <= 10; ++seed) {
    RandomTables random(seed);
    FakeKernel kernel;
    for (int i = 0; i < 50; ++i) {
      const auto operation = random.operation();
      kernel.apply({&operation, 1});
    }
    Node node{kernel};
    node.program({{kWeb, wanted}});
    digests.insert(digest(kWeb, kernel.dump()->at(kWeb), node.lastWeights, 4093));
  }
  ASSERT_EQ(digests.size(), 1U);
  EXPECT_NE(*digests.begin(), std::nullopt);
}

TEST(Digest, NothingIfTheTableIsNotKnown) {
  ActualService service;
  service.destinations.push_back({.address = server(1), .path = kIpip, .weight = 0});
  EXPECT_EQ(digest(kWeb, service, {}, 4093), std::nullopt);
  EXPECT_NE(digest(kWeb, service, {{{kWeb, server(1)}, 1}}, 4093), std::nullopt);
  service.config.scheduler = "rr";
  EXPECT_EQ(digest(kWeb, service, {{{kWeb, server(1)}, 1}}, 4093), std::nullopt);
}

}  // namespace
}  // namespace l4ward::ipvs
