// Why the agent cannot be reached, and what to type next.
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "control/ctl/client.h"
#include "control/ctl/paths.h"

namespace l4ward::ctl {

using control::Refusal;

namespace {

std::string groupOf(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return "l4ward";
  const group* entry = ::getgrgid(found.st_gid);  // NOLINT(concurrency-mt-unsafe): one thread
  return entry == nullptr ? std::to_string(found.st_gid) : entry->gr_name;
}

std::string userName() {
  const passwd* entry = ::getpwuid(::geteuid());  // NOLINT(concurrency-mt-unsafe): one thread
  return entry == nullptr ? "USER" : entry->pw_name;
}

// Names of network namespaces whose agents have a socket beside the default one.
std::vector<std::string> otherAgents() {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(kRunDir, ignored)) {
    if (std::filesystem::is_socket(entry.path() / kSocketName, ignored)) {
      names.push_back(entry.path().filename());
    }
  }
  return names;
}

Refusal noSocket(const std::string& path) {
  Refusal refusal{kNoSocket, "there is no socket " + path + ": no agent runs here",
                  "systemctl start l4ward"};
  if (path != defaultSocket("")) {
    refusal.message += ", or it has another run directory";
    refusal.next = "l4wardctl status";
    return refusal;
  }
  const auto others = otherAgents();
  if (others.empty()) return refusal;
  refusal.message += " outside of network namespaces";
  refusal.next = "l4wardctl --netns " + others.front() + " status";
  return refusal;
}

Refusal notAllowed(const std::string& path) {
  const auto group = groupOf(path);
  const auto user = userName();
  return {
      kNotAllowed, "you may not talk to the agent: " + user + " is not in group " + group,
      "sudo l4wardctl …, or once: sudo usermod -aG " + group + " " + user + " (and log in again)"};
}

}  // namespace

Refusal connectRefusal(const std::string& path, int code) {
  switch (code) {
    case ENOENT:
    case ENOTDIR:
      return noSocket(path);
    case ECONNREFUSED:
      return {kNotListening, "the socket " + path + " is there, but no agent listens: it has ended",
              "systemctl status l4ward"};
    case EACCES:
    case EPERM:
      return notAllowed(path);
    default:
      return {kUnreachable, "cannot connect to " + path + ": " + std::strerror(code),
              "systemctl status l4ward"};
  }
}

}  // namespace l4ward::ctl
