#include "ipvs/netlink_errors.h"

#include <cerrno>
#include <cstring>
#include <string>
#include <variant>

#include "base/ip.h"

namespace l4ward::ipvs {
namespace {

constexpr const char* kNoPermission = "programming IPVS needs CAP_NET_ADMIN";

std::string noScheduler(const ServiceConfig& config) {
  std::string text = "scheduler " + config.scheduler;
  if (!config.engine.empty()) text += " or persistence engine " + config.engine;
  text += " is not in the kernel: run 'modprobe ";
  if (!config.engine.empty()) text += "-a ip_vs_pe_" + config.engine + " ";
  return text + "ip_vs_" + config.scheduler + "'";
}

std::string describe(const Operation&, const AddService& add, int code) {
  if (code == ENOENT) return noScheduler(add.config);
  if (code == EEXIST) return "the service already exists";
  if (code == EAFNOSUPPORT) return "the kernel's IPVS has no IPv6";
  return {};
}

std::string describe(const Operation&, const EditService& edit, int code) {
  if (code == ENOENT) return noScheduler(edit.config);
  if (code == EINVAL) {
    return "the scheduler refuses the service; mh takes at most as many servers as its table has "
           "slots (4093 on Debian)";
  }
  return {};
}

std::string describe(const Operation&, const DeleteService&, int) {
  return {};
}

std::string invalidDestination(const Operation& operation, const Endpoint& address,
                               const Path& path) {
  if (address.address.family() != operation.service.family() && path.forward != Forward::tunnel) {
    return "a server of the other address family is reached through a tunnel only";
  }
  if (path.tunnel.type == TunnelType::gue && path.tunnel.port == 0) {
    return "a gue tunnel needs a port";
  }
  return "the kernel refuses this server: its address must be a unicast address, and servers of "
         "the other address family exclude IPVS's connection synchronisation";
}

template <typename Change>
std::string describe(const Operation& operation, const Change& change, int code) {
  if (code == EEXIST) return "the server already exists";
  if (code == ENOENT) return "the server does not exist";
  if (code == ERANGE) return "the weight is out of range";
  if constexpr (requires { change.path; }) {
    if (code == EINVAL) return invalidDestination(operation, change.address, change.path);
  }
  return {};
}

}  // namespace

Error operationError(const Operation& operation, int code, std::string_view explanation) {
  std::string meaning;
  if (code == EPERM || code == EACCES) {
    meaning = kNoPermission;
  } else if (code == ESRCH) {
    meaning = "the service does not exist";
  } else {
    meaning = std::visit([&](const auto& what) { return describe(operation, what, code); },
                         operation.what);
  }
  if (meaning.empty()) meaning = std::strerror(code);
  if (!explanation.empty()) meaning.append(" (kernel: ").append(explanation).append(")");
  return {operation.str() + ": " + meaning, code};
}

Error channelError(Error error) {
  if (error.code == ENOENT) {
    return {"IPVS is not in the kernel: run 'modprobe -a ip_vs ip_vs_mh'", ENOENT};
  }
  if (error.code == EPERM || error.code == EACCES) return {kNoPermission, error.code};
  return error;
}

}  // namespace l4ward::ipvs
