#include "control/ctl/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/ctl/answers.h"
#include "control/ctl/command_table.h"

namespace l4ward::ctl {
namespace {

using control::Subject;
using ::testing::HasSubstr;
using Arguments = std::vector<std::string>;

CommandLine parsed(const Arguments& arguments) {
  const auto line = parseCommandLine(arguments);
  EXPECT_TRUE(line) << line.error().message;
  return line.value_or(CommandLine{});
}

TEST(CommandLine, Defaults) {
  const auto line = parsed({"status"});
  EXPECT_EQ(line.command, "status");
  EXPECT_EQ(line.socket, "/run/l4ward/control.sock");
  EXPECT_FALSE(line.json);
  EXPECT_EQ(line.colour, When::automatic);
}

TEST(CommandLine, OptionsOfAllCommandsStandAnywhere) {
  for (const auto& arguments :
       {Arguments{"--json", "--netns", "blue", "--color=never", "servers", "--pool", "edge"},
        Arguments{"servers", "--pool", "edge", "--json", "--netns", "blue", "--color", "never"}}) {
    const auto line = parsed(arguments);
    EXPECT_EQ(line.command, "servers");
    EXPECT_EQ(line.pool, "edge");
    EXPECT_TRUE(line.json);
    EXPECT_EQ(line.socket, "/run/l4ward/blue/control.sock");
    EXPECT_EQ(line.colour, When::never);
  }
}

TEST(CommandLine, Drain) {
  const auto line = parsed({"drain", "server", "edge/lb7-1", "--for", "30m", "--reason",
                            "kernel update", "--force", "--wait", "--limit", "5m"});
  EXPECT_EQ(line.subject, (Subject{Subject::Kind::server, "lb7-1", "edge"}));
  EXPECT_EQ(line.forTime, Millis{1'800'000});
  EXPECT_EQ(line.reason, "kernel update");
  EXPECT_TRUE(line.force);
  EXPECT_TRUE(line.wait);
  EXPECT_EQ(line.limit, Millis{300'000});
  EXPECT_EQ(parsed({"disable", "vip", "2001:db8::0001"}).subject.name, "2001:db8::1");
  EXPECT_EQ(parsed({"enable", "node"}).subject, Subject{});
  EXPECT_EQ(parsed({"drain", "service web"}).subject.name, "web") << "quoted, as it is shown";
}

TEST(CommandLine, Lookup) {
  const auto line = parsed({"lookup", "[2001:db8::9]:40000", "[2001:db8::1]:443"});
  EXPECT_EQ(line.client.str(), "[2001:db8::9]:40000");
  EXPECT_EQ(line.vip.port, 443);
  EXPECT_EQ(line.protocol, "tcp");
}

TEST(CommandLine, StandardInputAsAPlan) {
  EXPECT_EQ(parsed({"plan", "-"}).arguments, Arguments{"-"});
}

TEST(CommandLine, MistakesSayWhatWasMeant) {
  struct Case {
    Arguments arguments;
    const char* says;
  };
  const std::string longReason(201, 'x');
  for (const auto& [arguments, says] : {
           Case{{}, "a command is missing"},
           Case{{"stauts"}, "did you mean 'status'"},
           Case{{"servers", "--poool", "x"}, "did you mean '--pool'"},
           Case{{"status", "--pool", "x"}, "unknown option '--pool' of 'status'"},
           Case{{"--pool", "x", "servers"}, "'--pool' before the command"},
           Case{{"status", "now"}, "does not take 'now'"},
           Case{{"drain"}, "needs SUBJECT"},
           Case{{"drain", "lb7-1"}, "did you mean 'server lb7-1'"},
           Case{{"drain", "sever", "lb7-1"}, "did you mean 'server'"},
           Case{{"drain", "vip", "web"}, "web"},
           Case{{"drain", "node", "--for", "0s"}, "at least 1s"},
           Case{{"drain", "node", "--for", ""}, "--for"},
           Case{{"drain", "node", "--for", "soon"}, "'soon'"},
           Case{{"drain", "node", "--for", "9000h"}, "365 days"},
           Case{{"drain", "node", "--limit", "5m"}, "--wait"},
           Case{{"drain", "node", "--reason", longReason}, "at most 200"},
           Case{{"enable", "node", "--force"}, "unknown option"},
           Case{{"lookup", "203.0.113.9", "198.51.100.1:443"}, "a port, too"},
           Case{{"lookup", "203.0.113.9:1", "web"}, "VIP"},
           Case{{"lookup", "203.0.113.9:1", "198.51.100.1:443", "--protocol", "icmp"}, "sctp"},
           Case{{"events", "--last", "0"}, "1 to 100000"},
           Case{{"events", "--level", "warn"}, "--level"},
           Case{{"status", "--color", "alway"}, "did you mean 'always'"},
           Case{{"status", "--netns", "../x"}, "ip netns"},
           Case{{"status", "--netns", "x", "--socket", "/x"}, "exclude"},
           Case{{"status", "--timeout", "1ms"}, "at least"},
           Case{{"watch", "--json"}, "no JSON"},
           Case{{"status", "--socket"}, "--socket"},
       }) {
    const auto line = parseCommandLine(arguments);
    ASSERT_FALSE(line) << says;
    EXPECT_EQ(line.error().code, "usage");
    EXPECT_THAT(line.error().message, HasSubstr(says));
    EXPECT_EQ(exitOf(line.error()), 2);
    EXPECT_THAT(line.error().next, HasSubstr("l4wardctl"));
  }
}

TEST(CommandLine, ControlCharactersOfAMistakeAreNotPrinted) {
  const auto line = parseCommandLine({"\033[2J"});
  ASSERT_FALSE(line);
  EXPECT_EQ(line.error().message.find('\033'), std::string::npos);
}

TEST(CommandLine, HelpNeedsNothingElse) {
  EXPECT_TRUE(parsed({"--help"}).help);
  const auto line = parsed({"drain", "--help"});
  EXPECT_TRUE(line.help);
  EXPECT_EQ(line.command, "drain");
  EXPECT_TRUE(parsed({"--version"}).version);
}

TEST(Help, NamesAllCommandsAndTheirOptionsAndFits) {
  for (const auto& command : commands()) {
    EXPECT_EQ(helpText().find("\n  " + command.name) == std::string::npos, command.hidden);
    const auto text = helpText(command);
    for (const auto& option : command.options) EXPECT_THAT(text, HasSubstr("  --" + option));
    std::size_t begin = 0;
    for (auto end = text.find('\n'); end != text.npos; end = text.find('\n', begin)) {
      EXPECT_LE(end - begin, 100U) << text.substr(begin, end - begin);
      begin = end + 1;
    }
  }
}

TEST(ExitStatus, OfRefusals) {
  EXPECT_EQ(exitOf({"unknown-subject", "", ""}), 2);
  EXPECT_EQ(exitOf({"bad-request", "", ""}), 2);
  EXPECT_EQ(exitOf({"last-server", "", ""}), 1);
  EXPECT_EQ(exitOf({"busy", "", ""}), 1);
  EXPECT_EQ(exitOf({"no-socket", "", ""}), 3);
  EXPECT_EQ(exitOf({"bad-reply", "", ""}), 3);
}

}  // namespace
}  // namespace l4ward::ctl
