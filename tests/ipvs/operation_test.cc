#include <gtest/gtest.h>

#include "tests/ipvs/tables.h"

namespace l4ward::ipvs {
namespace {

const ServiceKey kWeb = tcp("198.51.100.1:80");

TEST(OperationText, NamesServiceAndChange) {
  EXPECT_EQ((Operation{kWeb, AddService{}}.str()),
            "tcp 198.51.100.1:80: add service scheduler mh flags mh-fallback,mh-port");
  EXPECT_EQ((Operation{kWeb, EditService{{"rr", 1, 300}}}.str()),
            "tcp 198.51.100.1:80: edit service scheduler rr persistent 300s");
  const ServiceConfig sip{"sh", kFlagPersistent | kFlagOnePacket | kFlagSched2, 60, 24, "sip"};
  EXPECT_EQ((Operation{ServiceKey::ofMark(7, Family::v6), EditService{sip}}.str()),
            "mark 7 IPv6: edit service scheduler sh flags sh-port one-packet persistent 60s /24 "
            "engine sip");
  EXPECT_EQ((Operation{kWeb, AddDestination{server(1), kIpip, 2, {1000, 800}}}.str()),
            "tcp 198.51.100.1:80: add 192.0.2.1:80 weight 2 tunnel ipip thresholds 800-1000");
  EXPECT_EQ((Operation{kWeb, DeleteService{}}.str()), "tcp 198.51.100.1:80: delete service");
  EXPECT_EQ((Operation{kWeb, AddDestination{endpoint("192.0.2.101:80"), kIpip, 1}}.str()),
            "tcp 198.51.100.1:80: add 192.0.2.101:80 weight 1 tunnel ipip");
  EXPECT_EQ((Operation{kWeb, DeleteDestination{endpoint("[2001:db8::65]:80")}}.str()),
            "tcp 198.51.100.1:80: delete [2001:db8::65]:80");
}

TEST(OperationText, NamesEveryPath) {
  const Path gue{Forward::tunnel, {TunnelType::gue, 6080, kTunnelChecksum}};
  const ServiceKey dns{Protocol::udp, endpoint("[2001:db8::53]:53")};
  EXPECT_EQ((Operation{dns, EditDestination{endpoint("[2001:db8::1]:53"), gue, 0}}.str()),
            "udp [2001:db8::53]:53: edit [2001:db8::1]:53 weight 0 tunnel gue port 6080 checksum");
  EXPECT_EQ((Path{Forward::tunnel, {TunnelType::gre, 0, kTunnelRemoteChecksum}}.str()),
            "tunnel gre remote-checksum");
  EXPECT_EQ(kDirect.str(), "direct");
  EXPECT_EQ((Path{Forward::masquerade, {}}.str()), "masquerade");
  EXPECT_EQ((Path{Forward::local, {}}.str()), "local");
  EXPECT_EQ((Path{static_cast<Forward>(4), {}}.str()), "unknown");
}

TEST(ServiceKey, ReadsWhatItWrites) {
  for (const auto& key :
       {kWeb, ServiceKey{Protocol::udp, endpoint("[2001:db8::53]:0")},
        ServiceKey::ofMark(1, Family::v4), ServiceKey::ofMark(4294967295, Family::v6)}) {
    EXPECT_EQ(ServiceKey::parse(key.str()), key) << key.str();
  }
  for (const char* text : {"", "tcp", "tcp ", "tcp198.51.100.1:80", "icmp 198.51.100.1:80",
                           "tcp 198.51.100.1", "mark", "mark 0 IPv4", "mark 7", "mark 7 IPv4 ",
                           "mark 07 IPv4", "mark 4294967296 IPv4", "mark -1 IPv4"}) {
    EXPECT_FALSE(ServiceKey::parse(text)) << text;
  }
}

TEST(OperationText, NamesUnknownValues) {
  EXPECT_EQ(toString(static_cast<Protocol>(50)), "unknown");
  EXPECT_EQ(toString(static_cast<TunnelType>(9)), "unknown");
  EXPECT_EQ((ServiceConfig{"sh", 0, 0}.str()), "scheduler sh");
  EXPECT_EQ((ServiceConfig{"mh", kFlagMhPort | kFlagSched3 | 0x40, 0}.str()),
            "scheduler mh flags mh-port,flag-3,64");
  EXPECT_EQ((ServiceKey{Protocol::sctp, endpoint("192.0.2.1:1")}.str()), "sctp 192.0.2.1:1");
}

}  // namespace
}  // namespace l4ward::ipvs
