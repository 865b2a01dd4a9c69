#include "bench/floor.h"

#include <linux/ip_vs.h>
#include <linux/netlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace l4ward::bench {
namespace {

constexpr int kSendBuffer = 4 << 20;      // bytes; bounds a datagram
constexpr std::size_t kAnswer = 1 << 16;  // bytes; the kernel fills at most 32 KiB

}  // namespace

void Floor::Free::operator()(nl_sock* socket) const {
  nl_socket_free(socket);
}

Floor::Floor() : socket_(nl_socket_alloc()), buffer_(kAnswer / sizeof(std::uint32_t)) {
  if (!socket_ || genl_connect(socket_.get()) < 0) throw std::runtime_error("no netlink socket");
  const int number = genl_ctrl_resolve(socket_.get(), IPVS_GENL_NAME);
  if (number < 0) throw std::runtime_error("the kernel has no IPVS");
  family_ = static_cast<std::uint16_t>(number);
  const int fd = nl_socket_get_fd(socket_.get());
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &kSendBuffer, sizeof kSendBuffer);
  setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
}

void Floor::encode(std::span<const ipvs::Operation> operations, std::size_t batch) {
  for (std::size_t i = 0; i < operations.size(); ++i) {
    if (i % batch == 0) datagrams_.emplace_back();
    const bool last = (i + 1) % batch == 0 || i + 1 == operations.size();
    auto& datagram = datagrams_.back();
    datagram.last = ++sequence_;
    const auto done =
        ipvs::appendRequest(datagram.bytes, {family_, datagram.last, last}, operations[i]);
    if (!done) throw std::runtime_error(done.error().message);
  }
}

void Floor::encodeDump(const ipvs::WantedTable& table) {
  auto& services = datagrams_.emplace_back();
  services.last = ++sequence_;
  ipvs::appendDumpServices(services.bytes, {family_, services.last});
  for (const auto& [key, service] : table) {
    auto& servers = datagrams_.emplace_back();
    servers.last = ++sequence_;
    ipvs::appendDumpDestinations(servers.bytes, {family_, servers.last}, key);
  }
}

void Floor::send() {
  const int fd = nl_socket_get_fd(socket_.get());
  for (const auto& datagram : datagrams_) {
    const auto size = datagram.bytes.size();
    if (::send(fd, datagram.bytes.data(), size, 0) != static_cast<ssize_t>(size)) {
      throw std::runtime_error(std::string("send: ") + std::strerror(errno));
    }
    await(datagram.last);
  }
}

void Floor::await(std::uint32_t last) {
  const int fd = nl_socket_get_fd(socket_.get());
  while (true) {
    const auto size = ::recv(fd, buffer_.data(), buffer_.size() * sizeof(std::uint32_t), 0);
    if (size < 0) throw std::runtime_error(std::string("recv: ") + std::strerror(errno));
    auto left = static_cast<int>(size);
    for (auto* header = reinterpret_cast<nlmsghdr*>(buffer_.data()); nlmsg_ok(header, left);
         header = nlmsg_next(header, &left)) {
      if (header->nlmsg_type == NLMSG_ERROR) {
        const int code = static_cast<const nlmsgerr*>(nlmsg_data(header))->error;
        if (code != 0) throw std::runtime_error(std::string("IPVS: ") + std::strerror(-code));
      } else if (header->nlmsg_type != NLMSG_DONE) {
        continue;
      }
      if (header->nlmsg_seq == last) return;
    }
  }
}

}  // namespace l4ward::bench
