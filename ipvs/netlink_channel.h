// A Channel that is a generic netlink socket.
#pragma once

#include <linux/netlink.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "ipvs/channel.h"

struct nl_sock;

namespace l4ward::ipvs {

class NetlinkChannel final : public Channel {
 public:
  // Connects and finds the family's number, which also makes the kernel load the family's module
  // if it can; waits for `timeout` at most. Answers wait in the receive buffer (bytes), where a
  // short one takes about 800. An error with code ENOENT: the kernel does not have the family.
  static Result<std::unique_ptr<Channel>> open(const std::string& family, Millis timeout,
                                               int receiveBuffer);

  std::uint16_t family() const override { return family_; }
  std::uint32_t nextSequence() override { return ++sequence_; }
  Status send(ByteView datagram) override;
  Result<ByteView> receive(TimePoint deadline) override;

 private:
  // Datagrams that one system call takes. A dump of one service has two, the second one being its
  // end.
  static constexpr std::size_t kDatagrams = 8;

  NetlinkChannel();
  Status connect(const std::string& family, Millis timeout);
  Status configure(int receiveBuffer);
  Status receiveNow();
  Status wait(TimePoint deadline) const;

  struct Free {
    void operator()(nl_sock* socket) const;
  };
  std::unique_ptr<nl_sock, Free> socket_;
  std::unique_ptr<std::uint32_t[]> buffer_;      // words: netlink headers need the alignment
  std::array<mmsghdr, kDatagrams> datagrams_{};  // the first `received_` of them hold something
  std::array<sockaddr_nl, kDatagrams> senders_{};
  std::size_t received_ = 0;
  std::size_t read_ = 0;  // of those, handed out
  std::uint16_t family_ = 0;
  std::uint32_t sequence_ = 0;
};

}  // namespace l4ward::ipvs
