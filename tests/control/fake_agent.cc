#include "tests/control/fake_agent.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace l4ward::ctl::testing {
namespace {

[[noreturn]] void raise(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// False if the agent is to stop.
bool waitReadable(int fd, int stop) {
  std::array<pollfd, 2> fds{{{fd, POLLIN, 0}, {stop, POLLIN, 0}}};
  while (::poll(fds.data(), fds.size(), -1) < 0 && errno == EINTR) {
  }
  return fds[1].revents == 0;
}

}  // namespace

FakeAgent::FakeAgent(const std::string& path, Answer answer)
    : answer_(std::move(answer)),
      listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      stop_(::eventfd(0, EFD_CLOEXEC)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener_.get(), 16) != 0) {
    raise("bind");
  }
  thread_ = std::thread([this] { serve(); });
}

FakeAgent::~FakeAgent() {
  ::eventfd_write(stop_.get(), 1);
  thread_.join();
}

void FakeAgent::serve() {
  while (waitReadable(listener_.get(), stop_.get())) {
    serveOne(UniqueFd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)));
  }
}

void FakeAgent::serveOne(const UniqueFd& connection) const {
  std::string data;
  std::array<char, 4096> buffer{};
  while (waitReadable(connection.get(), stop_.get())) {
    const auto got = ::recv(connection.get(), buffer.data(), buffer.size(), 0);
    if (got <= 0) return;
    data.append(buffer.data(), static_cast<std::size_t>(got));
    for (auto end = data.find('\n'); end != data.npos; end = data.find('\n')) {
      auto text = answer_(data.substr(0, end));
      data.erase(0, end + 1);
      const bool hangUp = !text.empty() && text.back() == kHangUp;
      if (hangUp) text.pop_back();
      std::string_view left = text;
      while (!left.empty()) {
        const auto sent = ::send(connection.get(), left.data(), left.size(), MSG_NOSIGNAL);
        if (sent <= 0) return;
        left.remove_prefix(static_cast<std::size_t>(sent));
      }
      if (hangUp) return;
    }
  }
}

}  // namespace l4ward::ctl::testing
