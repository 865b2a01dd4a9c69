#include "ipvs/netlink_channel.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>

namespace l4ward::ipvs {
namespace {

// The kernel fills datagrams of a dump up to the size of the reader's buffer, but at most 32 KiB.
constexpr std::size_t kDatagramWords = 64 * 1024 / sizeof(std::uint32_t);
constexpr int kSendBuffer = 200 * 1024;  // bytes; bounds a datagram

timeval toTimeval(Millis duration) {
  return {static_cast<time_t>(duration.count() / 1000),
          static_cast<suseconds_t>(duration.count() % 1000 * 1000)};
}

}  // namespace

void NetlinkChannel::Free::operator()(nl_sock* socket) const {
  nl_socket_free(socket);
}

NetlinkChannel::NetlinkChannel()
    : socket_(nl_socket_alloc()),
      // Not zeroed: pages that no datagram reaches cost nothing.
      buffer_(std::make_unique_for_overwrite<std::uint32_t[]>(kDatagrams * kDatagramWords)) {
  if (!socket_) throw std::bad_alloc();
}

Result<std::unique_ptr<Channel>> NetlinkChannel::open(const std::string& family, Millis timeout,
                                                      int receiveBuffer) {
  std::unique_ptr<NetlinkChannel> channel(new NetlinkChannel);
  if (const auto connected = channel->connect(family, timeout); !connected) {
    return tl::unexpected(connected.error());
  }
  if (const auto configured = channel->configure(receiveBuffer); !configured) {
    return tl::unexpected(configured.error());
  }
  return channel;
}

Status NetlinkChannel::connect(const std::string& family, Millis timeout) {
  if (const int code = genl_connect(socket_.get()); code < 0) {
    return fail(std::string("cannot open a netlink socket: ") + nl_geterror(code));
  }
  const auto limit = toTimeval(timeout);  // for libnl's own waiting, in the next call only
  setsockopt(nl_socket_get_fd(socket_.get()), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  const int number = genl_ctrl_resolve(socket_.get(), family.c_str());
  if (number == -NLE_OBJ_NOTFOUND) {
    return fail("the kernel has no netlink family " + family, ENOENT);
  }
  if (number < 0) {
    return fail("cannot find the netlink family " + family + ": " + nl_geterror(number),
                number == -NLE_PERM ? EPERM : EIO);
  }
  family_ = static_cast<std::uint16_t>(number);
  return {};
}

Status NetlinkChannel::configure(int receiveBuffer) {
  const int fd = nl_socket_get_fd(socket_.get());
  const int on = 1;
  // libnl sets both to 32 KiB. Without privilege (in a user namespace) the kernel cuts what is
  // asked for, to 208 KiB by default, which is enough for the default batch.
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kSendBuffer, sizeof kSendBuffer);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, sizeof receiveBuffer);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &receiveBuffer, sizeof receiveBuffer);
  // Answers without a copy of the request, with an explanation. Old kernels do without.
  setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  if (::fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
    return failErrno("cannot set up a netlink socket", errno);
  }
  return {};
}

Status NetlinkChannel::send(ByteView datagram) {
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  const int fd = nl_socket_get_fd(socket_.get());
  while (true) {
    const auto sent = ::sendto(fd, datagram.data(), datagram.size(), 0,
                               reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel);
    if (sent == static_cast<ssize_t>(datagram.size())) return {};
    if (sent >= 0) return fail("the kernel took a part of a netlink request only", EIO);
    if (errno != EINTR) return failErrno("cannot send to the kernel", errno);
  }
}

Result<ByteView> NetlinkChannel::receive(TimePoint deadline) {
  while (true) {
    while (read_ < received_) {
      const auto index = read_++;
      const auto& [header, size] = datagrams_[index];
      if (header.msg_flags & MSG_TRUNC) return fail("the kernel's answer is too long", EMSGSIZE);
      // Any process may send to this socket; only port 0 is the kernel.
      if (senders_[index].nl_pid != 0) continue;
      return ByteView(reinterpret_cast<const std::uint8_t*>(&buffer_[index * kDatagramWords]),
                      size);
    }
    if (auto received = receiveNow(); !received) return tl::unexpected(received.error());
    if (received_ > 0) continue;
    if (auto waited = wait(deadline); !waited) return tl::unexpected(waited.error());
  }
}

// Takes the datagrams that are there, if any. What the kernel has more of a dump it writes while
// this reads, so a dump needs few calls.
Status NetlinkChannel::receiveNow() {
  std::array<iovec, kDatagrams> parts{};
  for (std::size_t i = 0; i < kDatagrams; ++i) {
    parts[i] = {&buffer_[i * kDatagramWords], kDatagramWords * sizeof(std::uint32_t)};
    datagrams_[i] = {};
    auto& header = datagrams_[i].msg_hdr;
    header.msg_name = &senders_[i];
    header.msg_namelen = sizeof senders_[i];
    header.msg_iov = &parts[i];
    header.msg_iovlen = 1;
  }
  read_ = received_ = 0;
  const int count = ::recvmmsg(nl_socket_get_fd(socket_.get()), datagrams_.data(), kDatagrams,
                               MSG_DONTWAIT, nullptr);
  if (count >= 0) {
    received_ = static_cast<std::size_t>(count);
  } else if (errno != EAGAIN && errno != EINTR) {
    return failErrno("cannot receive from the kernel", errno);
  }
  return {};
}

Status NetlinkChannel::wait(TimePoint deadline) const {
  const auto left = std::chrono::ceil<Millis>(deadline - now());
  if (left <= Millis::zero()) return fail("the kernel did not answer in time", ETIMEDOUT);
  pollfd socket{nl_socket_get_fd(socket_.get()), POLLIN, 0};
  if (::poll(&socket, 1, static_cast<int>(left.count())) < 0 && errno != EINTR) {
    return failErrno("cannot wait for the kernel", errno);
  }
  return {};
}

}  // namespace l4ward::ipvs
