#include "config/words.h"

#include <gtest/gtest.h>

#include <string>

#include "config/diagnostics.h"

namespace l4ward::config {
namespace {

TEST(Words, PlainNumbers) {
  EXPECT_EQ(parsePlainNumber("0"), 0U);
  EXPECT_EQ(parsePlainNumber("4294967295"), 4294967295U);
  for (const auto* bad : {"", "4294967296", "-1", "+1", " 1", "1 ", "010", "00", "0x50", "0o17",
                          "1e3", "2.0", "1_000", "yes", "0b1", "99999999999999999999"}) {
    EXPECT_EQ(parsePlainNumber(bad), std::nullopt) << bad;
  }
}

TEST(Words, Names) {
  EXPECT_TRUE(isName("lb4-1.example_org"));
  EXPECT_TRUE(isName(std::string(64, 'a')));
  for (const auto& bad : {std::string(), std::string(65, 'a'), std::string("a b"),
                          std::string("a/b"), std::string("ä"), std::string("a\n")}) {
    EXPECT_FALSE(isName(bad)) << bad;
  }
}

TEST(Words, Interfaces) {
  EXPECT_TRUE(isInterfaceName("eth0.100"));
  EXPECT_TRUE(isInterfaceName("abcdefghijklmno"));
  for (const auto* bad : {"", ".", "..", "abcdefghijklmnop", "a/b", "a b", "a\tb", "eth0:1"}) {
    EXPECT_FALSE(isInterfaceName(bad)) << bad;
  }
}

TEST(Words, HttpTargetsCannotSmuggle) {
  EXPECT_TRUE(isHttpPath("/"));
  EXPECT_TRUE(isHttpPath("/a/b?c=%20&d=[e]"));
  for (const auto* bad : {"", "a", "/a b", "/a\r\nX: y", "/a\tb", "/é", "/a#b", "*", "http://a/"}) {
    EXPECT_FALSE(isHttpPath(bad)) << bad;
  }
  EXPECT_FALSE(isHttpPath("/" + std::string(1024, 'a')));
  EXPECT_TRUE(isHost("www.example.org:8080"));
  EXPECT_TRUE(isHost("[2001:db8::1]:80"));
  for (const auto* bad : {"", "a b", "a\r\nX: y", "ä.example", "a/b", "a@b"}) {
    EXPECT_FALSE(isHost(bad)) << bad;
  }
}

TEST(Words, HttpMethodsAndHeadersCannotSmuggle) {
  for (const auto* good : {"GET", "OPTIONS", "PROPFIND"}) EXPECT_TRUE(isHttpMethod(good)) << good;
  for (const auto* bad : {"", "get", "GET ", "GET\r\n", "CONNECT"}) {
    EXPECT_FALSE(isHttpMethod(bad)) << bad;
  }
  EXPECT_FALSE(isHttpMethod(std::string(33, 'A')));
  EXPECT_TRUE(isHeaderValue(""));
  EXPECT_TRUE(isHeaderValue("text/html, */*;q=\"0.1\""));
  for (const auto* bad : {" a", "a ", "a\r\nb", "a\tb", "\x7f", "é"}) {
    EXPECT_FALSE(isHeaderValue(bad)) << bad;
  }
}

TEST(Words, DomainNames) {
  const std::string label(63, 'a');
  const auto longest = label + "." + label + "." + label + "." + std::string(61, 'b');
  EXPECT_TRUE(isDomainName(longest));
  EXPECT_TRUE(isDomainName(longest + "."));
  EXPECT_TRUE(isDomainName("_sip._udp.example"));
  EXPECT_TRUE(isDomainName("1.2.0.192.in-addr.arpa"));
  EXPECT_FALSE(isDomainName(longest + "b"));
  EXPECT_FALSE(isDomainName(label + "a"));
  for (const auto* bad : {"", ".", "..", "a..", ".a", "a..b", "a b", "é", "*.example", "a\n"}) {
    EXPECT_FALSE(isDomainName(bad)) << bad;
  }
  EXPECT_TRUE(isServerName("www.example.org"));
  EXPECT_TRUE(isServerName("2001:db8::1"));
  for (const auto* bad : {"", "www.example.org.", "a:443", "[::1]"}) {
    EXPECT_FALSE(isServerName(bad)) << bad;
  }
}

TEST(Words, UsersAndArguments) {
  EXPECT_TRUE(isUserName("_l4ward-check"));
  for (const auto* bad : {"", "-a", "a b", "a:b", "a$"}) EXPECT_FALSE(isUserName(bad)) << bad;
  EXPECT_TRUE(isArgument(""));
  EXPECT_TRUE(isArgument("$(x) \n\xff"));
  EXPECT_FALSE(isArgument(std::string_view("a\0b", 3)));
}

TEST(Words, Escapes) {
  using namespace std::string_view_literals;
  EXPECT_EQ(unescape(""), "");
  EXPECT_EQ(unescape(R"(a\r\n\t\\b)"), "a\r\n\t\\b");
  EXPECT_EQ(unescape(R"(\x00\xfF\x41\\x41)"), "\0\xff\x41\\x41"sv);
  for (const auto* bad : {R"(\)", R"(a\)", R"(\\\)", R"(\x)", R"(\x1)", R"(\xg1)", R"(\x1g)",
                          R"(\x+1)", R"(\x 1)", R"(\X41)", R"(\0)", R"(\R)", R"(\")"}) {
    EXPECT_EQ(unescape(bad), std::nullopt) << bad;
  }
}

TEST(Words, Files) {
  EXPECT_TRUE(isAbsoluteFile("/etc/l4ward/r1.key"));
  for (const auto* bad : {"", "r1.key", "/a b", "/a\"b", "/a\n"}) {
    EXPECT_FALSE(isAbsoluteFile(bad)) << bad;
  }
}

TEST(Words, Sysctls) {
  EXPECT_TRUE(isSysctlKey("net.ipv4.vs.sloppy_tcp"));
  EXPECT_TRUE(isSysctlKey("net.ipv6.conf.tunl0.disable_ipv6"));
  for (const auto* bad :
       {"", "net.ipv4.vs.", "net.ipv4.vs.a.b", "net.ipv4.vs.../x", "net.ipv4.ip_forward",
        "kernel.core_pattern", "net.ipv4.conf.all", "net.ipv4.conf..x", "net.ipv4.conf.//.x"}) {
    EXPECT_FALSE(isSysctlKey(bad)) << bad;
  }
  EXPECT_TRUE(isSysctlValue("3 50"));
  for (const auto* bad : {"", " 1", "1 ", "1\n2", "$(x)"}) EXPECT_FALSE(isSysctlValue(bad)) << bad;
}

TEST(Words, DidYouMean) {
  const std::vector<std::string> known{"interval", "rise", "fall", "fast_interval"};
  EXPECT_EQ(didYouMean("intervall", known), " (did you mean 'interval'?)");
  EXPECT_EQ(didYouMean("Interval", known), " (did you mean 'interval'?)");
  EXPECT_EQ(didYouMean("raise", known), " (did you mean 'rise'?)");
  EXPECT_EQ(didYouMean("wood", known), "");
}

TEST(Words, DidYouMeanLettersThatChangedPlaces) {
  const std::vector<std::string> known{"far", "drain"};
  EXPECT_EQ(didYouMean("fra", known), " (did you mean 'far'?)");
  EXPECT_EQ(didYouMean("arf", known), "");  // two slips are too many for so short a word
  EXPECT_EQ(didYouMean("rdani", known), " (did you mean 'drain'?)");
}

TEST(Words, GuessesAreBounded) {
  Diagnostics errors("site.yaml");
  const std::map<std::string, int> known{{"far", 0}};
  for (std::size_t i = 0; i < kMaxGuesses; ++i) ASSERT_NE(errors.guess("fra", known), "");
  EXPECT_EQ(errors.guess("fra", known), "");
}

TEST(Words, QuotesForOneLine) {
  EXPECT_EQ(inQuotes("a\nb\x01\xff"),
            "'a?b?"
            "?'");
  EXPECT_EQ(inQuotes("é€"), "'é€'");
  EXPECT_LT(inQuotes(std::string(5000, 'x')).size(), 100U);
}

}  // namespace
}  // namespace l4ward::config
