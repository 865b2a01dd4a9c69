#include "base/netns.h"

#include <fcntl.h>
#include <sched.h>

#include <cerrno>

#include "base/unique_fd.h"

namespace l4ward {
namespace {

constexpr const char* kDirectory = "/run/netns/";
constexpr std::size_t kMaxName = 255;

Error openError(const std::string& name, const std::string& path, int code) {
  if (code == ENOENT) {
    return {"no network namespace '" + name + "' (" + path + "): 'ip netns' lists them", code};
  }
  return failErrno("cannot open network namespace " + path, code).value();
}

Error enterError(const std::string& path, int code) {
  if (code == EPERM) return {"entering network namespace " + path + " needs CAP_SYS_ADMIN", code};
  // Without the mount that ip-netns makes, there is an empty file.
  if (code == EINVAL) {
    return {path + " is no network namespace: 'ip netns del' and 'ip netns add' make it anew",
            code};
  }
  return failErrno("cannot enter network namespace " + path, code).value();
}

}  // namespace

bool isNetnsName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxName && name != "." && name != ".." &&
         name.find('/') == name.npos && name.find('\0') == name.npos;
}

Status enterNetns(const std::string& name) {
  if (!isNetnsName(name)) {
    return fail("'" + name + "' is no name of a network namespace: 'ip netns' lists them", EINVAL);
  }
  const auto path = kDirectory + name;
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return tl::unexpected(openError(name, path, errno));
  if (::setns(file.get(), CLONE_NEWNET) != 0) return tl::unexpected(enterError(path, errno));
  return {};
}

}  // namespace l4ward
