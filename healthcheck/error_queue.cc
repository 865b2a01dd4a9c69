#include "healthcheck/error_queue.h"

#include <linux/errqueue.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "healthcheck/socket.h"

namespace l4ward::healthcheck {
namespace {

bool isError(const cmsghdr& header) {
  return (header.cmsg_level == IPPROTO_IP && header.cmsg_type == IP_RECVERR) ||
         (header.cmsg_level == IPPROTO_IPV6 && header.cmsg_type == IPV6_RECVERR);
}

// What the kernel puts behind it: the error, then the sender's address.
struct Report {
  sock_extended_err error;
  sockaddr_in6 sender;  // or the shorter sockaddr_in
};

void read(cmsghdr& header, NetworkError& result) {
  Report report{};
  const auto size = header.cmsg_len - CMSG_LEN(0);
  std::memcpy(&report, CMSG_DATA(&header), std::min(size, sizeof report));
  result.code = static_cast<int>(report.error.ee_errno);
  result.byIcmp =
      report.error.ee_origin == SO_EE_ORIGIN_ICMP || report.error.ee_origin == SO_EE_ORIGIN_ICMP6;
  result.type = report.error.ee_type;
  result.icmpCode = report.error.ee_code;
  if (result.byIcmp) result.sender = addressOf(reinterpret_cast<const sockaddr&>(report.sender));
}

}  // namespace

void queueErrors(int socket, Family family) {
  const int on = 1;
  if (family == Family::v4) {
    setsockopt(socket, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
  } else {
    setsockopt(socket, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
  }
}

std::optional<NetworkError> takeError(int socket) {
  char quoted[64];
  alignas(cmsghdr) char control[512];
  iovec part{quoted, sizeof quoted};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const auto size = recvmsg(socket, &message, MSG_ERRQUEUE | MSG_DONTWAIT);
  if (size < 0) return std::nullopt;
  NetworkError result;
  result.quoted.assign(quoted, static_cast<std::size_t>(size));
  for (auto* header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
    if (isError(*header)) read(*header, result);
  }
  return result;
}

}  // namespace l4ward::healthcheck
