// What becomes of a service when servers fail.
#include "site_text.h"

namespace l4ward::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Unit = Quorum::Unit;

// kSiteText's service with `more` keys.
Service shop(const std::string& more) {
  const auto text = edited("quorum: 1", more);
  EXPECT_THAT(errorsOf(text), IsEmpty());
  const auto site = loadSite(text, "f", "host").value_or(Site());
  const auto service = site.services.find("shop");
  return service == site.services.end() ? Service() : service->second;
}

// kSiteText with a second pool, which stands in for the first.
std::string withBackup(const std::string& pool) {
  return edited(
      "services:", "  spare: " + pool + "\nservices:", edited("quorum: 1", "backup_pool: spare"));
}

TEST(LoadAvailability, EveryKey) {
  const auto site = loadSite(kRoutesText, "f", "host").value();
  const auto& web = site.services.at("web");
  EXPECT_EQ(web.quorum, (Quorum{300, Unit::weight, 100}));
  EXPECT_EQ(web.belowQuorum, BelowQuorum::depreference);
  EXPECT_EQ(web.panicThreshold, 20U);
  EXPECT_EQ(web.backupPool, "far");
  EXPECT_EQ(site.services.at("dns").belowQuorum, BelowQuorum::keep);
}

TEST(LoadAvailability, Defaults) {
  const auto service = shop("protocol: tcp");
  EXPECT_EQ(service.quorum, (Quorum{1, Unit::servers, 0}));
  EXPECT_EQ(service.belowQuorum, BelowQuorum::withdraw);
  EXPECT_EQ(service.panicThreshold, 0U);
  EXPECT_EQ(service.backupPool, "");
}

TEST(LoadAvailability, QuorumsOfEachUnit) {
  EXPECT_EQ(shop("quorum: {servers: 2}").quorum, (Quorum{2, Unit::servers, 0}));
  EXPECT_EQ(shop("quorum: {servers: 1, hysteresis: 1}").quorum, (Quorum{1, Unit::servers, 1}));
  EXPECT_EQ(shop("quorum: {percent: 100}").quorum, (Quorum{100, Unit::percent, 0}));
  EXPECT_EQ(shop("quorum: {hysteresis: 99, percent: 1}").quorum, (Quorum{1, Unit::percent, 99}));
  EXPECT_EQ(shop("quorum: {weight: 2, hysteresis: 1}").quorum, (Quorum{2, Unit::weight, 1}));
}

TEST(LoadAvailability, PanicThresholds) {
  EXPECT_EQ(shop("panic_threshold: 0%").panicThreshold, 0U);
  EXPECT_EQ(shop("panic_threshold: \"100%\"").panicThreshold, 100U);
}

class Failing : public testing::TestWithParam<Mistake> {};

TEST_P(Failing, IsOneError) {
  expectError(GetParam());
}

const std::string kQuorum = "services.shop.quorum";
const std::string kPanic = "30:22: services.shop.panic_threshold: found ";
const std::string kPanicRange =
    ", expected a share of the pool's servers from \"0%\" (never) to \"100%\"";

INSTANTIATE_TEST_SUITE_P(
    LoadAvailability, Failing,
    testing::Values(
        Mistake{"quorum: 1", "quorum: {}",
                "30:13: " + kQuorum +
                    ": found a map without an amount, expected servers, percent or weight"},
        Mistake{"quorum: 1", "quorum: {hysteresis: 1}",
                "30:13: " + kQuorum +
                    ": found a map without an amount, expected servers, percent or weight"},
        Mistake{"quorum: 1", "quorum: {server: 1}",
                "30:14: " + kQuorum +
                    ".server: found the key 'server', expected a key that is known here (did you "
                    "mean 'servers'?)"},
        Mistake{"quorum: 1", "quorum: {servers: 1, weight: 2}",
                "30:34: " + kQuorum +
                    ".weight: found this key beside `servers`, expected one of the two"},
        Mistake{
            "quorum: 1", "quorum: {servers: 0}",
            "30:23: " + kQuorum + ".servers: found '0', expected a whole number from 1 to 4093"},
        Mistake{
            "quorum: 1", "quorum: {percent: 101}",
            "30:23: " + kQuorum + ".percent: found '101', expected a whole number from 1 to 100"},
        Mistake{
            "quorum: 1", "quorum: {percent: 50%}",
            "30:23: " + kQuorum + ".percent: found '50%', expected a whole number from 1 to 100"},
        Mistake{"quorum: 1", "quorum: {weight: 268234756}",
                "30:22: " + kQuorum +
                    ".weight: found '268234756', expected a whole number from 1 to 268234755"},
        Mistake{
            "quorum: 1", "quorum: {percent: 1, hysteresis: 100}",
            "30:38: " + kQuorum + ".hysteresis: found '100', expected a whole number from 0 to 99"},
        // What all servers together cannot reach.
        Mistake{
            "quorum: 1", "quorum: {servers: 3}",
            "30:13: " + kQuorum + ": found 3 servers, expected at most the 2 that pool 'edge' has"},
        Mistake{"quorum: 1", "quorum: {servers: 2, hysteresis: 1}",
                "30:38: " + kQuorum +
                    ".hysteresis: found 1 above 2 servers, expected together at most the 2 that "
                    "pool 'edge' has"},
        Mistake{"quorum: 1", "quorum: {percent: 60, hysteresis: 41}",
                "30:39: " + kQuorum +
                    ".hysteresis: found 41 above 60 per cent, expected together at most 100"},
        Mistake{"quorum: 1", "quorum: {weight: 4}",
                "30:13: " + kQuorum +
                    ": found a weight of 4, expected at most the 3 that pool 'edge' has"},
        Mistake{"quorum: 1", "quorum: {weight: 3, hysteresis: 1}",
                "30:37: " + kQuorum +
                    ".hysteresis: found 1 above a weight of 3, expected together at most the 3 "
                    "that pool 'edge' has"},
        Mistake{"quorum: 1", "below_quorum: drop",
                "30:19: services.shop.below_quorum: found 'drop', expected withdraw, depreference "
                "or keep"},
        Mistake{"quorum: 1", "panic_threshold: 20", kPanic + "'20'" + kPanicRange},
        Mistake{"quorum: 1", "panic_threshold: 101%", kPanic + "'101%'" + kPanicRange},
        Mistake{"quorum: 1", "panic_threshold: 2.5%", kPanic + "'2.5%'" + kPanicRange},
        Mistake{"quorum: 1", "panic_threshold: [20%]", kPanic + "a list" + kPanicRange},
        Mistake{"quorum: 1", "backup_pool: a b",
                "30:18: services.shop.backup_pool: found 'a b', expected 1 to 64 letters, digits, "
                "'.', '_' or '-'"},
        Mistake{"quorum: 1", "backup_pool: edgy",
                "30:18: services.shop.backup_pool: found 'edgy', expected the name of a pool (did "
                "you mean 'edge'?)"},
        Mistake{"quorum: 1", "backup_pool: edge",
                "30:18: services.shop.backup_pool: found 'edge', the pool that it is to stand in "
                "for, expected another pool"}));

TEST(LoadAvailability, AWeightThatIsWrongIsNotMissed) {
  EXPECT_THAT(
      errorsOf(edited("weight: 2", "weight: x", edited("quorum: 1", "quorum: {weight: 3}"))),
      ElementsAre(HasSubstr("weight: found 'x'")));
}

TEST(LoadAvailability, ABackupPoolsFamilies) {
  EXPECT_THAT(errorsOf(withBackup("{check: web, servers: ['2001:db8::9']}")), IsEmpty());
  EXPECT_THAT(errorsOf(withBackup("{check: web, forward: direct, servers: ['2001:db8::9']}")),
              ElementsAre("f:28:12: services.shop.vips[0]: found VIP 198.51.100.1 of service "
                          "'shop', and in pool 'spare' server '2001:db8::9' without an IPv4 "
                          "address, expected an IPv4 address for every server, because `forward: "
                          "direct` cannot cross families (tunnel can)"));
}

TEST(LoadAvailability, ABackupPoolsChecksNeedPortsToo) {
  const auto text = edited("path: /up", "port: 80",
                           edited("pool: edge", "pool: edge\n    mark: 7",
                                  withBackup("{check: port, servers: [192.0.2.201]}")));
  EXPECT_THAT(errorsOf(text),
              ElementsAre("f:16:3: checks.port.port: found no such key, expected a port, because "
                          "service 'shop' has no single one"));
  EXPECT_THAT(errorsOf(edited("type: tcp", "type: tcp\n    port: 81", text)), IsEmpty());
}

TEST(LoadAvailability, ABackupPoolsServersKeepTheirAddresses) {
  EXPECT_THAT(errorsOf(withBackup("{check: web, servers: [198.51.100.1]}")),
              ElementsAre("f:28:12: services.shop.vips[0]: found 198.51.100.1, the address of "
                          "server '198.51.100.1' in pool 'spare', expected an address of its "
                          "own"));
}

TEST(LoadAvailability, BothPoolsFitIntoTheKernelsTable) {
  std::string servers = "10.0.0.1";
  for (int i = 1; i < 4091; ++i) {
    servers += ", 10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1);
  }
  EXPECT_THAT(errorsOf(withBackup("{check: web, servers: [" + servers + "]}")), IsEmpty());
  EXPECT_THAT(errorsOf(withBackup("{check: web, servers: [" + servers + ", 10.9.0.1]}")),
              ElementsAre("f:31:18: services.shop.backup_pool: found 4094 servers together with "
                          "pool 'edge', expected at most 4093"));
}

}  // namespace
}  // namespace l4ward::config
