// The model against what a Linux kernel decided: maglev_golden.txt, whose first lines describe it.
#include <gmock/gmock.h>

#include <fstream>
#include <set>
#include <sstream>

#include "ipvs/maglev.h"
#include "tests/ipvs/tables.h"

namespace l4ward::ipvs {
namespace {

struct GoldenFlow {
  Endpoint client;
  std::optional<std::uint32_t> server;
};

struct GoldenTable {
  Family family = Family::v4;
  std::uint32_t flags = 0;
  std::size_t size = 0;
  std::vector<MaglevServer> servers;
  std::vector<GoldenFlow> flows;
};

std::vector<GoldenTable> readGolden() {
  std::vector<GoldenTable> tables;
  std::ifstream file(L4WARD_SOURCE_DIR "/tests/ipvs/maglev_golden.txt");
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    std::string kind, first, second;
    fields >> kind >> first;
    if (kind == "table") {
      auto& table = tables.emplace_back();
      table.family = first == toString(Family::v4) ? Family::v4 : Family::v6;
      fields >> table.flags >> table.size;
    } else if (kind == "server") {
      std::uint32_t last = 0, weight = 0;
      fields >> last >> weight;
      tables.back().servers.push_back({endpoint(first), last, weight != 0});
    } else if (kind == "flow") {
      fields >> second;
      auto& flow = tables.back().flows.emplace_back();
      flow.client = endpoint(first);
      if (second != "-") flow.server = static_cast<std::uint32_t>(std::stoul(second));
    }
  }
  return tables;
}

TEST(MaglevGolden, EveryDecisionIsTheKernels) {
  for (const auto& golden : readGolden()) {
    SCOPED_TRACE(std::string(toString(golden.family)) + ", " + std::to_string(golden.flags) +
                 ", servers: " + std::to_string(golden.servers.size()));
    const MaglevTable table(golden.family, golden.servers, golden.size);
    ASSERT_THAT(golden.flows, testing::SizeIs(150));
    for (const auto& [client, server] : golden.flows) {
      ASSERT_EQ(table.indexFor(client, golden.flags), server) << client.str();
    }
  }
}

TEST(MaglevGolden, HasEveryKind) {
  std::set<std::pair<Family, std::uint32_t>> kinds;
  unsigned refused = 0, elsewhere = 0, unequal = 0;
  for (const auto& golden : readGolden()) {
    kinds.emplace(golden.family, golden.flags);
    for (const auto& [client, server] : golden.flows) refused += !server;
    for (const auto& server : golden.servers) {
      elsewhere += server.address.address.family() != golden.family;
      unequal += server.lastWeight > 1;
    }
  }
  EXPECT_EQ(kinds.size(), 8U);
  EXPECT_GT(refused, 100U);
  EXPECT_GT(elsewhere, 5U);
  EXPECT_GT(unequal, 20U);
}

}  // namespace
}  // namespace l4ward::ipvs
