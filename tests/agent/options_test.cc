#include "agent/options.h"

#include <gtest/gtest.h>

namespace l4ward::agent {
namespace {

TEST(Options, Defaults) {
  const auto options = parseOptions({});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->action, Options::Action::run);
  EXPECT_EQ(options->config, "/etc/l4ward/site.yaml");
  EXPECT_EQ(options->runDir, "/run/l4ward");
  EXPECT_EQ(options->stateDir, "/var/lib/l4ward");
  EXPECT_FALSE(options->exabgpService);
}

TEST(Options, AllOfThem) {
  const auto options =
      parseOptions({"--config", "a.yaml", "--check", "--run-dir=/tmp/x", "--state-dir", "/tmp/y",
                    "--log-level", "debug", "--exabgp-service"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->action, Options::Action::check);
  EXPECT_EQ(options->config, "a.yaml");
  EXPECT_EQ(options->runDir, "/tmp/x");
  EXPECT_EQ(options->stateDir, "/tmp/y");
  EXPECT_EQ(options->logLevel, log::Level::debug);
  EXPECT_TRUE(options->exabgpService);
}

TEST(Options, AnAgentThatObservesRuns) {
  const auto options = parseOptions({"--observe"});
  ASSERT_TRUE(options);
  EXPECT_TRUE(options->observe);
  EXPECT_EQ(options->action, Options::Action::run);
  EXPECT_FALSE(parseOptions({})->observe);
}

TEST(Options, EachNetworkNamespaceHasItsDirectories) {
  const auto options = parseOptions({"--netns", "blue"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->netns, "blue");
  EXPECT_EQ(options->runDir, "/run/l4ward/blue");
  EXPECT_EQ(parseOptions({"--netns", "blue", "--run-dir", "/tmp/x"})->runDir, "/tmp/x");
  EXPECT_EQ(options->stateDir, "/var/lib/l4ward/blue");
  EXPECT_EQ(parseOptions({"--netns", "blue", "--state-dir", "/tmp/y"})->stateDir, "/tmp/y");
  EXPECT_EQ(parseOptions({})->netns, "");
  for (const char* name : {"", ".", "..", "a/b", "/run/netns/blue"}) {
    const auto refused = parseOptions({"--netns", name});
    ASSERT_FALSE(refused) << name;
    EXPECT_NE(refused.error().message.find("--netns"), std::string::npos);
  }
}

TEST(Options, MistakesAreNamed) {
  const auto errorOf = [](const std::vector<std::string>& arguments) {
    const auto options = parseOptions(arguments);
    return options ? std::string("none") : options.error().message;
  };
  EXPECT_NE(errorOf({"--chekc"}).find("--chekc"), std::string::npos);
  EXPECT_NE(errorOf({"site.yaml"}), "none");
  EXPECT_NE(errorOf({"--config"}).find("--config"), std::string::npos);
  EXPECT_NE(errorOf({"--con", "x"}), "none");
  EXPECT_NE(errorOf({"--log-level", "loud"}).find("'loud'"), std::string::npos);
  EXPECT_NE(errorOf({"--run-dir", "x"}).find("absolute"), std::string::npos);
  EXPECT_NE(errorOf({"--state-dir", ""}).find("--state-dir: found ''"), std::string::npos);
  EXPECT_NE(errorOf({"--check", "--check"}), "none");
}

TEST(Options, HelpNamesEveryAction) {
  for (const char* text : {"--config", "--check", "--print-exabgp-config", "--remove", "--netns",
                           "--state-dir", "SIGHUP", "Exit status"}) {
    EXPECT_NE(helpText().find(text), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace l4ward::agent
