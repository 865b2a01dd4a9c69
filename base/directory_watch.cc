#include "base/directory_watch.h"

#include <sys/inotify.h>

#include <cstring>

#include "base/unique_fd.h"

namespace l4ward {

class DirectoryWatch::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& loop, Changed changed) : inotify_(loop), changed_(std::move(changed)) {}

  void open() {
    UniqueFd fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    ErrorCode error;
    if (fd) inotify_.assign(fd.get(), error);
    if (!fd || error) return;
    fd.release();
    wait();
  }

  void watch(const std::set<std::string>& directories) {
    if (!inotify_.is_open()) return;
    // No IN_MODIFY: a file that is written anew is empty for a moment.
    constexpr auto kEvents = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
                             IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
    std::set<int> watched;
    for (const auto& directory : directories) {
      const int found = ::inotify_add_watch(inotify_.native_handle(), directory.c_str(), kEvents);
      if (found >= 0) watched.insert(found);
    }
    for (const int old : watched_) {
      if (!watched.contains(old)) ::inotify_rm_watch(inotify_.native_handle(), old);
    }
    watched_ = std::move(watched);
  }

  void close() {
    ErrorCode ignored;
    inotify_.close(ignored);
    changed_ = nullptr;
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
    wait();
    for (const char* at = bytes; size > 0 && at < bytes + size;) {
      inotify_event event;
      std::memcpy(&event, at, sizeof event);
      at += sizeof event;
      const auto changed = changed_;  // may close this
      const bool isEndOfWatch = (event.mask & IN_IGNORED) != 0;
      if (!isEndOfWatch && changed) changed(event.len == 0 ? std::string_view() : at);
      at += event.len;
    }
  }

  asio::posix::stream_descriptor inotify_;
  Changed changed_;
  std::set<int> watched_;
};

DirectoryWatch::DirectoryWatch(asio::io_context& loop, Changed changed)
    : impl_(std::make_shared<Impl>(loop, std::move(changed))) {
  impl_->open();
}

DirectoryWatch::~DirectoryWatch() {
  impl_->close();
}

void DirectoryWatch::watch(const std::set<std::string>& directories) {
  impl_->watch(directories);
}

}  // namespace l4ward
