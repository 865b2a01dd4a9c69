#include "agent/interfaces.h"

#include <utility>

#include "base/log.h"

namespace l4ward::agent {

template <typename Call>
auto KernelInterfaces::with(const Call& call) -> decltype(call(std::declval<const Addresses&>())) {
  if (!netlink_) {
    auto opened = Addresses::open();
    if (!opened) return tl::unexpected(opened.error());
    netlink_ = std::move(*opened);
  }
  auto result = call(std::as_const(*netlink_));
  if (!result) netlink_.reset();
  return result;
}

Status KernelInterfaces::ensureInterface(const std::string& name) {
  const auto created = with([&](const Addresses& netlink) { return netlink.createDummy(name); });
  if (!created) return tl::unexpected(created.error());
  if (*created) log::info("interface.created", {{"interface", name}, {"type", "dummy"}});
  return {};
}

Result<std::set<IpAddress>> KernelInterfaces::addresses(const std::string& name) {
  return with([&](const Addresses& netlink) { return netlink.list(name); });
}

Status KernelInterfaces::add(const std::string& name, const IpAddress& address) {
  const auto added = with([&](const Addresses& netlink) { return netlink.add(name, address); });
  if (!added) return tl::unexpected(added.error());
  return {};
}

Status KernelInterfaces::remove(const std::string& name, const IpAddress& address) {
  const auto removed =
      with([&](const Addresses& netlink) { return netlink.remove(name, address); });
  if (!removed) return tl::unexpected(removed.error());
  return {};
}

}  // namespace l4ward::agent
