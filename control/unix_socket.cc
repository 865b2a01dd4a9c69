#include "control/unix_socket.h"

#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string_view>

#include "base/log.h"
#include "base/unique_fd.h"

namespace l4ward::control {
namespace {

std::optional<sockaddr_un> addressOf(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::span<char> room(address.sun_path);
  if (path.size() >= room.size()) return std::nullopt;
  std::copy(path.begin(), path.end(), room.begin());
  return address;
}

// A full queue is somebody's, too, and so is one that cannot be tried for want of descriptors.
bool isListening(const sockaddr_un& address) {
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  return !probe || ::connect(probe.get(), generic, sizeof(address)) == 0 || errno == EAGAIN;
}

std::optional<gid_t> groupNamed(const std::string& name) {
  group entry{};
  group* found = nullptr;
  std::array<char, 65536> room{};
  if (::getgrnam_r(name.c_str(), &entry, room.data(), room.size(), &found) != 0 || !found) {
    return std::nullopt;
  }
  return entry.gr_gid;
}

std::string userNamed(uid_t uid) {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 16384> room{};
  if (::getpwuid_r(uid, &entry, room.data(), room.size(), &found) != 0 || !found) {
    return std::to_string(uid);
  }
  return entry.pw_name;
}

}  // namespace

l4ward::Status removeStaleSocket(const std::string& path) {
  const auto address = addressOf(path);
  if (!address) return fail(path + " is too long for a socket", ENAMETOOLONG);
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return {};
  if (!S_ISSOCK(info.st_mode)) return fail(path + " exists and is not a socket", EEXIST);
  if (isListening(*address)) return fail(path + " is in use by another process", EADDRINUSE);
  if (::unlink(path.c_str()) != 0) return failErrno("cannot remove " + path, errno);
  return {};
}

l4ward::Status setAccess(const std::string& path, const std::string& group) {
  if (::chmod(path.c_str(), 0660) != 0) return failErrno("cannot chmod " + path, errno);
  if (group.empty()) return {};
  const auto gid = groupNamed(group);
  struct stat info {};
  // An agent that runs with this group need not, and may not, change it.
  if (gid && ::lstat(path.c_str(), &info) == 0 && info.st_gid == *gid) return {};
  if (gid && ::chown(path.c_str(), static_cast<uid_t>(-1), *gid) == 0) return {};
  const std::string reason = gid ? failErrno("chown", errno).value().message : "no such group";
  log::info("control.no_group", {{"group", group}, {"path", path}, {"reason", reason}});
  return {};
}

Peer peerOf(int socket) {
  ucred who{};
  socklen_t size = sizeof(who);
  Peer peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) {
    peer.uid = static_cast<unsigned>(-1);
    peer.user = "unknown";
    return peer;
  }
  peer.pid = who.pid;
  peer.uid = who.uid;
  peer.user = userNamed(who.uid);
  return peer;
}

}  // namespace l4ward::control
