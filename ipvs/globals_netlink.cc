#include "ipvs/globals_netlink.h"

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <variant>

#include "ipvs/globals_messages.h"
#include "ipvs/netlink_errors.h"

namespace l4ward::ipvs {
namespace {

std::string meaning(const SetTimeouts&, int code) {
  if (code != EINVAL) return {};
  return "a timeout is out of range: 1 to " + std::to_string(Timeouts::kMaxTimeout) + " seconds";
}

std::string meaning(const StopDaemon& stop, int code) {
  return code == ESRCH ? "no " + std::string(toString(stop.role)) + " runs" : std::string();
}

std::string meaning(const StartDaemon& start, int code) {
  const auto& daemon = start.daemon;
  switch (code) {
    case EEXIST:
      return "a " + std::string(toString(daemon.role)) + " runs already";
    case ENODEV:
      return "there is no interface " + daemon.interface + ", or it cannot do multicast";
    case EINVAL:
      return "the kernel refuses it: the group must be a multicast address, and no server may have "
             "the other address family than its service";
    case EAFNOSUPPORT:
      return "the kernel's IPVS has no IPv6";
    default:
      return {};
  }
}

Error globalsError(const GlobalsOperation& operation, const Reply& reply) {
  auto text =
      std::visit([&](const auto& what) { return meaning(what, reply.code); }, operation.what);
  if (reply.code == EPERM || reply.code == EACCES) text = channelError({{}, reply.code}).message;
  if (text.empty()) text = std::strerror(reply.code);
  if (!reply.message.empty()) text.append(" (kernel: ").append(reply.message).append(")");
  return {operation.str() + ": " + text, reply.code};
}

}  // namespace

NetlinkGlobals::NetlinkGlobals(ChannelFactory channels, Millis timeout)
    : channels_(std::move(channels)), timeout_(timeout) {}

Status NetlinkGlobals::connect() {
  if (channel_) return {};
  auto channel = channels_();
  if (!channel) return tl::unexpected(channelError(channel.error()));
  channel_ = *std::move(channel);
  return {};
}

Result<Globals> NetlinkGlobals::dump() {
  if (const auto connected = connect(); !connected) return tl::unexpected(connected.error());
  Globals globals;
  auto status = readTimeouts(globals.timeouts);
  if (status) status = readDaemons(globals);
  if (status) return globals;
  channel_.reset();
  return tl::unexpected(channelError(status.error()));
}

Status NetlinkGlobals::readTimeouts(Timeouts& timeouts) {
  request_.clear();
  const auto sequence = channel_->nextSequence();
  appendGetTimeouts(request_, {channel_->family(), sequence});
  return ask(sequence, [&](ByteView attributes) -> Result<bool> {
    const auto decoded = decodeTimeouts(attributes);
    if (!decoded) return tl::unexpected(decoded.error());
    timeouts = *decoded;
    return true;  // this is no dump, which would have an end
  });
}

Status NetlinkGlobals::readDaemons(Globals& globals) {
  request_.clear();
  const auto sequence = channel_->nextSequence();
  appendDumpDaemons(request_, {channel_->family(), sequence});
  return ask(sequence, [&](ByteView attributes) -> Result<bool> {
    auto daemon = decodeDaemon(attributes);
    if (!daemon) return tl::unexpected(daemon.error());
    if (globals.daemon(daemon->role)) {
      return fail(
          "the kernel lists its sync daemon " + std::string(toString(daemon->role)) + " twice",
          EIO);
    }
    globals.daemons.push_back(*std::move(daemon));
    return false;
  });
}

// Sends `request_` and hands what comes to `take`, to the end or until that returns true.
Status NetlinkGlobals::ask(std::uint32_t sequence, const Take& take) {
  return exchange(*channel_, request_, timeout_, [&](const Reply& reply) -> Result<bool> {
    if (reply.sequence != sequence) return false;
    if (reply.kind == Reply::Kind::data) return take(reply.attributes);
    if (reply.code != 0) return failErrno("cannot read IPVS's settings", reply.code);
    return true;
  });
}

ApplyReport NetlinkGlobals::apply(std::span<const GlobalsOperation> operations) {
  ApplyReport report;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    const auto connected = connect();
    const auto failure = connected ? run(operations[i]) : tl::unexpected(connected.error());
    if (!failure) {
      channel_.reset();
      report.unknown = connected.has_value();
      const auto error = channelError(failure.error());
      for (; i < operations.size(); ++i) report.failures.push_back({i, error});
    } else if (*failure) {
      report.failures.push_back({i, **failure});
    } else {
      ++report.applied;
    }
  }
  return report;
}

// Why the kernel did not do it; nothing if it did. An error: the channel broke.
Result<std::optional<Error>> NetlinkGlobals::run(const GlobalsOperation& operation) {
  request_.clear();
  const auto sequence = channel_->nextSequence();
  const auto encoded = appendRequest(request_, {channel_->family(), sequence, true}, operation);
  if (!encoded) return encoded.error();
  // Stopping a daemon whose threads have not run yet is done, but gives EINTR (kthread_stop()),
  // and that the kernel never answers (netlink_rcv_skb()). So a second request marks the end.
  const auto end = channel_->nextSequence();
  appendGetTimeouts(request_, {channel_->family(), end});
  Reply answer;
  answer.code = std::holds_alternative<StopDaemon>(operation.what) ? 0 : EINTR;
  const auto onReply = [&](const Reply& reply) -> Result<bool> {
    if (reply.sequence == sequence && reply.kind == Reply::Kind::status) answer = reply;
    return reply.sequence == end;
  };
  if (const auto done = exchange(*channel_, request_, timeout_, onReply); !done) {
    return tl::unexpected(done.error());
  }
  if (answer.code == 0) return std::nullopt;
  return globalsError(operation, answer);
}

}  // namespace l4ward::ipvs
