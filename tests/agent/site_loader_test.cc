#include "agent/site_loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "config/servers_from.h"
#include "tests/base/temporary_folder.h"

namespace l4ward::agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
namespace fs = std::filesystem;

class SiteLoaderTest : public testing::Test, protected TemporaryFolder {
 protected:
  SiteLoaderTest() {
    writeSite();
    write("a.yaml", "[192.0.2.1]");
    write("b.yaml", "[192.0.2.21]");
  }
  void writeSite(const std::string& more = "", const std::string& ofA = "") const {
    write("site.yaml", "pools:\n  a: { check: none, servers_from: a.yaml" + ofA +
                           " }\n  b: { check: none, servers_from: b.yaml }\n"
                           "  c: { check: none, servers: [192.0.2.41] }\n"
                           "services:\n  web: { vips: [198.51.100.1], ports: [80], pool: a }\n" +
                           more);
  }
  SiteLoader loader(const std::string& state = "state") const {
    return {path("site.yaml"), state.empty() ? "" : path(state), "node-1"};
  }
  // As an agent that starts.
  static std::optional<config::Site> start(SiteLoader& loader) {
    const auto site = loader.load();
    if (!site) return std::nullopt;
    loader.accept(*site);
    return *site;
  }
  // As an agent whose files have changed. What it has then, or nothing if that is as before.
  static std::optional<config::Site> refresh(SiteLoader& loader) {
    auto site = loader.refresh();
    if (site) loader.accept(*site);
    return site;
  }
  static std::vector<std::string> names(const std::optional<config::Site>& site,
                                        const std::string& pool) {
    std::vector<std::string> out;
    if (!site) return {"no site"};
    for (const auto& server : site->pools.at(pool).servers) out.push_back(server.name);
    return out;
  }
  std::string copyOf(const std::string& pool) const {
    return readFile(path("state/pools/" + pool + ".yaml"), 10000).value_or("none");
  }
};

TEST_F(SiteLoaderTest, HasTheServersOfTheFiles) {
  auto files = loader();
  const auto site = start(files);
  EXPECT_THAT(names(site, "a"), ElementsAre("192.0.2.1"));
  EXPECT_THAT(names(site, "b"), ElementsAre("192.0.2.21"));
  EXPECT_THAT(names(site, "c"), ElementsAre("192.0.2.41"));
  EXPECT_THAT(files.paths(), ElementsAre(path("a.yaml"), path("b.yaml")));
  EXPECT_EQ(refresh(files), std::nullopt);
}

TEST_F(SiteLoaderTest, TakesAFileThatWasReplaced) {
  auto files = loader();
  start(files);
  write("a.yaml", "[192.0.2.1, 192.0.2.2]");
  const auto site = refresh(files);
  EXPECT_THAT(names(site, "a"), ElementsAre("192.0.2.1", "192.0.2.2"));
  EXPECT_THAT(names(site, "b"), ElementsAre("192.0.2.21"));
  EXPECT_EQ(refresh(files), std::nullopt);
}

TEST_F(SiteLoaderTest, AFileThatSaysTheSameIsNoChange) {
  auto files = loader();
  start(files);
  write("a.yaml", "# once more\n- 192.0.2.1\n");
  EXPECT_EQ(refresh(files), std::nullopt);
  EXPECT_THAT(files.stale(), IsEmpty());
}

// The site file in force counts, not what somebody is just writing.
TEST_F(SiteLoaderTest, OnlyServersChangeOnTheirOwn) {
  auto files = loader();
  start(files);
  writeSite("drain_limit: 7s\n");
  write("a.yaml", "[192.0.2.2]");
  const auto site = refresh(files);
  EXPECT_THAT(names(site, "a"), ElementsAre("192.0.2.2"));
  EXPECT_EQ(site->drainLimit, config::Site().drainLimit);
}

struct Garbage {
  const char* text;
  const char* problem;
};

void PrintTo(const Garbage& garbage, std::ostream* out) {
  *out << garbage.text;
}

class Wrong : public SiteLoaderTest, public testing::WithParamInterface<Garbage> {};

TEST_P(Wrong, KeepsThePoolsServersAndLetsOthersGoOn) {
  auto files = loader();
  start(files);
  write("a.yaml", GetParam().text);
  EXPECT_EQ(refresh(files), std::nullopt);
  EXPECT_THAT(files.stale(), ElementsAre(Pair("a", HasSubstr(GetParam().problem))));
  write("b.yaml", "[192.0.2.22]");
  const auto site = refresh(files);
  EXPECT_THAT(names(site, "a"), ElementsAre("192.0.2.1"));
  EXPECT_THAT(names(site, "b"), ElementsAre("192.0.2.22"));
  EXPECT_THAT(copyOf("a"), HasSubstr("192.0.2.1"));
  write("a.yaml", "[192.0.2.3]");
  EXPECT_THAT(names(refresh(files), "a"), ElementsAre("192.0.2.3"));
  EXPECT_THAT(files.stale(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(SiteLoader, Wrong,
                         testing::Values(Garbage{"[192.0.2", "a.yaml:"},
                                         Garbage{"", "an empty file"}, Garbage{"[]", "0 servers"},
                                         Garbage{"\x01\xff", "a.yaml:"},
                                         Garbage{"- {name: x}", "no such key"},
                                         Garbage{"[192.0.2.1, 192.0.2.1]", "a second time"},
                                         // Right by itself, and wrong in this site.
                                         Garbage{"[198.51.100.1]", "services.web.vips[0]"}));

TEST_F(SiteLoaderTest, ADeletedFileChangesNothing) {
  auto files = loader();
  start(files);
  fs::remove(path("a.yaml"));
  EXPECT_EQ(refresh(files), std::nullopt);
  EXPECT_THAT(files.stale(), ElementsAre(Pair("a", HasSubstr("No such file"))));
  write("a.yaml", "[192.0.2.1]");
  EXPECT_EQ(refresh(files), std::nullopt);
  EXPECT_THAT(files.stale(), IsEmpty());
}

TEST_F(SiteLoaderTest, TwoPoolsMayBeWrongAtOnce) {
  auto files = loader();
  start(files);
  write("a.yaml", "[198.51.100.1]");
  write("b.yaml", "nonsense");
  EXPECT_EQ(refresh(files), std::nullopt);
  EXPECT_EQ(files.stale().size(), 2U);
}

TEST_F(SiteLoaderTest, AReloadTakesTheSiteFileAndKeepsServersOfABadOne) {
  auto files = loader();
  start(files);
  write("a.yaml", "nonsense");
  writeSite("drain_limit: 7s\n");
  const auto site = start(files);
  EXPECT_THAT(names(site, "a"), ElementsAre("192.0.2.1"));
  ASSERT_TRUE(site);
  EXPECT_EQ(site->drainLimit, Millis(7000));
}

TEST_F(SiteLoaderTest, ABadSiteFileIsRefusedWithItsOwnMistakesOnly) {
  auto files = loader();
  start(files);
  writeSite("drain_limit: soon\n");
  write("b.yaml", "[192.0.2.22]");
  const auto site = files.load();
  ASSERT_FALSE(site);
  ASSERT_EQ(site.error().size(), 1U);
  EXPECT_EQ(site.error()[0].path, "drain_limit");
  EXPECT_THAT(names(refresh(files), "b"), ElementsAre("192.0.2.22"));
}

// Else what the reload has not taken would never be taken.
TEST_F(SiteLoaderTest, AReloadThatIsNotAcceptedHidesNoChange) {
  auto files = loader();
  start(files);
  write("a.yaml", "[192.0.2.2]");
  ASSERT_TRUE(files.load());
  EXPECT_THAT(names(refresh(files), "a"), ElementsAre("192.0.2.2"));
}

TEST_F(SiteLoaderTest, AStartWithABadFileTakesTheCopy) {
  {
    auto files = loader();
    start(files);
    write("a.yaml", "[{ name: x, address: [192.0.2.7, \"2001:db8::7\"], weight: 9 }]");
    refresh(files);
  }
  write("a.yaml", "nonsense");
  fs::remove(path("b.yaml"));
  auto files = loader();
  const auto site = start(files);
  EXPECT_THAT(names(site, "a"), ElementsAre("x"));
  ASSERT_TRUE(site);
  EXPECT_EQ(site->pools.at("a").servers[0].weight, 9U);
  EXPECT_EQ(site->pools.at("a").servers[0].addresses.size(), 2U);
  EXPECT_THAT(names(site, "b"), ElementsAre("192.0.2.21"));
  EXPECT_EQ(files.stale().size(), 2U);
  write("a.yaml", "[192.0.2.1]");
  EXPECT_THAT(names(refresh(files), "a"), ElementsAre("192.0.2.1"));
}

TEST_F(SiteLoaderTest, AStartWithNothingToFallBackToIsAnError) {
  write("a.yaml", "[192.0.2]");
  for (const std::string state : {"state", ""}) {
    auto files = loader(state);
    const auto site = files.load();
    ASSERT_FALSE(site);
    ASSERT_EQ(site.error().size(), 1U);
    EXPECT_THAT(site.error()[0].str(), HasSubstr("a.yaml:1:2: pools.a.servers_from[0]"));
  }
}

TEST_F(SiteLoaderTest, ABadCopyIsAsNone) {
  write("a.yaml", "[192.0.2]");
  write("state/pools/a.yaml", "nonsense");
  auto files = loader();
  const auto site = files.load();
  ASSERT_FALSE(site);
  EXPECT_EQ(site.error()[0].file, path("a.yaml"));
}

TEST_F(SiteLoaderTest, CopiesOfPoolsThatAreGoneGo) {
  auto files = loader();
  start(files);
  EXPECT_NE(copyOf("b"), "none");
  write("state/pools/old.yaml", "[192.0.2.99]");
  write("site.yaml", "pools:\n  a: { check: none, servers_from: a.yaml }\nservices: {}\n");
  start(files);
  EXPECT_NE(copyOf("a"), "none");
  EXPECT_EQ(copyOf("b"), "none");
  EXPECT_EQ(copyOf("old"), "none");
}

TEST_F(SiteLoaderTest, APoolThatIsAllowedToBeEmptyMay) {
  writeSite("", ", servers_from_min: 0");
  auto files = loader();
  start(files);
  write("a.yaml", "[]");
  EXPECT_THAT(names(refresh(files), "a"), IsEmpty());
  fs::remove(path("a.yaml"));
  auto later = loader();
  EXPECT_THAT(names(start(later), "a"), IsEmpty());
}

TEST_F(SiteLoaderTest, WorksWithoutAPlaceForCopies) {
  write("state", "a file where the directory should be");
  for (const std::string state : {"state", ""}) {
    write("a.yaml", "[192.0.2.1]");
    auto files = loader(state);
    start(files);
    write("a.yaml", "[192.0.2.2]");
    EXPECT_THAT(names(refresh(files), "a"), ElementsAre("192.0.2.2"));
    write("a.yaml", "[]");
    EXPECT_EQ(refresh(files), std::nullopt);
  }
}

}  // namespace
}  // namespace l4ward::agent
