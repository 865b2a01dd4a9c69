#include "healthcheck/icmp_message.h"

#include <gtest/gtest.h>

namespace l4ward::healthcheck {
namespace {

using namespace std::string_literals;

const std::string payload = "0123456789abcdef";

Echo makeEcho() {
  Echo echo{0x1234, 0x5678, {}};
  payload.copy(echo.payload.data(), echo.payload.size());
  return echo;
}

std::string reply(Family family) {
  return (family == Family::v4 ? "\0\0"s : "\x81\0"s) + "\xaa\xbb\x12\x34\x56\x78" + payload;
}

std::string ipHeader(unsigned words) {
  std::string header(words * std::size_t{4}, '\0');
  header[0] = static_cast<char>(0x40 | words);
  return header;
}

bool isOurs(std::string_view message, Family family = Family::v4, bool withIpHeader = false) {
  return isReply(message, makeEcho(), family, withIpHeader);
}

TEST(EchoRequest, HasTheFieldsOfItsFamily) {
  // The checksum by hand: the 16-bit words add up to 29fe1, folded 9fe3, inverted 601c.
  EXPECT_EQ(encodeEcho(makeEcho(), Family::v4), "\x08\0\x60\x1c\x12\x34\x56\x78"s + payload);
  EXPECT_EQ(encodeEcho(makeEcho(), Family::v6), "\x80\0\0\0\x12\x34\x56\x78"s + payload);
}

// RFC 1071: the sum over a whole message with its checksum is all ones.
TEST(EchoRequest, ItsChecksumHoldsForAnyPayload) {
  for (unsigned seed = 0; seed < 256; ++seed) {
    Echo echo{static_cast<std::uint16_t>(seed * 257), 0xffff, {}};
    echo.payload.fill(static_cast<char>(seed));
    const auto message = encodeEcho(echo, Family::v4);
    unsigned sum = 0;
    for (std::size_t i = 0; i < message.size(); i += 2) {
      sum += static_cast<unsigned>(static_cast<std::uint8_t>(message[i])) << 8 |
             static_cast<std::uint8_t>(message[i + 1]);
    }
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    EXPECT_EQ(sum, 0xffffU);
  }
}

TEST(EchoReply, ToThisRequest) {
  EXPECT_TRUE(isOurs(reply(Family::v4)));
  EXPECT_TRUE(isOurs(reply(Family::v6), Family::v6));
  EXPECT_FALSE(isOurs(reply(Family::v4), Family::v6));
  EXPECT_FALSE(isOurs(reply(Family::v6), Family::v4));
}

TEST(EchoReply, BehindAnIpHeader) {
  for (const unsigned words : {5U, 6U, 15U}) {
    EXPECT_TRUE(isOurs(ipHeader(words) + reply(Family::v4), Family::v4, true)) << words;
  }
  EXPECT_FALSE(isOurs(reply(Family::v4), Family::v4, true));
  EXPECT_FALSE(isOurs(ipHeader(4) + reply(Family::v4), Family::v4, true));
  auto otherVersion = ipHeader(5) + reply(Family::v4);
  otherVersion[0] = 0x65;
  EXPECT_FALSE(isOurs(otherVersion, Family::v4, true));
}

TEST(EchoReply, EveryByteButTheChecksumCounts) {
  for (const auto family : {Family::v4, Family::v6}) {
    for (std::size_t i = 0; i < reply(family).size(); ++i) {
      auto other = reply(family);
      other[i] ^= 1;
      EXPECT_EQ(isOurs(other, family), i == 2 || i == 3) << i;
    }
    EXPECT_FALSE(isOurs(reply(family) + "x", family));
  }
  EXPECT_FALSE(isOurs(encodeEcho(makeEcho(), Family::v4)));
}

TEST(EchoReply, CutAnywhereItIsNone) {
  const auto whole = ipHeader(15) + reply(Family::v4);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string own = whole.substr(0, size);
    EXPECT_FALSE(isOurs(own, Family::v4, true));
    EXPECT_FALSE(isOurs(own, Family::v4, false));
  }
}

TEST(IcmpErrors, QuoteTheRequest) {
  for (const auto family : {Family::v4, Family::v6}) {
    const auto request = encodeEcho(makeEcho(), family);
    EXPECT_TRUE(quotesRequest(request, makeEcho(), family));
    EXPECT_TRUE(quotesRequest(request.substr(0, 8), makeEcho(), family));
    EXPECT_FALSE(quotesRequest(request.substr(0, 7), makeEcho(), family));
    EXPECT_FALSE(quotesRequest(reply(family), makeEcho(), family));
    Echo other = makeEcho();
    ++other.sequence;
    EXPECT_FALSE(quotesRequest(request, other, family));
    other = makeEcho();
    ++other.id;
    EXPECT_FALSE(quotesRequest(request, other, family));
  }
}

TEST(IcmpErrors, HaveNames) {
  EXPECT_EQ(describeIcmpError(Family::v4, 3, 1), "host unreachable");
  EXPECT_EQ(describeIcmpError(Family::v4, 3, 3), "port unreachable");
  EXPECT_EQ(describeIcmpError(Family::v4, 3, 13), "administratively prohibited");
  EXPECT_EQ(describeIcmpError(Family::v4, 3, 200), "destination unreachable");
  EXPECT_EQ(describeIcmpError(Family::v4, 11, 0), "time to live exceeded");
  EXPECT_EQ(describeIcmpError(Family::v4, 12, 1), "ICMP error 12/1");
  EXPECT_EQ(describeIcmpError(Family::v6, 1, 0), "network unreachable");
  EXPECT_EQ(describeIcmpError(Family::v6, 1, 3), "host unreachable");
  EXPECT_EQ(describeIcmpError(Family::v6, 1, 4), "port unreachable");
  EXPECT_EQ(describeIcmpError(Family::v6, 3, 0), "hop limit exceeded");
  EXPECT_EQ(describeIcmpError(Family::v6, 4, 1), "ICMP error 4/1");
}

TEST(IcmpErrors, PortUnreachableOfEachFamily) {
  EXPECT_TRUE(isPortUnreachable(Family::v4, 3, 3));
  EXPECT_FALSE(isPortUnreachable(Family::v4, 1, 4));
  EXPECT_TRUE(isPortUnreachable(Family::v6, 1, 4));
  EXPECT_FALSE(isPortUnreachable(Family::v6, 3, 3));
}

}  // namespace
}  // namespace l4ward::healthcheck
