#include "control/ctl/watch.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include "control/ctl/answers.h"
#include "control/ctl/interrupts.h"
#include "control/ctl/screen_buffer.h"
#include "control/ctl/screens.h"

namespace l4ward::ctl {
namespace {

constexpr Millis kPeriod{1000};
constexpr Millis kPatience{3000};  // with an answer: longer than it ever takes, short for a person

void writeAll(std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno != EINTR && errno != EAGAIN) return;
    text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
  }
}

// The alternate screen, without cursor, and keys that arrive one by one; undone at its end.
class FullScreen {
 public:
  FullScreen() {
    known_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    raw.c_cc[VSUSP] = _POSIX_VDISABLE;  // stopped, it would leave the terminal like this
    if (known_) ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    writeAll("\033[?1049h\033[?25l");
  }
  ~FullScreen() {
    writeAll("\033[?25h\033[?1049l");
    if (known_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  FullScreen(const FullScreen&) = delete;
  FullScreen& operator=(const FullScreen&) = delete;

 private:
  termios before_{};
  bool known_ = false;
};

Window windowOf() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0) return {};
  return {size.ws_row, size.ws_col};
}

class Watch {
 public:
  Watch(Client::Options options, bool colour) : options_(std::move(options)), colour_(colour) {
    options_.stop = end_.get();
    options_.timeout = std::min(options_.timeout, kPatience);
  }

  void run() {
    const FullScreen screen;
    while (look()) {
      const auto next = Clock::now() + kPeriod;
      do {
        draw();
      } while (wait(next));
      if (ended_) return;
    }
  }

 private:
  // False if the user wants to stop.
  bool look() {
    const auto reply = askOnce(options_, control::StatusRequest{});
    const auto status = reply ? readStatus(*reply) : tl::unexpected(reply.error());
    if (status) {
      status_ = *status;
      gone_.reset();
      return true;
    }
    if (status.error().code == kInterrupted) return false;
    if (!gone_) goneSince_ = Clock::now();
    gone_ = status.error();
    return true;
  }

  std::string text(const Style& style) const {
    std::string text;
    if (gone_) {
      const auto seconds = std::chrono::duration<double>(Clock::now() - goneSince_).count();
      for (const auto& line :
           wrap("NO ANSWER for " + age(seconds) + ": " + clean(gone_->message) + "; trying again",
                style.width)) {
        text += painted(line, Tone::bad, style) + "\n";
      }
      if (!gone_->next.empty()) text += "  -> " + clean(gone_->next) + "\n";
      text += status_ ? "\nWhat was known before:\n\n" : "";
    }
    return status_ ? text + statusScreen(*status_, style, 0) : text;
  }

  void draw() {
    const auto window = windowOf();
    const Style style{std::max<std::size_t>(window.columns, 40), colour_};
    const auto at = status_ ? utc(status_->at) + " UTC" : "";
    writeAll(frame(text(style), "q ends  " + at, window, top_));
  }

  // True if the screen is to be drawn again before `until`.
  bool wait(TimePoint until) {
    const auto left = std::chrono::ceil<Millis>(until - Clock::now()).count();
    std::array<pollfd, 3> fds{
        {{STDIN_FILENO, POLLIN, 0}, {end_.get(), POLLIN, 0}, {resized_.get(), POLLIN, 0}}};
    const int ready = ::poll(fds.data(), fds.size(), static_cast<int>(std::max(left, 0L)));
    if (ready <= 0) return ready < 0 && errno == EINTR;
    if (fds[1].revents != 0) ended_ = true;
    if (fds[2].revents != 0) takeSignals(resized_);
    if (fds[0].revents != 0) takeKeys();
    return !ended_;
  }

  void takeKeys() {
    std::array<char, 64> buffer{};
    const auto got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (got <= 0) {
      ended_ = true;  // the terminal is gone
      return;
    }
    const std::string_view keys(buffer.data(), static_cast<std::size_t>(got));
    const auto page = windowOf().rows > 2 ? windowOf().rows - 2 : 1;
    const auto up = [&](std::size_t lines) { top_ -= std::min(top_, lines); };
    if (keys == "\033[A" || keys == "\033OA" || keys == "k") up(1);
    if (keys == "\033[B" || keys == "\033OB" || keys == "j") ++top_;
    if (keys == "\033[5~") up(page);
    if (keys == "\033[6~" || keys == " ") top_ += page;
    if (keys == "\033[H" || keys == "g") top_ = 0;
    if (keys.find_first_of("qQ\003") != keys.npos) ended_ = true;
  }

  Client::Options options_;
  bool colour_;
  UniqueFd end_ = endSignals();
  UniqueFd resized_ = signalDescriptor({SIGWINCH});
  std::optional<control::NodeStatus> status_;
  std::optional<control::Refusal> gone_;
  TimePoint goneSince_;
  std::size_t top_ = 0;  // line of the screen that the window begins with
  bool ended_ = false;
};

}  // namespace

Status watch(const Client::Options& options, bool colour) {
  if (!::isatty(STDIN_FILENO) || !::isatty(STDOUT_FILENO)) {
    return fail("'watch' needs a terminal");
  }
  Watch(options, colour).run();
  return {};
}

}  // namespace l4ward::ctl
