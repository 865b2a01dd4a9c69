#include "ipvs/memory.h"

#include <gmock/gmock.h>

#include "tests/ipvs/tables.h"

namespace l4ward::ipvs {
namespace {

using testing::HasSubstr;

constexpr std::string_view kIdentity = "1f0b net:4026531840";

Memory example() {
  Memory memory;
  const ServiceKey dns{Protocol::udp, endpoint("[2001:db8::53]:53")};
  memory.owned[tcp("198.51.100.1:80")] = {*Prefix::parse("198.51.100.1/32")};
  memory.owned[dns] = {*Prefix::parse("2001:db8::50/124"), *Prefix::parse("2001:db8::70/124")};
  memory.owned[ServiceKey::ofMark(7, Family::v6)] = {};
  memory.lastWeights = {{{dns, endpoint("[2001:db8::1]:53")}, 4},
                        {{tcp("198.51.100.1:80"), server(1)}, 1}};
  memory.addresses["lo"] = {*Prefix::parse("198.51.100.1/32"), *Prefix::parse("2001:db8::50/124")};
  memory.addresses["vip0"] = {};
  memory.interfaces = {"vip0"};
  memory.sysctls["net.ipv4.vs.sloppy_tcp"] = {"0", "1"};
  memory.syncDaemons = {SyncRole::backup};
  return memory;
}

std::string error(std::string_view text) {
  const auto result = decode(text, kIdentity);
  return result ? "" : result.error().message;
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  const auto at = text.find(what);
  EXPECT_NE(at, text.npos) << what;
  return text.replace(at, what.size(), with);
}

TEST(Memory, ComesBackWhole) {
  EXPECT_EQ(decode(encode(example(), kIdentity), kIdentity), example());
  EXPECT_EQ(decode(encode({}, ""), ""), Memory{});
}

TEST(Memory, IgnoredInAnotherBoot) {
  const auto text = encode(example(), "another");
  EXPECT_THAT(error(text), HasSubstr("another boot or network namespace"));
}

TEST(Memory, IgnoredFromAnotherVersion) {
  const auto text = replaced(encode(example(), kIdentity), "\"version\": 2", "\"version\": 1");
  EXPECT_THAT(error(text), HasSubstr("another version"));
}

TEST(Memory, AnyTruncationIsAnError) {
  const auto text = encode(example(), kIdentity);
  for (std::size_t length = 0; length + 2 < text.size(); ++length) {
    EXPECT_NE(error(text.substr(0, length)), "") << length;
  }
}

TEST(Memory, AnyDamageIsAnError) {
  const auto text = encode(example(), kIdentity);
  const std::pair<const char*, const char*> damages[] = {
      {"\"weight\": 4", "\"weight\": 0"},
      {"\"weight\": 4", "\"weight\": -4"},
      {"\"weight\": 4", "\"weight\": 4.5"},
      {"\"weight\": 4", "\"weight\": 2147483648"},
      {"\"weight\": 4", "\"weight\": \"4\""},
      {"\"weight\"", "\"wait\""},
      {"\"udp [", "\"icmp ["},
      {"\"udp [2001:db8::53]:53\"", "17"},
      {"198.51.100.1:80", "198.51.100.1"},
      {"mark 7 IPv6", "mark 0 IPv6"},
      {"mark 7 IPv6", "mark 7 IPv5"},
      {"[2001:db8::1]:53", "2001:db8::1"},
      {"\"services\": [", "\"services\": [1,"},
      {"\"services\"", "\"servants\""},
      {"\"backup\"", "\"reserve\""},
      {"\"interfaces\": [", "\"interfaces\": [7,"},
      {"\"interfaces\"", "\"faces\""},
      {"\"sysctls\"", "\"controls\""},
      {"\"before\": \"0\"", "\"before\": 0"},
      {"\"lo\": [", "\"lo\": [true,"},
      {"\"lo\": [", "\"lo\": 5, \"x\": ["},
      {"\"2001:db8::50/124\"", "\"nowhere\""},
      {"\"2001:db8::50/124\"", "\"2001:db8::50/120\""},
  };
  for (const auto& [what, with] : damages) {
    EXPECT_THAT(error(replaced(text, what, with)), HasSubstr("damaged")) << with;
  }
  EXPECT_THAT(error("[]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(error("{\"version\": 2}"), HasSubstr("'identity' is missing"));
  EXPECT_THAT(error(std::string(kMaxMemoryBytes + 1, ' ')), HasSubstr("larger"));
}

TEST(Memory, DeepNestingIsRefusedUnparsed) {
  EXPECT_THAT(error(std::string(5'000'000, '[')), HasSubstr("too deep"));
}

TEST(Memory, StrangeInterfaceNamesDoNotBreakIt) {
  Memory memory;
  memory.addresses["\xff\"\n"] = {};
  EXPECT_TRUE(decode(encode(memory, kIdentity), kIdentity));
}

}  // namespace
}  // namespace l4ward::ipvs
