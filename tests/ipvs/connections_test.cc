// Lines as the kernel writes them, and lines that it does not.
#include "ipvs/connections.h"

#include <gtest/gtest.h>

#include <sstream>

namespace l4ward::ipvs {
namespace {

Endpoint endpoint(std::string_view text) {
  return Endpoint::parse(text).value();
}

// Formats of ip_vs_conn_seq_show(): "%-3s %08X %04X %08X %04X %s %04X %-11s %7u%s\n", and with
// "%pI6" for addresses of IPv6.
constexpr const char* kHeading =
    "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData";
constexpr const char* kLine4 = "TCP CB007109 9C40 C6336401 0050 C0000265 0050 ESTABLISHED     899";
constexpr const char* kLine6 =
    "TCP 2001:0db8:0000:0000:0000:0000:0000:0009 9C40 2001:0db8:0000:0000:0000:0000:c633:6401 01BB "
    "2001:0db8:0000:0000:0000:0000:0000:0065 01BB FIN_WAIT          7";
// An IPv6 service with a server of IPv4, through a tunnel.
constexpr const char* kMixed =
    "UDP 2001:0db8:0000:0000:0000:0000:0000:0009 0035 2001:0db8:0000:0000:0000:0000:c633:6401 0035 "
    "C0000265 0035 UDP             299";

TEST(Connections, ALineOfEachFamily) {
  const Connection v4{{Protocol::tcp, endpoint("203.0.113.9:40000"), endpoint("198.51.100.1:80")},
                      endpoint("192.0.2.101:80"),
                      "ESTABLISHED",
                      899};
  EXPECT_EQ(parseConnection(kLine4), v4);
  const Connection v6{
      {Protocol::tcp, endpoint("[2001:db8::9]:40000"), endpoint("[2001:db8::c633:6401]:443")},
      endpoint("[2001:db8::65]:443"),
      "FIN_WAIT",
      7};
  EXPECT_EQ(parseConnection(kLine6), v6);
  const Connection mixed{
      {Protocol::udp, endpoint("[2001:db8::9]:53"), endpoint("[2001:db8::c633:6401]:53")},
      endpoint("192.0.2.101:53"),
      "UDP",
      299};
  EXPECT_EQ(parseConnection(kMixed), mixed);
}

TEST(Connections, APersistenceEnginesDataMayFollow) {
  const auto connection = parseConnection(std::string(kLine4) + " sip id-of-the-call");
  ASSERT_TRUE(connection);
  EXPECT_EQ(connection->expiresIn, 899U);
}

class NoConnection : public testing::TestWithParam<const char*> {};

TEST_P(NoConnection, IsNothing) {
  EXPECT_FALSE(parseConnection(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(
    All, NoConnection,
    testing::Values(
        kHeading, "", "   ", "TCP", "TCP CB007109 9C40 C6336401 0050 C0000265 0050 ESTABLISHED",
        // a template of a persistent service
        "TCP CB007109 0000 C6336401 0050 C0000265 0050 NONE            300",
        // one of a persistent service with a mark
        "IP  CB007109 0000 00000007 0000 C0000265 0000 NONE            300",
        "TCP CB007109 9C40 C6336401 0050 C0000265 10050 ESTABLISHED     899",
        "TCP CB007109 9C40 C6336401 0050 C0000265 005G ESTABLISHED     899",
        "TCP GB007109 9C40 C6336401 0050 C0000265 0050 ESTABLISHED     899",
        "TCP CB007109 9C40 C6336401 0050 C0000265 0050 ESTABLISHED     -1",
        "TCP 203.0.113.9 9C40 C6336401 0050 C0000265 0050 ESTABLISHED     899",
        "TCP 2001:db8::9:1:2:3:4:5:6:7:8:9 9C40 C6336401 0050 C0000265 0050 ESTABLISHED 1"));

TEST(Connections, OneFlowIsFoundAmongOthers) {
  const auto lines =
      std::string(kHeading) + "\n" + kMixed + "\nrubbish\n" + kLine6 + "\n" + kLine4 + "\n";
  const auto wanted = parseConnection(kLine4)->flow;
  const auto later = Clock::now() + Millis(60000);
  std::istringstream table(lines);
  const auto found = findConnection(table, wanted, later);
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->server, endpoint("192.0.2.101:80"));

  auto other = wanted;
  other.client.port = 40001;
  std::istringstream again(lines);
  const auto nothing = findConnection(again, other, later);
  ASSERT_TRUE(nothing);
  EXPECT_FALSE(*nothing);
}

TEST(Connections, TheSearchEndsAtItsDeadline) {
  std::string lines;
  for (int i = 0; i < 5000; ++i) lines += std::string(kLine6) + "\n";
  std::istringstream table(lines);
  EXPECT_FALSE(findConnection(table, parseConnection(kLine4)->flow, Clock::now()));
}

TEST(Connections, ALineWithoutEndIsNoTable) {
  std::istringstream table(std::string(1 << 20, 'x') + "\n" + kLine4 + "\n");
  const auto found =
      findConnection(table, parseConnection(kLine4)->flow, Clock::now() + Millis(60000));
  EXPECT_FALSE(found);
}

}  // namespace
}  // namespace l4ward::ipvs
