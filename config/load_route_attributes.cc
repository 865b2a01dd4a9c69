#include <algorithm>

#include "config/communities.h"
#include "config/routing.h"

namespace l4ward::config {
namespace {

constexpr NumberRange kAny{0, 4294967295};
constexpr NumberRange kPrepend{0, 16};

std::vector<std::string> readCommunities(const Value& value, const CommunityKind& kind) {
  std::vector<std::string> communities;
  for (const auto& item : value.list({0, kMaxCommunities})) {
    const auto text = item.isScalar() ? item.node().text : std::string();
    const auto community = kind.parse(text);
    if (!community) {
      item.error(kind.expected + didYouMean(text, kind.names));
    } else if (std::count(communities.begin(), communities.end(), *community) > 0) {
      const auto meaning = *community == text ? "" : ", which is " + *community + ",";
      item.error(inQuotes(text) + meaning + " a second time", "each community once");
    } else {
      communities.push_back(*community);
    }
  }
  return communities;
}

}  // namespace

const std::vector<CommunityKind>& communityKinds() {
  static const std::vector<CommunityKind> kinds{
      {"communities", &RouteAttributes::communities, parseCommunity,
       "a community such as 65001:80, each half 0 to 65535, or a name such as no-export",
       communityNames()},
      {"large_communities",
       &RouteAttributes::largeCommunities,
       parseLargeCommunity,
       "a large community such as 65001:1:2, each part 0 to 4294967295",
       {}},
      {"extended_communities",
       &RouteAttributes::extendedCommunities,
       parseExtendedCommunity,
       "target or origin, an AS or an IPv4 address, and a number, such as target:65001:80; an AS "
       "above 65535 or an address takes 0 to 65535",
       {}}};
  return kinds;
}

std::vector<std::string> withRouteKeys(std::vector<std::string> others) {
  others.insert(others.end(), {"med", "local_preference", "prepend"});
  for (const auto& kind : communityKinds()) others.push_back(kind.key);
  return others;
}

RouteAttributes readRoutes(const Record& record, RouteAttributes otherwise) {
  auto& routes = otherwise;
  if (const auto med = record.find("med")) routes.med = med->number(kAny);
  if (const auto preference = record.find("local_preference")) {
    routes.localPreference = preference->number(kAny);
  }
  if (const auto prepend = record.find("prepend")) routes.prepend = prepend->number(kPrepend);
  for (const auto& kind : communityKinds()) {
    if (const auto value = record.find(kind.key)) {
      routes.*kind.list = readCommunities(*value, kind);
    }
  }
  return otherwise;
}

}  // namespace l4ward::config
