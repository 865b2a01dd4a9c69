#include "tests/healthcheck/test_server.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <cerrno>
#include <stdexcept>

namespace l4ward::healthcheck {
namespace {

void require(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(failErrno(what, errno).value().message);
}

IpAddress addressOf(const sockaddr_storage& from) {
  if (from.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(from);
    return IpAddress::fromBytes({reinterpret_cast<const std::uint8_t*>(&v4.sin_addr), 4}).value();
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(from);
  return IpAddress::fromBytes({v6.sin6_addr.s6_addr, 16}).value();
}

}  // namespace

bool Connection::waitReadable() {
  pollfd fds[] = {{socket_.get(), POLLIN, 0}, {stopEvent_, POLLIN, 0}};
  return poll(fds, 2, -1) > 0 && fds[1].revents == 0;
}

std::string Connection::readRequest() {
  std::string request;
  char buffer[4096];
  while (request.find("\r\n\r\n") == request.npos && waitReadable()) {
    const auto n = recv(socket_.get(), buffer, sizeof buffer, 0);
    if (n <= 0) break;
    request.append(buffer, static_cast<std::size_t>(n));
  }
  return request;
}

bool Connection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    pollfd fds[] = {{socket_.get(), POLLOUT, 0}, {stopEvent_, POLLIN, 0}};
    if (poll(fds, 2, -1) <= 0 || fds[1].revents != 0) return false;
    const auto n = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN) return false;
    if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

void Connection::waitForClose() {
  char buffer[4096];
  while (waitReadable() && recv(socket_.get(), buffer, sizeof buffer, 0) > 0) {
  }
}

bool Connection::pause(Millis time) {
  pollfd stop{stopEvent_, POLLIN, 0};
  return poll(&stop, 1, static_cast<int>(time.count())) == 0;
}

void Connection::reset() {
  const linger now{1, 0};
  setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  socket_.reset();
}

void Connection::halfClose() {
  shutdown(socket_.get(), SHUT_WR);
}

IpAddress Connection::peer() const {
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  require(getpeername(socket_.get(), reinterpret_cast<sockaddr*>(&from), &size) == 0,
          "getpeername");
  return addressOf(from);
}

UniqueFd bindLoopback(Family family, std::optional<int> backlog, Endpoint& bound) {
  const bool v4 = family == Family::v4;
  UniqueFd fd(socket(v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  require(bool(fd), "socket");
  sockaddr_storage address{};
  socklen_t size = v4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  address.ss_family = v4 ? AF_INET : AF_INET6;
  if (v4) {
    reinterpret_cast<sockaddr_in&>(address).sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  } else {
    reinterpret_cast<sockaddr_in6&>(address).sin6_addr = in6addr_loopback;
  }
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  require(bind(fd.get(), generic, size) == 0, "bind");
  require(getsockname(fd.get(), generic, &size) == 0, "getsockname");
  if (backlog) require(listen(fd.get(), *backlog) == 0, "listen");
  const auto port = v4 ? reinterpret_cast<sockaddr_in&>(address).sin_port
                       : reinterpret_cast<sockaddr_in6&>(address).sin6_port;
  bound = {addressOf(address), ntohs(port)};
  return fd;
}

bool hasIpv6() {
  try {
    Endpoint ignored;
    bindLoopback(Family::v6, std::nullopt, ignored);
    return true;
  } catch (const std::runtime_error&) {
    return false;
  }
}

TestServer::TestServer(Family family, Script script)
    : script_(std::move(script)),
      listener_(bindLoopback(family, 128, endpoint_)),
      stopEvent_(eventfd(0, EFD_CLOEXEC)),
      thread_([this] { acceptAll(); }) {}

TestServer::~TestServer() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = write(stopEvent_.get(), &one, sizeof one);
}

void TestServer::acceptAll() {
  for (;;) {
    pollfd fds[] = {{listener_.get(), POLLIN, 0}, {stopEvent_.get(), POLLIN, 0}};
    if (poll(fds, 2, -1) < 0 || fds[1].revents != 0) return;
    UniqueFd socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!socket) continue;
    ++accepted_;
    connections_.emplace_back([this, fd = socket.release()] {
      Connection connection(UniqueFd(fd), stopEvent_.get());
      script_(connection);
    });
  }
}

Script answer(std::string text) {
  return [text = std::move(text)](Connection& connection) {
    connection.readRequest();
    connection.send(text);
    connection.waitForClose();
  };
}

Script answerWithLength(unsigned status) {
  return answer("HTTP/1.1 " + std::to_string(status) + " Text\r\nContent-Length: 5\r\n\r\nhello");
}

}  // namespace l4ward::healthcheck
