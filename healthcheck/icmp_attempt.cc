// Attempts by ping: one echo request.
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>

#include <cerrno>
#include <random>

#include "healthcheck/failure.h"
#include "healthcheck/icmp_message.h"
#include "healthcheck/packet_attempt.h"
#include "healthcheck/socket.h"

namespace l4ward::healthcheck {
namespace {

// ICMP_FILTER of <linux/icmp.h>, which the C library's headers do not go with.
constexpr int icmpFilter = 1;

// Not foreseeable, so that a reply can only come from where the request arrived.
Echo randomEcho() {
  std::random_device random;
  Echo echo;
  echo.id = static_cast<std::uint16_t>(random());
  echo.sequence = static_cast<std::uint16_t>(random());
  for (char& byte : echo.payload) byte = static_cast<char>(random());
  return echo;
}

// Other programs' replies and all else would only wake this one.
void receiveOnlyReplies(int socket, Family family) {
  if (family == Family::v4) {
    const std::uint32_t blocked = ~(1U << ICMP_ECHOREPLY);
    setsockopt(socket, SOL_RAW, icmpFilter, &blocked, sizeof blocked);
  } else {
    icmp6_filter filter;
    ICMP6_FILTER_SETBLOCKALL(&filter);
    ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter);
    setsockopt(socket, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter);
  }
}

std::uint16_t localPort(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.ss_family == AF_INET ? reinterpret_cast<sockaddr_in&>(address).sin_port
                                            : reinterpret_cast<sockaddr_in6&>(address).sin6_port);
}

bool isForbidden(int code) {
  return code == EACCES || code == EPERM;
}

class IcmpAttempt : public PacketAttempt {
 public:
  using PacketAttempt::PacketAttempt;

 private:
  tl::expected<UniqueFd, Judgement> openConnected() override {
    auto socket = openPermitted();
    if (!socket && isForbidden(errno)) {
      return tl::unexpected(notMade(
          "no permission to send an echo request (CAP_NET_RAW, or net.ipv4.ping_group_range)"));
    }
    if (!socket) return tl::unexpected(judgeSetup(Setup::socket, errno, probe()));
    if (isRaw_) receiveOnlyReplies(socket.get(), family());
    auto connected = connectSocket(socket.get(), probe());
    if (!connected) return tl::unexpected(std::move(connected.error()));
    // A ping socket's port is the id that the kernel writes into its requests.
    if (!isRaw_) echo_.id = localPort(socket.get());
    return socket;
  }

  // A ping socket needs no capability, but a group in net.ipv4.ping_group_range, which by default
  // is empty; for IPv6 as well.
  UniqueFd openPermitted() {
    const int protocol = family() == Family::v4 ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6};
    auto socket = openSocket(probe(), SOCK_DGRAM, protocol);
    if (socket || !isForbidden(errno)) return socket;
    isRaw_ = true;
    return openSocket(probe(), SOCK_RAW, protocol);
  }

  std::string_view request() override {
    request_ = encodeEcho(echo_, family());
    return request_;
  }

  std::optional<Judgement> onPacket(std::string_view packet) override {
    const bool withIpHeader = isRaw_ && family() == Family::v4;
    if (!isReply(packet, echo_, family(), withIpHeader)) return std::nullopt;
    return passed("echo reply");
  }

  // A raw socket is told about all programs' packets to this destination.
  std::optional<Judgement> onError(const NetworkError& error) override {
    if (!quotesRequest(error.quoted, echo_, family())) return std::nullopt;
    return failed(FailureKind::unreachable, describe(error));
  }

  Echo echo_ = randomEcho();
  std::string request_;
  bool isRaw_ = false;
};

class IcmpAttempts : public Attempts {
 public:
  IcmpAttempts(const Shared& shared, const Probe& probe) : shared_(shared), probe_(probe) {}

  std::shared_ptr<Attempt> make() override {
    return std::make_shared<IcmpAttempt>(shared_, probe_);
  }

 private:
  const Shared& shared_;
  const Probe& probe_;
};

}  // namespace

Result<std::unique_ptr<Attempts>> icmpAttempts(const Attempts::Shared& shared, const Probe& probe) {
  return std::make_unique<IcmpAttempts>(shared, probe);
}

}  // namespace l4ward::healthcheck
