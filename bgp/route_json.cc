#include "bgp/route_json.h"

#include <map>
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

Result<std::vector<std::string>> communities(const Json& group) {
  std::vector<std::string> all;
  const auto found = group.find("communities");
  if (found == group.end()) return all;
  if (!found->is_array() || found->size() > kMaxCommunities) {
    return fail("routes: \"communities\" is not a list of at most 64");
  }
  for (const Json& one : *found) {
    if (!one.is_string() || !isCommunity(one.get_ref<const std::string&>())) {
      return fail("routes: not a community: " +
                  one.dump(-1, ' ', true, Json::error_handler_t::replace));
    }
    all.push_back(one.get<std::string>());
  }
  return all;
}

Result<Attributes> attributes(const Json& group) {
  Attributes result;
  const auto nextHop = address(group, "next_hop");
  if (!nextHop) return tl::unexpected(nextHop.error());
  result.nextHop = *nextHop;
  if (const auto med = group.find("med"); med != group.end()) {
    if (!med->is_number_unsigned() || med->get<std::uint64_t>() > UINT32_MAX) {
      return fail("routes: \"med\" is not a 32-bit number");
    }
    result.med = static_cast<std::uint32_t>(med->get<std::uint64_t>());
  }
  auto list = communities(group);
  if (!list) return tl::unexpected(list.error());
  result.communities = std::move(*list);
  return result;
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
    routes.insert_or_assign(RouteKey{*neighbor, *prefix}, *shared);
  }
  return {};
}

Json groupOf(const IpAddress& neighbor, const Attributes& attributes) {
  Json group = {{"neighbor", neighbor.str()}, {"next_hop", attributes.nextHop.str()}};
  if (attributes.med) group["med"] = *attributes.med;
  if (!attributes.communities.empty()) group["communities"] = attributes.communities;
  group["prefixes"] = Json::array();
  return group;
}

}  // namespace

Json toJson(const RouteSet& routes) {
  std::map<std::pair<IpAddress, Attributes>, Json> groups;
  for (const auto& [key, attributes] : routes) {
    auto [group, isNew] = groups.try_emplace({key.neighbor, attributes});
    if (isNew) group->second = groupOf(key.neighbor, attributes);
    group->second["prefixes"].push_back(key.prefix.str());
  }
  Json list = Json::array();
  for (auto& [shared, group] : groups) list.push_back(std::move(group));
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
