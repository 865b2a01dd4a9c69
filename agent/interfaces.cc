#include "agent/interfaces.h"

#include <utility>

#include "base/log.h"

namespace l4ward::agent {
namespace {

template <typename Netlink, typename Call>
auto with(std::optional<Netlink>& netlink, const Call& call)
    -> decltype(call(std::declval<const Netlink&>())) {
  if (!netlink) {
    auto opened = Netlink::open();
    if (!opened) return tl::unexpected(opened.error());
    netlink = std::move(*opened);
  }
  auto result = call(std::as_const(*netlink));
  if (!result) netlink.reset();
  return result;
}

Status withoutValue(const Result<bool>& result) {
  if (!result) return tl::unexpected(result.error());
  return {};
}

}  // namespace

Status KernelInterfaces::ensureInterface(const std::string& name) {
  const auto created =
      with(addresses_, [&](const Addresses& netlink) { return netlink.createDummy(name); });
  if (!created) return tl::unexpected(created.error());
  if (*created) log::info("interface.created", {{"interface", name}, {"type", "dummy"}});
  return {};
}

Result<std::set<Prefix>> KernelInterfaces::list(const std::string& name) {
  auto all = with(ranges_, [&](const LocalRoutes& netlink) { return netlink.list(name); });
  if (!all) return all;
  const auto hosts = with(addresses_, [&](const Addresses& netlink) { return netlink.list(name); });
  if (!hosts) return tl::unexpected(hosts.error());
  for (const auto& address : *hosts) all->insert(Prefix::host(address));
  return all;
}

Status KernelInterfaces::add(const std::string& name, const Prefix& vip) {
  return withoutValue(
      vip.isHost() ? with(addresses_, [&](const Addresses& n) { return n.add(name, vip.address); })
                   : with(ranges_, [&](const LocalRoutes& n) { return n.add(name, vip); }));
}

Status KernelInterfaces::remove(const std::string& name, const Prefix& vip) {
  return withoutValue(
      vip.isHost()
          ? with(addresses_, [&](const Addresses& n) { return n.remove(name, vip.address); })
          : with(ranges_, [&](const LocalRoutes& n) { return n.remove(name, vip); }));
}

}  // namespace l4ward::agent
