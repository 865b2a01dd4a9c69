// A check by a file on this node that an operator, or a deployment, leaves for it.
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <utility>

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
// over or deleted. Without inotify, or while there is no such directory, it says nothing.
class FileWatch : public std::enable_shared_from_this<FileWatch> {
 public:
  FileWatch(asio::io_context& io, const std::string& path, std::function<void()> now)
      : inotify_(io), now_(std::move(now)) {
    const auto slash = path.rfind('/');
    name_ = slash == std::string::npos ? path : path.substr(slash + 1);
    directory_ = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  }

  void open() {
    UniqueFd fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    ErrorCode error;
    if (fd) inotify_.assign(fd.get(), error);
    if (!fd || error) return;
    fd.release();
    follow();
    wait();
  }

  // Watches the directory that has the path now.
  void follow() {
    if (!inotify_.is_open()) return;
    // No IN_MODIFY: a file that is written anew is empty for a moment. One that its writer keeps
    // open is found by the next probe.
    constexpr auto events = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
                            IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
    const int found = ::inotify_add_watch(inotify_.native_handle(), directory_.c_str(), events);
    if (found == watched_) return;
    if (watched_ >= 0) ::inotify_rm_watch(inotify_.native_handle(), watched_);
    watched_ = found;
  }

  void close() {
    ErrorCode ignored;
    inotify_.close(ignored);
    now_ = nullptr;
  }

 private:
  void wait() {
    inotify_.async_wait(asio::posix::stream_descriptor::wait_read,
                        [self = shared_from_this()](const ErrorCode& error) {
                          if (!error && self->inotify_.is_open()) self->onEvents();
                        });
  }

  void onEvents() {
    alignas(inotify_event) char bytes[4096];
    const auto size = ::read(inotify_.native_handle(), bytes, sizeof bytes);
    bool concerned = false;
    for (const char* at = bytes; size > 0 && at < bytes + size;) {
      inotify_event event;
      std::memcpy(&event, at, sizeof event);
      const char* const name = at + sizeof event;
      // Those without a name are about the directory itself, or lost events.
      const bool isEndOfWatch = (event.mask & IN_IGNORED) != 0;
      concerned = concerned || (!isEndOfWatch && (event.len == 0 || name_ == name));
      at = name + event.len;
    }
    wait();
    if (!concerned) return;
    const auto now = now_;  // may close this
    now();
  }

  asio::posix::stream_descriptor inotify_;
  std::function<void()> now_;
  std::string name_;
  std::string directory_;
  int watched_ = -1;
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
  ~FileAttempts() override {
    if (watch_) watch_->close();
  }

  std::shared_ptr<Attempt> make() override {
    if (watch_) watch_->follow();
    return std::make_shared<FileAttempt>(probe_);
  }

  void watch(const std::function<void()>& now) override {
    if (watch_) watch_->close();
    watch_ = std::make_shared<FileWatch>(io_, std::get<FileProbe>(probe_.how).path, now);
    watch_->open();
  }

 private:
  asio::io_context& io_;
  const Probe& probe_;
  std::shared_ptr<FileWatch> watch_;
};

}  // namespace

Result<std::unique_ptr<Attempts>> fileAttempts(const Attempts::Shared& shared, const Probe& probe) {
  return std::make_unique<FileAttempts>(shared.io, probe);
}

}  // namespace l4ward::healthcheck
