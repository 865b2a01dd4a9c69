// data_path and on_all_down: what they say, and one mistake each.
#include "site_text.h"

namespace l4ward::config {
namespace {

class DataPathKeys : public testing::TestWithParam<Mistake> {};

TEST_P(DataPathKeys, IsOneError) {
  expectError(GetParam());
}

Mistake marks(const std::string& value, const std::string& found) {
  return {"interface: lo", "data_path: {marks: " + value + "}",
          "2:20: data_path.marks: found " + found +
              ", expected the first and the last of a range of marks from 1 to 4294967295, as "
              "0x7f000000-0x7f00ffff"};
}

INSTANTIATE_TEST_SUITE_P(
    DataPath, DataPathKeys,
    testing::Values(
        Mistake{"interface: lo", "on_all_down: trust",
                "2:14: on_all_down: found 'trust', expected node-suspect or believe"},
        Mistake{"interface: lo", "data_path: [eth0]",
                "2:12: data_path: found a list, expected a map"},
        Mistake{"interface: lo", "data_path: {uplink: eth0}",
                "2:13: data_path.uplink: found the key 'uplink', expected a key that is known here "
                "(did you mean 'uplinks'?)"},
        marks("100", "'100'"), marks("100-", "'100-'"), marks("-100", "'-100'"),
        marks("0-100", "'0-100'"), marks("200-100", "'200-100'"), marks("1-100-200", "'1-100-200'"),
        marks("0x-0xff", "'0x-0xff'"), marks("0x1g-0xff", "'0x1g-0xff'"),
        marks("1-4294967296", "'1-4294967296'"), marks("1-0x100000000", "'1-0x100000000'"),
        marks("1 - 100", "'1 - 100'"), marks("[1, 100]", "a list"),
        Mistake{"interface: lo", "data_path: {marks: 100-114}",
                "2:20: data_path.marks: found 15 marks, expected at least 16"},
        Mistake{"interface: lo", "data_path: {uplinks: eth0}",
                "2:22: data_path.uplinks: found 'eth0', expected a list"},
        Mistake{"interface: lo", "data_path: {uplinks: []}",
                "2:22: data_path.uplinks: found an empty list, expected 1 to 16 items"},
        Mistake{"interface: lo", "data_path: {uplinks: [eth0, a/b]}",
                "2:29: data_path.uplinks[1]: found 'a/b', expected the name of an interface, 1 to "
                "15 characters"},
        Mistake{"interface: lo", "data_path: {uplinks: [eth0, eth0]}",
                "2:29: data_path.uplinks[1]: found 'eth0' a second time, expected each interface "
                "once"}));

TEST(DataPath, RangesOfMarks) {
  const auto marks = [](const std::string& text) {
    const auto site = loadSite("data_path: {marks: " + text + "}\nservices: {}\n", "f", "host");
    EXPECT_TRUE(site) << text;
    return site ? std::pair(site->dataPath.firstMark, site->dataPath.lastMark) : std::pair(0U, 0U);
  };
  EXPECT_EQ(marks("100-115"), std::pair(100U, 115U));
  EXPECT_EQ(marks("0xA0-0Xff"), std::pair(160U, 255U));
  EXPECT_EQ(marks("1-4294967295"), std::pair(1U, 4294967295U));
  EXPECT_EQ(marks("2130706432-0x7f00ffff"), std::pair(0x7f000000U, 0x7f00ffffU));
}

TEST(OnAllDown, SaysWhatTheDefaultIs) {
  EXPECT_TRUE(loadSite("on_all_down: node-suspect\nservices: {}\n", "f", "host")->suspectNode);
}

}  // namespace
}  // namespace l4ward::config
