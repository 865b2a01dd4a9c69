#include <algorithm>
#include <charconv>

#include "config/sections.h"
#include "config/words.h"

namespace l4ward::config {
namespace {

constexpr std::size_t kMaxUplinks = 16;
constexpr std::uint32_t kLeastMarks = 16;

std::optional<std::uint32_t> parseMark(std::string_view text) {
  if (!text.starts_with("0x") && !text.starts_with("0X")) return parsePlainNumber(text);
  text.remove_prefix(2);
  std::uint32_t mark = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), mark, 16);
  if (ec != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return mark;
}

// A wrong range stays, as 0 to 0, which is no service's mark.
void readMarks(const Value& value, DataPath& path) {
  const auto text = value.isScalar() ? std::string_view(value.node().text) : std::string_view();
  const auto dash = std::min(text.find('-'), text.size());
  const auto first = parseMark(text.substr(0, dash));
  const auto last = dash < text.size() ? parseMark(text.substr(dash + 1)) : std::nullopt;
  path.firstMark = path.lastMark = 0;
  if (!first || !last || *first == 0 || *last < *first) {
    value.error(
        "the first and the last of a range of marks from 1 to 4294967295, as "
        "0x7f000000-0x7f00ffff");
  } else if (*last - *first < kLeastMarks - 1) {
    value.error(std::to_string(*last - *first + 1) + " marks",
                "at least " + std::to_string(kLeastMarks));
  } else {
    path.firstMark = *first;
    path.lastMark = *last;
  }
}

// Keeps the places: a wrong list or name stays as "", so that nobody misses it.
std::vector<std::string> readUplinks(const Value& value) {
  std::vector<std::string> uplinks;
  for (const auto& item : value.list({1, kMaxUplinks})) {
    const auto name =
        item.text(isInterfaceName, "the name of an interface, 1 to 15 characters").value_or("");
    if (!name.empty() && std::find(uplinks.begin(), uplinks.end(), name) != uplinks.end()) {
      item.error(item.describe() + " a second time", "each interface once");
    }
    uplinks.push_back(name);
  }
  return uplinks.empty() ? std::vector<std::string>(1) : uplinks;
}

}  // namespace

DataPath readDataPath(const Value& value) {
  const Record record(value, {"marks", "uplinks"});
  DataPath path;
  if (const auto marks = record.find("marks")) readMarks(*marks, path);
  if (const auto uplinks = record.find("uplinks")) path.uplinks = readUplinks(*uplinks);
  return path;
}

}  // namespace l4ward::config
