#include "import/groups.h"

#include <algorithm>
#include <charconv>

namespace l4ward::keepalived {
namespace {

// A shorter prefix is none that a site file may have.
unsigned shortest(Family family) {
  return family == Family::v4 ? 8 : 32;
}

// `first` with its last byte, or the last two of IPv6, replaced: the end of "192.0.2.3-10".
std::optional<IpAddress> endOf(const IpAddress& first, std::string_view text) {
  unsigned end = 0;
  const auto [stop, error] =
      std::from_chars(text.data(), text.data() + text.size(), end, first.isV4() ? 10 : 16);
  if (text.empty() || error != std::errc() || stop != text.data() + text.size() ||
      end > (first.isV4() ? 0xffU : 0xffffU)) {
    return std::nullopt;
  }
  std::vector<std::uint8_t> bytes(first.bytes().begin(), first.bytes().end());
  bytes.back() = static_cast<std::uint8_t>(end & 0xff);
  if (!first.isV4()) bytes[bytes.size() - 2] = static_cast<std::uint8_t>(end >> 8U);
  const auto address = IpAddress::fromBytes(bytes);
  return address ? std::optional(*address) : std::nullopt;
}

std::optional<std::vector<Prefix>> readRange(const std::string& text) {
  if (text.find('/') != text.npos) {
    const auto prefix = Prefix::parse(text);
    return prefix ? cover(prefix->address, prefix->last()) : std::nullopt;
  }
  const auto dash = text.find('-');
  const auto first = IpAddress::parse(text.substr(0, dash));
  if (!first) return std::nullopt;
  if (dash == text.npos) return std::vector{Prefix::host(*first)};
  const auto behind = text.substr(dash + 1);
  const auto whole = IpAddress::parse(behind);
  const auto last = whole ? std::optional(*whole) : endOf(*first, behind);
  return last ? cover(*first, *last) : std::nullopt;
}

// Why a VIP cannot be one, as config's readVips has it; or nullptr.
const char* flawOf(const Prefix& vip) {
  static const IpAddress broadcast = *IpAddress::parse("255.255.255.255");
  if (vip.address.isUnspecified()) return "the unspecified address";
  if (vip.address.isMulticast() || vip.contains(broadcast)) return "an address of many hosts";
  if (vip.address.isLoopback()) return "a loopback address";
  if (vip.address.isLinkLocal()) return "a link-local address";
  return nullptr;
}

std::optional<Entry> readMark(Node& node, std::size_t index, Report& report) {
  const auto mark = parseNumber(node.word(index + 1), 1, 4294967295);
  if (!mark) {
    report.add(node, {Level::lost, "not a mark from 1 to 4294967295; it is left out",
                      "give it another mark"});
    return std::nullopt;
  }
  const auto& family = node.word(index + 2);
  expectWords(node, index + 3, report);
  if (!family.empty()) {
    report.add(node, {Level::note, "the family of a mark's service is that of its `vips`"});
  }
  Entry entry;
  entry.mark = mark;
  entry.node = &node;
  return entry;
}

}  // namespace

std::optional<std::vector<Prefix>> cover(const IpAddress& first, const IpAddress& last) {
  if (first.family() != last.family() || last < first) return std::nullopt;
  std::vector<Prefix> prefixes;
  std::uint64_t size = 0;
  for (auto at = first;;) {
    auto prefix = Prefix::host(at);
    for (unsigned length = shortest(at.family()); length < at.bits(); ++length) {
      const auto larger = Prefix::around(at, length);
      if (larger.address != at || last < larger.last()) continue;
      prefix = larger;
      break;
    }
    if (prefix.size() > kMaxAddresses || (size += prefix.size()) > kMaxAddresses) {
      return std::nullopt;
    }
    prefixes.push_back(prefix);
    if (prefix.last() == last) return prefixes;
    at = prefix.last().next();
  }
}

std::optional<Entry> readEntry(Node& node, std::size_t index, Report& report) {
  if (node.word(index) == "fwmark") return readMark(node, index, report);
  expectWords(node, index + 2, report);
  const auto vips = readRange(node.word(index));
  if (!vips) {
    report.add(node,
               {Level::lost, "neither an address nor a range of at most 65536; it is left out",
                "for more than that use `mark`"});
    return std::nullopt;
  }
  const auto flawed = std::find_if(vips->begin(), vips->end(),
                                   [](const auto& vip) { return flawOf(vip) != nullptr; });
  if (flawed != vips->end()) {
    report.add(node, {Level::lost,
                      flawed->shortStr() + " is " + flawOf(*flawed) +
                          ", which cannot be announced; it is left out",
                      "give it another address"});
    return std::nullopt;
  }
  Entry entry;
  entry.vips = *vips;
  entry.node = &node;
  if (node.words.size() <= index + 1) return entry;
  const auto port = parseNumber(node.word(index + 1), 0, 65535);
  if (!port) {
    report.add(node, {Level::lost, "not a port behind the address; it is left out",
                      "write the port as a number"});
    return std::nullopt;
  }
  entry.port = static_cast<std::uint16_t>(*port);
  return entry;
}

std::map<std::string, Group> readGroups(const Section& root) {
  std::map<std::string, Group> groups;
  for (auto* node : root.all({"virtual_server_group"})) {
    expectWords(*node, 2, root.report());
    Group group;
    group.node = node;
    for (auto& child : node->children) {
      child.seen = true;
      if (auto entry = readEntry(child, 0, root.report())) group.entries.push_back(*entry);
    }
    if (!groups.emplace(node->word(1), std::move(group)).second) {
      root.report().add(*node, {Level::lost, "a second group of this name; it is left out",
                                "give it another name"});
    }
  }
  return groups;
}

}  // namespace l4ward::keepalived
