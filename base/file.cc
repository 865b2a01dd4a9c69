#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "base/unique_fd.h"

namespace l4ward {

Result<std::string> readFile(const std::string& path, std::size_t limit) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return failErrno("cannot open " + path, errno);
  std::string content;
  std::array<char, 16384> chunk{};
  for (;;) {
    const ssize_t got = ::read(fd.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failErrno("cannot read " + path, errno);
    if (got == 0) return content;
    content.append(chunk.data(), static_cast<std::size_t>(got));
    if (content.size() > limit) {
      return fail(path + " is larger than " + std::to_string(limit) + " bytes", EFBIG);
    }
  }
}

namespace {

Status syncDirectoryOf(const std::string& path) {
  const auto slash = path.rfind('/');
  const auto directory = slash == path.npos ? "." : path.substr(0, slash + 1);
  const UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return failErrno("cannot sync " + directory, errno);
  return {};
}

Status replace(const std::string& path, std::string_view content, unsigned mode, bool durably) {
  const std::string temporary = path + ".new";
  const UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  if (!fd) return failErrno("cannot write " + temporary, errno);
  const auto giveUp = [&](const std::string& what) {
    const int code = errno;
    ::unlink(temporary.c_str());
    return failErrno(what, code);
  };
  ::fchmod(fd.get(), mode);
  while (!content.empty()) {
    const ssize_t put = ::write(fd.get(), content.data(), content.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return giveUp("cannot write " + temporary);
    content.remove_prefix(static_cast<std::size_t>(put));
  }
  if (durably && ::fsync(fd.get()) != 0) return giveUp("cannot sync " + temporary);
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    return giveUp("cannot rename " + temporary + " to " + path);
  }
  return durably ? syncDirectoryOf(path) : Status();
}

}  // namespace

Status replaceFile(const std::string& path, std::string_view content, unsigned mode) {
  return replace(path, content, mode, false);
}

Status replaceFileDurably(const std::string& path, std::string_view content, unsigned mode) {
  return replace(path, content, mode, true);
}

}  // namespace l4ward
