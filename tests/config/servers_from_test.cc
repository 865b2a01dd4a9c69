// servers_from: servers of a pool that stand in other files.
#include "config/servers_from.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "site_text.h"
#include "tests/base/temporary_folder.h"

namespace l4ward::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::string siteText(const std::string& more = "") {
  return "pools:\n  edge: { check: none, servers_from: edge.yaml" + more +
         " }\nservices:\n  web: { vips: [198.51.100.1], ports: [80], pool: edge }\n";
}

Checked<Site> load(const std::string& site, const std::vector<ServersFile>& files) {
  return loadSite(site, "f", "host", [&](const Pool& pool) {
    EXPECT_EQ(pool.name, "edge");
    EXPECT_EQ(pool.serversFrom, "edge.yaml");
    return files;
  });
}

std::vector<std::string> names(const Checked<Site>& site) {
  std::vector<std::string> out;
  if (!site) {
    ADD_FAILURE() << site.error()[0].str();
    return out;
  }
  for (const auto& server : site->pools.at("edge").servers) out.push_back(server.name);
  return out;
}

std::vector<std::string> errors(const Checked<Site>& site) {
  std::vector<std::string> lines;
  if (site) return lines;
  for (const auto& diagnostic : site.error()) lines.push_back(diagnostic.str());
  return lines;
}

TEST(ServersFrom, AListOrAMapWithIt) {
  const std::string list = "- { name: a, address: 192.0.2.1, weight: 3 }\n- 192.0.2.2\n";
  const auto site = load(siteText(", thresholds: { upper: 7 }"), {{"edge.yaml", list}});
  EXPECT_THAT(names(site), ElementsAre("a", "192.0.2.2"));
  const auto& servers = site->pools.at("edge").servers;
  EXPECT_EQ(servers[0].weight, 3U);
  EXPECT_EQ(servers[1].thresholds, (Thresholds{7, 0}));
  EXPECT_EQ(site->pools.at("edge").serversFrom, "edge.yaml");
  EXPECT_THAT(names(load(siteText(), {{"m", "servers:\n  - 192.0.2.1\n"}})),
              ElementsAre("192.0.2.1"));
}

TEST(ServersFrom, FilesAreJoinedInTheirOrder) {
  EXPECT_THAT(names(load(siteText(), {{"b", "[192.0.2.2]"}, {"a", "[192.0.2.1]"}, {"c", "[]"}})),
              ElementsAre("192.0.2.2", "192.0.2.1"));
}

TEST(ServersFrom, MistakesNameTheirFile) {
  EXPECT_THAT(
      errors(load(siteText(), {{"a.yaml", "- 192.0.2.1\n- { name: x, addres: 1.2.3.4 }\n"},
                               {"b.yaml", "- 192.0.2.1\n- 192.0.2\n"}})),
      ElementsAre(StartsWith("a.yaml:2:3: pools.edge.servers_from[1].address: found no such key"),
                  StartsWith("a.yaml:2:14: pools.edge.servers_from[1].addres: found the key"),
                  "b.yaml:1:3: pools.edge.servers_from[0]: found server '192.0.2.1' a second time, "
                  "expected each name once a pool (a.yaml:1 has it too)",
                  "b.yaml:1:3: pools.edge.servers_from[0]: found address 192.0.2.1, which server "
                  "'192.0.2.1' has too (a.yaml:1), expected each address once a pool",
                  StartsWith("b.yaml:2:3: pools.edge.servers_from[1]: found '192.0.2'")));
}

TEST(ServersFrom, WhatIsNoListOfServers) {
  const auto errorOf = [](const std::string& text) {
    return errors(load(siteText(), {{"a.yaml", text}}));
  };
  EXPECT_THAT(errorOf("a: [b\n"),
              ElementsAre(StartsWith("a.yaml:1:4: pools.edge.servers_from: found a '['")));
  EXPECT_THAT(
      errorOf(""),
      ElementsAre(HasSubstr("found an empty file, expected a list of servers; [] for none")));
  EXPECT_THAT(errorOf("server: []"),
              Contains(HasSubstr("servers_from.servers: found no such key")));
  EXPECT_THAT(errorOf("word"), ElementsAre(HasSubstr("found 'word', expected a map")));
}

TEST(ServersFrom, MistakesOfTheSiteFileComeFirst) {
  const auto text = siteText() + "node: a b\n";
  EXPECT_THAT(errors(load(text, {{"a.yaml", "- 1.2.3\n"}})),
              ElementsAre(StartsWith("f:5:7: node: "), StartsWith("a.yaml:1:3: ")));
}

TEST(ServersFrom, TheLeastNumberOfServers) {
  EXPECT_THAT(errors(load(siteText(), {{"a.yaml", "[]"}})),
              ElementsAre("f:2:38: pools.edge.servers_from: found 0 servers, expected 1 to 4093 "
                          "servers (servers_from_min)"));
  EXPECT_THAT(errors(load(siteText(", servers_from_min: 2"), {{"a.yaml", "[192.0.2.1]"}})),
              ElementsAre(HasSubstr("found 1 servers, expected 2 to 4093 servers")));
  EXPECT_THAT(names(load(siteText(", servers_from_min: 0"), {{"a.yaml", "[]"}})), IsEmpty());
  EXPECT_THAT(names(load(siteText(", servers_from_min: 0"), {})), IsEmpty());
}

TEST(ServersFrom, NotMoreThanAPoolMayHave) {
  std::string half;
  for (int i = 0; i < 2100; ++i) {
    half += "- 10.0." + std::to_string(i / 200) + "." + std::to_string(i % 200 + 1) + "\n";
  }
  std::string other = half;
  for (auto at = other.find("10.0."); at != other.npos; at = other.find("10.0.", at + 5)) {
    other.replace(at, 5, "10.1.");
  }
  EXPECT_EQ(names(load(siteText(), {{"a", half}})).size(), 2100U);
  EXPECT_THAT(errors(load(siteText(), {{"a", half}, {"b", other}})),
              ElementsAre(HasSubstr("found 4200 servers, expected 1 to 4093")));
}

// The number of servers changes after the site file was read.
TEST(ServersFrom, AQuorumMayBeMoreThanThereIs) {
  auto text = siteText();
  text.insert(text.rfind(" }"), ", quorum: 3");
  EXPECT_THAT(names(load(text, {{"a", "[192.0.2.1]"}})), ElementsAre("192.0.2.1"));
}

TEST(ServersFrom, WhatHoldsForServersHoldsForThese) {
  EXPECT_THAT(errors(load(siteText(), {{"a", "[198.51.100.1]"}})),
              ElementsAre(HasSubstr("services.web.vips[0]: found 198.51.100.1")));
}

TEST(ServersFrom, KeysOfThePool) {
  const auto errorOf = [](const std::string& pool) {
    return errors(loadSite("pools: { edge: { check: none" + pool + " } }\nservices: {}\n", "f",
                           "host", [](const Pool&) { return std::vector<ServersFile>(); }));
  };
  EXPECT_THAT(errorOf(", servers: [192.0.2.1], servers_from: a"),
              ElementsAre(HasSubstr("servers_from: found it beside `servers`, expected one of")));
  EXPECT_THAT(errorOf(""), ElementsAre(HasSubstr("servers: found no such key, expected a list of "
                                                 "servers, or `servers_from`")));
  EXPECT_THAT(errorOf(", servers_from: a b"), ElementsAre(HasSubstr("servers_from: found 'a b'")));
  EXPECT_THAT(errorOf(", servers_from: [a]"), ElementsAre(HasSubstr("servers_from: found a list")));
  EXPECT_THAT(errorOf(", servers_from: a, servers_from_min: 4094"),
              ElementsAre(HasSubstr("found 0 servers"), HasSubstr("from 0 to 4093")));
  EXPECT_THAT(errorOf(", servers: [192.0.2.1], servers_from_min: 1"),
              ElementsAre(HasSubstr("servers_from_min: found a least number without")));
}

TEST(ServersFrom, IsAMistakeWhereNothingCanBeRead) {
  EXPECT_THAT(errorsOf(siteText()),
              ElementsAre(HasSubstr("pools.edge.servers_from: found nothing to read")));
}

TEST(ServersText, ReadsAsTheSameServers) {
  const std::string text = R"(- { name: "007", address: [192.0.2.1, "2001:db8::1"], weight: 5 }
- { name: "null", address: "2001:db8::2", thresholds: { upper: 9, lower: 4 } }
- { name: a.b_c-d, address: 192.0.2.2, thresholds: { upper: 2147483647 } }
- 192.0.2.3
- "2001:db8::3"
)";
  const auto servers = load(siteText(), {{"a", text}})->pools.at("edge").servers;
  ASSERT_EQ(servers.size(), 5U);
  EXPECT_EQ(load(siteText(), {{"a", serversText(servers)}})->pools.at("edge").servers, servers);
  EXPECT_EQ(serversText({}), "[]\n");
}

class ServersFiles : public testing::Test, protected TemporaryFolder {
 protected:
  ServersFiles() {
    write("site.yaml", "pools:\n  edge: { check: none, servers_from: pools.d }\nservices: {}\n");
  }
  Checked<Site> loadIt() const { return loadSiteFile(path("site.yaml")); }
};

TEST_F(ServersFiles, AFileBesideTheSiteFile) {
  write("pools.d", "[192.0.2.1]");
  EXPECT_THAT(names(loadIt()), ElementsAre("192.0.2.1"));
}

TEST_F(ServersFiles, TheYamlFilesOfADirectoryByName) {
  write("pools.d/20.yaml", "[192.0.2.20]");
  write("pools.d/100.yaml", "[192.0.2.100]");
  write("pools.d/3.yml", "[192.0.2.3]");
  write("pools.d/.4.yaml", "[192.0.2.4]");
  write("pools.d/5.yaml.new", "[192.0.2.5]");
  write("pools.d/6.yaml/deeper.yaml", "[192.0.2.6]");
  EXPECT_THAT(names(loadIt()), ElementsAre("192.0.2.100", "192.0.2.20"));
}

// As Kubernetes puts a ConfigMap there.
TEST_F(ServersFiles, ADirectoryOfLinks) {
  write("pools.d/..1/edge.yaml", "[192.0.2.1]");
  std::filesystem::create_symlink("..1", path("pools.d/..data"));
  std::filesystem::create_symlink("..data/edge.yaml", path("pools.d/edge.yaml"));
  EXPECT_THAT(names(loadIt()), ElementsAre("192.0.2.1"));
}

TEST_F(ServersFiles, WhatCannotBeRead) {
  const auto error = [&] { return errors(loadIt()); };
  EXPECT_THAT(error(), ElementsAre(HasSubstr("No such file or directory")));
  ASSERT_EQ(::mkfifo(path("pools.d").c_str(), 0600), 0);  // to open it would take for ever
  EXPECT_THAT(error(), ElementsAre(HasSubstr("is not a regular file")));
  std::filesystem::remove(path("pools.d"));
  std::filesystem::create_directory(path("pools.d"));
  EXPECT_THAT(error(), ElementsAre(HasSubstr("found 0 servers")));
}

TEST_F(ServersFiles, AllFilesTogetherAreBounded) {
  write("pools.d/a.yaml", "[192.0.2.1]" + std::string((2U << 20), '#'));
  write("pools.d/b.yaml", "[192.0.2.2] " + std::string((2U << 20) + 100, '#'));
  EXPECT_THAT(errors(loadIt()), ElementsAre(HasSubstr("b.yaml is larger than")));
}

TEST(ServersFrom, WhereAPathLeads) {
  EXPECT_EQ(pathBeside("/etc/l4ward/site.yaml", "pools.d/a.yaml"), "/etc/l4ward/pools.d/a.yaml");
  EXPECT_EQ(pathBeside("site.yaml", "a.yaml"), "a.yaml");
  EXPECT_EQ(pathBeside("/etc/l4ward/site.yaml", "/srv/a.yaml"), "/srv/a.yaml");
}

}  // namespace
}  // namespace l4ward::config
