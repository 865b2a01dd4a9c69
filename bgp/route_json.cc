#include "bgp/route_json.h"

#include <map>
#include <optional>
#include <utility>

#include "bgp/exabgp_text.h"

namespace l4ward::bgp {
namespace {

using Json = nlohmann::json;

Result<std::string> text(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) {
    return fail(std::string("routes: \"") + key + "\" is missing or not a string");
  }
  return found->get<std::string>();
}

Result<IpAddress> address(const Json& object, const char* key) {
  return text(object, key).and_then([](const std::string& s) { return IpAddress::parse(s); });
}

Result<std::optional<std::uint32_t>> number(const Json& group, const char* key) {
  const auto found = group.find(key);
  if (found == group.end()) return std::optional<std::uint32_t>();
  if (!found->is_number_unsigned() || found->get<std::uint64_t>() > UINT32_MAX) {
    return fail(std::string("routes: \"") + key + "\" is not a 32-bit number");
  }
  return std::optional(found->get<std::uint32_t>());
}

Result<std::vector<std::uint32_t>> asPath(const Json& group) {
  std::vector<std::uint32_t> path;
  const auto found = group.find("as_path");
  if (found == group.end()) return path;
  if (!found->is_array() || found->size() > kMaxAsPath) {
    return fail("routes: \"as_path\" is not a list of at most 32");
  }
  for (const Json& one : *found) {
    const bool fits = one.is_number_unsigned() && one.get<std::uint64_t>() <= UINT32_MAX;
    if (!fits || one.get<std::uint64_t>() == 0) return fail("routes: not an AS number");
    path.push_back(one.get<std::uint32_t>());
  }
  return path;
}

Result<std::vector<std::string>> communities(const Json& group, const char* key,
                                             bool (*isOne)(std::string_view)) {
  std::vector<std::string> all;
  const auto found = group.find(key);
  if (found == group.end()) return all;
  if (!found->is_array() || found->size() > kMaxCommunities) {
    return fail(std::string("routes: \"") + key + "\" is not a list of at most 64");
  }
  for (const Json& one : *found) {
    if (!one.is_string() || !isOne(one.get_ref<const std::string&>())) {
      return fail(std::string("routes: not for \"") + key +
                  "\": " + one.dump(-1, ' ', true, Json::error_handler_t::replace));
    }
    all.push_back(one.get<std::string>());
  }
  return all;
}

// Takes the value out, or notes the first error.
template <typename T>
void take(Result<T> value, T& into, Status& status) {
  if (value) {
    into = std::move(*value);
  } else if (status) {
    status = tl::unexpected(value.error());
  }
}

Result<Attributes> attributes(const Json& group) {
  Attributes all;
  Status status;
  take(address(group, "next_hop"), all.nextHop, status);
  take(number(group, "med"), all.med, status);
  take(number(group, "local_preference"), all.localPreference, status);
  take(asPath(group), all.asPath, status);
  take(communities(group, "communities", isCommunity), all.communities, status);
  take(communities(group, "large_communities", isLargeCommunity), all.largeCommunities, status);
  take(communities(group, "extended_communities", isExtendedCommunity), all.extendedCommunities,
       status);
  if (!status) return tl::unexpected(status.error());
  const std::size_t count =
      all.communities.size() + all.largeCommunities.size() + all.extendedCommunities.size();
  if (count > kMaxCommunities) return fail("routes: more than 64 communities");
  return all;
}

Status addGroup(const Json& group, RouteSet& routes) {
  if (!group.is_object()) return fail("routes: a group is not an object");
  const auto neighbor = address(group, "neighbor");
  if (!neighbor) return tl::unexpected(neighbor.error());
  const auto shared = attributes(group);
  if (!shared) return tl::unexpected(shared.error());
  const auto prefixes = group.find("prefixes");
  if (prefixes == group.end() || !prefixes->is_array()) return fail("routes: no list of prefixes");
  for (const Json& one : *prefixes) {
    if (!one.is_string()) return fail("routes: a prefix is not a string");
    const auto prefix = Prefix::parse(one.get_ref<const std::string&>());
    if (!prefix) return tl::unexpected(prefix.error());
    if (prefix->address.family() != shared->nextHop.family()) {
      return fail("routes: " + prefix->str() + " and its next hop are of different families");
    }
    routes.insert_or_assign(routes.end(), RouteKey{*neighbor, *prefix}, *shared);
  }
  return {};
}

Json groupOf(const IpAddress& neighbor, const Attributes& attributes) {
  Json group = {{"neighbor", neighbor.str()}, {"next_hop", attributes.nextHop.str()}};
  if (attributes.med) group["med"] = *attributes.med;
  if (attributes.localPreference) group["local_preference"] = *attributes.localPreference;
  const auto add = [&group](const char* key, const auto& list) {
    if (!list.empty()) group[key] = list;
  };
  add("as_path", attributes.asPath);
  add("communities", attributes.communities);
  add("large_communities", attributes.largeCommunities);
  add("extended_communities", attributes.extendedCommunities);
  return group;
}

}  // namespace

Json toJson(const RouteSet& routes) {
  using Shared = std::pair<IpAddress, Attributes>;
  std::map<Shared, std::vector<Json>> groups;
  auto last = groups.end();  // most routes are of the same group as the one before
  for (const auto& [key, attributes] : routes) {
    const bool same = last != groups.end() && last->first.first == key.neighbor &&
                      last->first.second == attributes;
    if (!same) last = groups.try_emplace({key.neighbor, attributes}).first;
    last->second.emplace_back(key.prefix.str());
  }
  Json list = Json::array();
  for (auto& [shared, prefixes] : groups) {
    list.push_back(groupOf(shared.first, shared.second));
    list.back()["prefixes"] = std::move(prefixes);
  }
  return list;
}

Result<RouteSet> routesFromJson(const Json& groups) {
  if (!groups.is_array()) return fail("routes: not a list");
  RouteSet routes;
  for (const Json& group : groups) {
    if (const Status added = addGroup(group, routes); !added) return tl::unexpected(added.error());
  }
  return routes;
}

}  // namespace l4ward::bgp
