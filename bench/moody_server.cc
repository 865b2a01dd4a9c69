#include "bench/moody_server.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

namespace l4ward::bench {
namespace {

constexpr std::size_t perBlock = 250;
constexpr auto listenerMark = ~std::uint64_t{0};
constexpr auto stopMark = listenerMark - 1;

int check(int result, const char* call) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), call);
  return result;
}

// SplitMix64: the numbers of equal arguments are equal in every run and on every machine.
std::uint64_t mixed(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

void add(int epoll, int fd, std::uint32_t events, std::uint64_t data) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = data;
  check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

std::string_view answerOf(Mood mood) {
  switch (mood) {
    case Mood::ok:
      return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    case Mood::unavailable:
      return "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
    case Mood::drain:
      return "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    case Mood::reset:
    case Mood::hang:
      break;
  }
  return "";
}

// A request fits into one segment. Whoever hangs up early gets nothing.
void answer(UniqueFd connection, Mood mood) {
  char request[4096];
  if (recv(connection.get(), request, sizeof request, 0) <= 0) return;
  const auto text = answerOf(mood);
  send(connection.get(), text.data(), text.size(), MSG_NOSIGNAL);
}

}  // namespace

IpAddress targetAddress(std::size_t index) {
  const std::array<std::uint8_t, 4> bytes{127, 1, static_cast<std::uint8_t>(index / perBlock),
                                          static_cast<std::uint8_t>(index % perBlock + 1)};
  return IpAddress::fromBytes(bytes).value();
}

Mood moodOf(std::uint64_t seed, std::size_t index, Millis sinceStart) {
  const auto own = mixed(seed ^ mixed(index));
  const auto period = 3000 + own % 5000;
  const auto phase = mixed(own) % period;
  const auto time = static_cast<std::uint64_t>(sinceStart.count()) + phase;
  auto turn = time / period;
  // Flaky: else runs of both drain and failure, which count as one, would be rare.
  if (mixed(own + turn) % 5 == 0) turn = mixed(time / 400);
  const auto dice = mixed(own ^ mixed(turn)) % 10;
  if (dice < 5) return Mood::ok;
  if (dice < 7) return Mood::unavailable;
  if (dice < 8) return Mood::drain;
  return dice < 9 ? Mood::reset : Mood::hang;
}

MoodyServer::MoodyServer(std::uint64_t seed) : seed_(seed) {
  listener_.reset(check(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket"));
  // All addresses at once, but of the loopback only.
  check(setsockopt(listener_.get(), SOL_SOCKET, SO_BINDTODEVICE, "lo", 2), "SO_BINDTODEVICE");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  check(bind(listener_.get(), generic, size), "bind");
  check(listen(listener_.get(), 4096), "listen");
  check(getsockname(listener_.get(), generic, &size), "getsockname");
  port_ = ntohs(address.sin_port);

  epoll_.reset(check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1"));
  stop_.reset(check(eventfd(0, EFD_CLOEXEC), "eventfd"));
  add(epoll_.get(), listener_.get(), EPOLLIN, listenerMark);
  add(epoll_.get(), stop_.get(), EPOLLIN, stopMark);
  thread_ = std::thread([this] { serve(); });
}

// What hangs then stays open until the process ends, which is soon.
MoodyServer::~MoodyServer() {
  eventfd_write(stop_.get(), 1);
  thread_.join();
}

void MoodyServer::serve() {
  std::array<epoll_event, 256> events{};
  while (true) {
    const int n = epoll_wait(epoll_.get(), events.data(), events.size(), -1);
    for (int i = 0; i < n; ++i) {
      const auto data = events[static_cast<std::size_t>(i)].data.u64;
      if (data == stopMark) return;
      if (data == listenerMark) {
        acceptAll();
      } else {
        answer(UniqueFd(static_cast<int>(data >> 8)), static_cast<Mood>(data & 0xff));
      }
    }
  }
}

void MoodyServer::acceptAll() {
  while (true) {
    UniqueFd connection(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (connection) {
      welcome(std::move(connection));
    } else if (errno == EMFILE || errno == ENFILE) {
      check(-1, "accept4");  // ends the process: all that follows would be of no worth
    } else if (errno == EAGAIN) {
      return;
    }
  }
}

void MoodyServer::welcome(UniqueFd connection) {
  sockaddr_in local{};
  socklen_t size = sizeof local;
  check(getsockname(connection.get(), reinterpret_cast<sockaddr*>(&local), &size), "getsockname");
  const auto address = ntohl(local.sin_addr.s_addr);
  const auto index = (address >> 8 & 0xff) * perBlock + (address & 0xff) - 1;
  const auto mood = moodOf(seed_, index, std::chrono::floor<Millis>(Clock::now() - start_));
  ++met_[static_cast<std::size_t>(mood)];
  if (mood == Mood::reset) {
    const linger reset{1, 0};
    setsockopt(connection.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    return;  // closes it
  }
  // A connection that hangs is only watched for its end.
  const std::uint32_t events = mood == Mood::hang ? EPOLLRDHUP : EPOLLIN;
  const auto fd = connection.release();
  add(epoll_.get(), fd, events,
      static_cast<std::uint64_t>(fd) << 8 | static_cast<std::uint8_t>(mood));
}

}  // namespace l4ward::bench
