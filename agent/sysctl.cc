#include "agent/sysctl.h"

#include <fcntl.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>

#include "base/file.h"
#include "base/unique_fd.h"

namespace l4ward {
namespace {

constexpr std::size_t kMaxValue = 4096;  // a setting is at most a page

// Without blanks around it, and with each run of blanks inside as one.
std::string normalized(const std::string& value) {
  std::string result;
  for (const char c : value) {
    const bool blank = std::isspace(static_cast<unsigned char>(c)) != 0;
    if (blank && (result.empty() || result.back() == ' ')) continue;
    result += blank ? ' ' : c;
  }
  if (result.ends_with(' ')) result.pop_back();
  return result;
}

// One write(2): the kernel takes each call as a whole new value.
Status writeOnce(const std::string& path, const std::string& value) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file) return failErrno("cannot open " + path, errno);
  const auto written = ::write(file.get(), value.data(), value.size());
  if (written < 0) return failErrno("cannot write '" + value + "' to " + path, errno);
  if (static_cast<std::size_t>(written) != value.size()) {
    return fail("the kernel took a part of '" + value + "' only for " + path);
  }
  return {};
}

}  // namespace

Result<std::string> sysctlPath(const std::string& name) {
  std::string path = name;
  const auto separator = path.find_first_of("./");
  if (separator != path.npos && path[separator] == '.') {
    for (char& c : path) c = c == '.' ? '/' : c == '/' ? '.' : c;
  }
  const auto bad = [&](const char* why) {
    return fail("'" + name + "' is not the name of a kernel setting: " + why, EINVAL);
  };
  if (path.find('\0') != path.npos) return bad("it has a NUL byte");
  const auto framed = "/" + path + "/";
  if (framed.find("//") != framed.npos) return bad("a part is empty");
  if (framed.find("/../") != framed.npos || framed.find("/./") != framed.npos) {
    return bad("it leaves /proc/sys");
  }
  return path;
}

Result<std::string> readSysctl(const std::string& name, const std::string& root) {
  const auto path = sysctlPath(name);
  if (!path) return path;
  const auto text = readFile(root + "/" + *path, kMaxValue);
  if (!text) return text;
  return normalized(*text);
}

std::vector<SysctlChange> compareSysctls(const std::map<std::string, std::string>& wanted,
                                         const std::string& root) {
  std::vector<SysctlChange> changes;
  for (const auto& [name, value] : wanted) {
    SysctlChange change{name, "", normalized(value), std::nullopt};
    if (auto before = readSysctl(name, root); !before) {
      change.error = before.error();
    } else {
      change.before = *std::move(before);
      if (change.before == change.after) continue;
    }
    changes.push_back(std::move(change));
  }
  return changes;
}

std::vector<SysctlChange> applySysctls(const std::map<std::string, std::string>& wanted,
                                       const std::string& root) {
  auto changes = compareSysctls(wanted, root);
  for (auto& change : changes) {
    if (change.error) continue;
    const auto written = writeOnce(root + "/" + *sysctlPath(change.name), change.after);
    if (!written) change.error = written.error();
  }
  return changes;
}

}  // namespace l4ward
