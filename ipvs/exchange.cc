#include "ipvs/exchange.h"

#include <cerrno>

namespace l4ward::ipvs {

Status exchange(Channel& channel, ByteView request, Millis timeout, const OnReply& onReply) {
  const auto deadline = channel.now() + timeout;
  if (auto sent = channel.send(request); !sent) return sent;
  while (true) {
    const auto datagram = channel.receive(deadline);
    if (!datagram) return tl::unexpected(datagram.error());
    const auto replies = splitReplies(*datagram);
    if (!replies) return tl::unexpected(replies.error());
    for (const auto& reply : *replies) {
      const auto last = onReply(reply);
      if (!last) return tl::unexpected(last.error());
      if (*last) return {};
    }
    // receive() waits for the deadline only while there is nothing.
    if (channel.now() >= deadline) {
      return fail("the kernel's answer did not end in time", ETIMEDOUT);
    }
  }
}

}  // namespace l4ward::ipvs
