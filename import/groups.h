// What virtual servers stand for: addresses, ranges of them and firewall marks, alone or in a
// virtual_server_group.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ip.h"
#include "import/section.h"

namespace l4ward::keepalived {

struct Entry {
  std::vector<Prefix> vips;  // what the range is made of; none with a mark
  std::uint16_t port = 0;    // 0: all of them
  std::optional<std::uint32_t> mark;
  Node* node = nullptr;
};

struct Group {
  Node* node = nullptr;
  std::vector<Entry> entries;
  bool used = false;
};

// A range that is larger than all that a site file may have is refused.
inline constexpr std::uint64_t kMaxAddresses = 65536;

// The fewest prefixes that are exactly the addresses from `first` to `last`, of one family; none if
// they are more than kMaxAddresses, or in the wrong order.
std::optional<std::vector<Prefix>> cover(const IpAddress& first, const IpAddress& last);

// The words of `node` from `index` on: an address or a range with a port if need be, or "fwmark"
// and a number. None: reported.
std::optional<Entry> readEntry(Node& node, std::size_t index, Report& report);

// All groups by name. Of two with one name the later one is reported and left out.
std::map<std::string, Group> readGroups(const Section& root);

}  // namespace l4ward::keepalived
