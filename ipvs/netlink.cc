#include "ipvs/netlink.h"

#include <linux/ip_vs.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <vector>

#include "ipvs/netlink_errors.h"

namespace l4ward::ipvs {
namespace {

constexpr int kDumpTries = 5;
constexpr std::size_t kMinBatch = 1;
// The send buffer bounds a datagram; a request has less than 200 bytes.
constexpr std::size_t kMaxBatch = 1000;

// The code of a dump that must be repeated on the same channel.
constexpr int kChanged = ESTALE;

}  // namespace

Result<std::unique_ptr<NetlinkKernel>> NetlinkKernel::open(NetlinkOptions options) {
  options.batch = std::clamp(options.batch, kMinBatch, kMaxBatch);
  std::unique_ptr<NetlinkKernel> kernel(new NetlinkKernel(options));
  if (const auto connected = kernel->connect(); !connected) {
    return tl::unexpected(connected.error());
  }
  return kernel;
}

Status NetlinkKernel::connect() {
  if (channel_) return {};
  auto channel = NetlinkChannel::open(IPVS_GENL_NAME, options_.timeout, options_.receiveBuffer);
  if (!channel) return tl::unexpected(channelError(channel.error()));
  channel_ = *std::move(channel);
  return {};
}

Result<ActualTable> NetlinkKernel::dump() {
  Result<ActualTable> table = fail("not dumped");
  for (int i = 0; i < kDumpTries; ++i) {
    if (const auto connected = connect(); !connected) return tl::unexpected(connected.error());
    table = dumpOnce();
    if (table) return table;
    const int code = table.error().code;
    if (code != kChanged) channel_.reset();
    if (code != kChanged && code != ENOBUFS) break;
  }
  return tl::unexpected(channelError(table.error()));
}

Result<ActualTable> NetlinkKernel::dumpOnce() {
  ActualTable table;
  Bytes request;
  const auto sequence = channel_->nextSequence();
  appendDumpServices(request, {channel_->family(), sequence});
  const auto services = collect(request, sequence, [&](ByteView attributes) -> Status {
    auto service = decodeService(attributes);
    if (!service) return tl::unexpected(service.error());
    if (*service) table[(*service)->key].config = (*service)->config;
    return {};
  });
  if (!services) return tl::unexpected(services.error());
  for (auto& [key, service] : table) {
    const auto destinations = dumpDestinations(key, service);
    if (!destinations) return tl::unexpected(destinations.error());
  }
  return table;
}

Status NetlinkKernel::dumpDestinations(const ServiceKey& key, ActualService& service) {
  Bytes request;
  const auto sequence = channel_->nextSequence();
  appendDumpDestinations(request, {channel_->family(), sequence}, key);
  std::set<Endpoint> seen;
  return collect(request, sequence, [&](ByteView attributes) -> Status {
    auto destination = decodeDestination(attributes, key.vip.address.family());
    if (!destination) return tl::unexpected(destination.error());
    // IPVS continues a dump at the position where it stopped and never says that the list changed.
    if (!seen.insert(destination->address).second) {
      return fail("IPVS changed while it was read", kChanged);
    }
    service.destinations.push_back(*std::move(destination));
    return {};
  });
}

// Sends `request` and hands every element of the dump to `element`; reads to the end in any case
// in which the channel stays usable.
Status NetlinkKernel::collect(const Bytes& request, std::uint32_t sequence,
                              const Element& element) {
  if (auto sent = channel_->send(request); !sent) return sent;
  const auto deadline = Clock::now() + options_.timeout;
  Status status;
  while (true) {
    const auto datagram = channel_->receive(deadline);
    if (!datagram) return tl::unexpected(datagram.error());
    const auto replies = splitReplies(*datagram);
    if (!replies) return tl::unexpected(replies.error());
    for (const auto& reply : *replies) {
      if (reply.sequence != sequence) continue;
      if (reply.interrupted && status) status = fail("IPVS changed while it was read", kChanged);
      if (reply.kind != Reply::Kind::data) {
        if (reply.code != 0) return failErrno("cannot read IPVS", reply.code);
        return status;
      }
      if (status) status = element(reply.attributes);
    }
  }
}

ApplyReport NetlinkKernel::apply(std::span<const Operation> operations) {
  ApplyReport report;
  for (std::size_t first = 0; first < operations.size(); first += options_.batch) {
    const auto batch =
        operations.subspan(first, std::min(options_.batch, operations.size() - first));
    const auto connected = connect();
    const auto done = connected ? applyBatch(batch, first, report) : connected;
    if (done) continue;
    channel_.reset();
    report.unknown = connected.has_value();
    const auto error = channelError(done.error());
    for (auto i = first; i < operations.size(); ++i) report.failures.push_back({i, error});
    break;
  }
  return report;
}

// Adds to the report what became of the batch, whose first operation has the index `first` there.
// An error: the channel broke, and the report is as before.
Status NetlinkKernel::applyBatch(std::span<const Operation> batch, std::size_t first,
                                 ApplyReport& report) {
  Bytes datagram;
  std::map<std::uint32_t, std::size_t> sent;  // sequence number to position in the batch
  std::vector<OperationFailure> failures;
  std::size_t lastRequest = 0;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const auto start = datagram.size();
    const auto sequence = channel_->nextSequence();
    const auto encoded = appendRequest(datagram, {channel_->family(), sequence}, batch[i]);
    if (encoded) {
      sent.emplace(sequence, i);
      lastRequest = start;
    } else {
      failures.push_back({first + i, encoded.error()});
    }
  }
  if (!sent.empty()) {
    // The kernel works through a datagram in order and answers failures unasked, so one
    // acknowledgement, of the last request, covers all others.
    const auto [sequence, last] = *sent.rbegin();
    datagram.resize(lastRequest);
    (void)appendRequest(datagram, {channel_->family(), sequence, true}, batch[last]);
    writes_ += sent.size();
    if (auto status = channel_->send(datagram); !status) return status;
    const auto codes = awaitBatch(sequence);
    if (!codes) return tl::unexpected(codes.error());
    for (const auto& [failed, reply] : *codes) {
      const auto found = sent.find(failed);
      if (found == sent.end()) continue;
      failures.push_back({first + found->second,
                          operationError(batch[found->second], reply.code, reply.explanation)});
    }
  }
  std::ranges::sort(failures, {}, &OperationFailure::index);
  report.applied += batch.size() - failures.size();
  report.failures.insert(report.failures.end(), failures.begin(), failures.end());
  return {};
}

// Reads answers up to the one of request `last`: the failures by sequence number.
Result<std::map<std::uint32_t, NetlinkKernel::Failure>> NetlinkKernel::awaitBatch(
    std::uint32_t last) {
  std::map<std::uint32_t, Failure> failures;
  const auto deadline = Clock::now() + options_.timeout;
  while (true) {
    const auto datagram = channel_->receive(deadline);
    if (!datagram) return tl::unexpected(datagram.error());
    const auto replies = splitReplies(*datagram);
    if (!replies) return tl::unexpected(replies.error());
    for (const auto& reply : *replies) {
      if (reply.kind != Reply::Kind::status) continue;
      if (reply.code != 0) failures[reply.sequence] = {reply.code, reply.message};
      if (reply.sequence == last) return failures;
    }
  }
}

}  // namespace l4ward::ipvs
