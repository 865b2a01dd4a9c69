// A check by a file on this node that an operator, or a deployment, leaves for it.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <functional>
#include <optional>
#include <utility>

#include "base/directory_watch.h"
#include "base/unique_fd.h"
#include "healthcheck/attempt.h"
#include "healthcheck/clean_text.h"

namespace l4ward::healthcheck {
namespace {

constexpr std::size_t maxFileBytes = 1024;
constexpr std::size_t maxReasonBytes = 200;
constexpr std::size_t maxWordBytes = 32;
constexpr std::string_view blanks = " \t\r\n\v\f";

Judgement judgeText(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  if (text.empty()) return passed("empty");
  const auto line = text.substr(0, text.find('\n'));
  std::string word(line.substr(0, line.find_first_of(blanks)));
  auto reason = cleanText(line.substr(word.size()), maxReasonBytes);
  std::ranges::transform(word, word.begin(), [](unsigned char c) { return std::tolower(c); });
  if (reason.empty()) reason = word;
  if (word == "up" || word == "ready") return passed(reason);
  if (word == "drain") return {Answer::drain, FailureKind::none, reason, {}, {}};
  if (word == "down" || word == "maint") return failed(FailureKind::reported, reason);
  return notMade("'" + cleanText(word, maxWordBytes) + "' is not up, drain or down");
}

Judgement cannot(const std::string& what, const std::string& path, int code) {
  return notMade(failErrno("cannot " + what + " " + path, code).value().message);
}

// Does not block, whatever is there: no FIFO and no device is read.
Judgement judgeFile(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (!fd && (errno == ENOENT || errno == ENOTDIR)) return passed("no such file");
  if (!fd) return cannot("open", path, errno);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return cannot("look at", path, errno);
  if (!S_ISREG(status.st_mode)) return notMade(path + " is not a regular file");
  char text[maxFileBytes];
  const auto size = ::read(fd.get(), text, sizeof text);
  if (size < 0) return cannot("read", path, errno);
  return judgeText({text, static_cast<std::size_t>(size)});
}

// Says when something has happened to a file, by the directory it is in: so it may be made, renamed
// over or deleted. Without inotify, or while there is no such directory, it says nothing; one that
// its writer keeps open is found by the next probe.
class FileWatch {
 public:
  FileWatch(asio::io_context& io, const std::string& path, std::function<void()> now)
      : watch_(io, [name = path.substr(path.rfind('/') + 1),
                    now = std::move(now)](std::string_view changed) {
          if (changed.empty() || changed == name) now();
        }) {
    const auto slash = path.rfind('/');
    directory_ = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    follow();
  }

  // Watches the directory that has the path now.
  void follow() { watch_.watch({directory_}); }

 private:
  std::string directory_;
  DirectoryWatch watch_;
};

class FileAttempt final : public Attempt {
 public:
  explicit FileAttempt(const Probe& probe) : probe_(probe) {}

  void start(Done done) override { done(judgeFile(std::get<FileProbe>(probe_.how).path)); }
  void cancel() override {}
  Judgement timedOut() const override {
    return failed(FailureKind::timeout, "not read within " + formatDuration(probe_.timeout));
  }

 private:
  const Probe& probe_;
};

class FileAttempts final : public Attempts {
 public:
  FileAttempts(asio::io_context& io, const Probe& probe) : io_(io), probe_(probe) {}

  std::shared_ptr<Attempt> make() override {
    if (watch_) watch_->follow();
    return std::make_shared<FileAttempt>(probe_);
  }

  void watch(const std::function<void()>& now) override {
    watch_.emplace(io_, std::get<FileProbe>(probe_.how).path, now);
  }

 private:
  asio::io_context& io_;
  const Probe& probe_;
  std::optional<FileWatch> watch_;
};

}  // namespace

Result<std::unique_ptr<Attempts>> fileAttempts(const Attempts::Shared& shared, const Probe& probe) {
  return std::make_unique<FileAttempts>(shared.io, probe);
}

}  // namespace l4ward::healthcheck
