#include "tests/control/frontend_fixture.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <thread>
#include <utility>

namespace l4ward::control::testing {
namespace {

bool ready(int fd, short what, Millis limit) {
  pollfd wait{fd, what, 0};
  return ::poll(&wait, 1, static_cast<int>(limit.count())) > 0;
}

}  // namespace

void FakeBackend::status(StatusReply reply) {
  ++asked;
  if (!silent) return reply(answer);
  const std::lock_guard lock(mutex_);
  kept_.push_back(std::move(reply));
}

void FakeBackend::handle(const Request& request, const Peer& peer,
                         std::function<void(Reply)> reply) {
  const std::lock_guard lock(mutex_);
  ++handled;
  lastPeer = peer;
  if (silent) return keptReplies_.push_back(std::move(reply));
  if (std::holds_alternative<LookupRequest>(request)) {
    const auto& lookup = std::get<LookupRequest>(request);
    if (lookup.vip.port != 80) return reply(tl::unexpected(Refusal{"unknown-service", "none", ""}));
    return reply(nlohmann::json{{"client", lookup.client.str()}});
  }
  reply(nlohmann::json{{"index", request.index()}});
}

void FakeBackend::release() {
  const std::lock_guard lock(mutex_);
  for (const auto& reply : std::exchange(kept_, {})) reply(answer);
  for (const auto& reply : std::exchange(keptReplies_, {})) reply(nlohmann::json("late"));
}

Client Client::toSocket(const std::string& path) {
  Client client;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(&address.sun_path[0], sizeof(address.sun_path) - 1);
  client.fd_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(client.fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    client.fd_.reset();
  }
  return client;
}

Client Client::toPort(const Endpoint& endpoint) {
  Client client;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(endpoint.port);
  ::inet_pton(AF_INET, endpoint.address.str().c_str(), &address.sin_addr);
  client.fd_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(client.fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    client.fd_.reset();
  }
  return client;
}

std::size_t Client::send(std::string_view bytes, Millis limit) {
  std::size_t sent = 0;
  while (sent < bytes.size() && ready(fd_.get(), POLLOUT, limit)) {
    const auto taken =
        ::send(fd_.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (taken <= 0) break;
    sent += static_cast<std::size_t>(taken);
  }
  return sent;
}

bool Client::readMore(Millis limit) {
  std::array<char, 65536> chunk{};
  if (!ready(fd_.get(), POLLIN, limit)) return false;
  const auto got = ::recv(fd_.get(), chunk.data(), chunk.size(), 0);
  if (got > 0) bytes_.append(chunk.data(), static_cast<std::size_t>(got));
  return got > 0;
}

std::string Client::line() {
  std::size_t end = 0;
  while ((end = bytes_.find('\n')) == std::string::npos) {
    if (!readMore()) return "";
  }
  auto line = bytes_.substr(0, end);
  bytes_.erase(0, end + 1);
  return line;
}

std::string Client::rest() {
  while (readMore()) {
  }
  return std::exchange(bytes_, {});
}

std::string Client::httpAnswer(bool withBody) {
  std::size_t end = 0;
  while ((end = bytes_.find("\r\n\r\n")) == std::string::npos) {
    if (!readMore()) return "";
  }
  const auto field = bytes_.find("Content-Length: ");
  const auto length = withBody ? std::stoul(bytes_.substr(field + 16)) : 0;
  const auto whole = end + 4 + length;
  while (bytes_.size() < whole) {
    if (!readMore()) return "";
  }
  auto answer = bytes_.substr(0, whole);
  bytes_.erase(0, whole);
  return answer;
}

void Client::endSending() {
  ::shutdown(fd_.get(), SHUT_WR);
}

bool Client::isHungUp() const {
  return ready(fd_.get(), 0, Millis(0));
}

bool Client::closedWithin(Millis limit) {
  const auto end = Clock::now() + limit;
  while (ready(fd_.get(), POLLIN, limit)) {
    if (!readMore()) return true;
    if (Clock::now() > end) return false;
  }
  return false;
}

void FrontendTest::start(Frontend::Options options) {
  options.socketPath = path();
  frontend_ = std::make_unique<Frontend>(options, backend_);
  const auto listening = frontend_->listen();
  ASSERT_TRUE(listening) << listening.error().message;
}

bool FrontendTest::until(const std::function<bool()>& condition) {
  const auto end = Clock::now() + kLong;
  while (!condition()) {
    if (Clock::now() > end) return false;
    std::this_thread::sleep_for(Millis(2));
  }
  return true;
}

}  // namespace l4ward::control::testing
