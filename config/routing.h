// What `bgp` and the services say about routes, and to whom.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/reader.h"
#include "config/site.h"

namespace l4ward::config {

inline constexpr NumberRange kAsNumbers{1, 4294967295};
inline constexpr const char* kAsText = "the number of an autonomous system, 1 to 4294967295";

// One of the three lists of communities that a route has.
struct CommunityKind {
  std::string key;
  std::vector<std::string> RouteAttributes::*list;
  std::optional<std::string> (*parse)(std::string_view);
  std::string expected;
  std::vector<std::string> names;  // that `parse` takes, too
};
const std::vector<CommunityKind>& communityKinds();

// Of one route, of all kinds together: what the relay takes, and what fits into a command.
inline constexpr std::size_t kMaxCommunities = 64;

// `others` and the keys of RouteAttributes.
std::vector<std::string> withRouteKeys(std::vector<std::string> others = {});
// Those keys of `record`, each in place of what `otherwise` has of it.
RouteAttributes readRoutes(const Record& record, RouteAttributes otherwise = {});

// What neighbors are told of this node. 0 and none: wrong by itself.
struct LocalSpeaker {
  std::uint32_t as = 0;
  std::optional<IpAddress> routerId;
};

// Keeps the places of the list: a neighbor without a usable address stays, as 0.0.0.0.
std::vector<Neighbor> readNeighbors(const Value& value, const LocalSpeaker& local);

}  // namespace l4ward::config
