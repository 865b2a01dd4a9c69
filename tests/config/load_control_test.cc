// control: what it says, and one mistake each.
#include "site_text.h"

namespace l4ward::config {
namespace {

Control controlOf(const std::string& text) {
  const auto site = loadSite("control: " + text + "\nservices: {}\n", "f", "host");
  EXPECT_TRUE(site) << text << ": " << (site ? "" : site.error()[0].str());
  return site ? site->control : Control();
}

TEST(Control, Defaults) {
  const auto control = controlOf("{}");
  EXPECT_EQ(control, loadSite("services: {}\n", "f", "host")->control);
  EXPECT_EQ(control.http, Endpoint::parse("127.0.0.1:9119").value());
  EXPECT_EQ(control.overrides, "/etc/l4ward/overrides");
  EXPECT_EQ(control.gdnsdExtfile, "");
}

TEST(Control, EveryKey) {
  EXPECT_EQ(controlOf("{http: \"[2001:db8::11]:80\", overrides: /srv/out, "
                      "gdnsd_extfile: /var/lib/gdnsd/extfile/l4ward}"),
            (Control{Endpoint::parse("[2001:db8::11]:80").value(), "/srv/out",
                     "/var/lib/gdnsd/extfile/l4ward"}));
  EXPECT_EQ(controlOf("{http: 0.0.0.0:9119}").http, Endpoint::parse("0.0.0.0:9119").value());
}

TEST(Control, NoneOfIt) {
  EXPECT_EQ(controlOf("{http: none, overrides: none, gdnsd_extfile: none}"),
            (Control{std::nullopt, "", ""}));
}

class ControlKeys : public testing::TestWithParam<Mistake> {};

TEST_P(ControlKeys, IsOneError) {
  expectError(GetParam());
}

Mistake http(const std::string& value, const std::string& found) {
  return {"interface: lo", "control: {http: " + value + "}",
          "2:17: control.http: found " + found +
              ", expected an address of this node with a port, as 127.0.0.1:9119 or "
              "\"[::1]:9119\", or none"};
}

INSTANTIATE_TEST_SUITE_P(
    Control, ControlKeys,
    testing::Values(
        Mistake{"interface: lo", "control: none", "2:10: control: found 'none', expected a map"},
        Mistake{"interface: lo", "control: {htp: none}",
                "2:11: control.htp: found the key 'htp', expected a key that is known here (did "
                "you mean 'http'?)"},
        http("127.0.0.1", "'127.0.0.1'"), http("9119", "'9119'"),
        http("127.0.0.1:0", "'127.0.0.1:0'"), http("127.0.0.1:65536", "'127.0.0.1:65536'"),
        http("localhost:80", "'localhost:80'"), http("224.0.0.1:80", "'224.0.0.1:80'"),
        http("[127.0.0.1:80]", "a list"),
        Mistake{"interface: lo", "control: {overrides: out}",
                "2:22: control.overrides: found 'out', expected the absolute path of a directory, "
                "without blanks, or none"},
        Mistake{"interface: lo", "control: {gdnsd_extfile: ~}",
                "2:11: control.gdnsd_extfile: found nothing, expected the absolute path of a file, "
                "without blanks, or none"}));

}  // namespace
}  // namespace l4ward::config
