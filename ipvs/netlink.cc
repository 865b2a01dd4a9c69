#include "ipvs/netlink.h"

#include <linux/ip_vs.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

#include "ipvs/netlink_channel.h"
#include "ipvs/netlink_errors.h"

namespace l4ward::ipvs {
namespace {

constexpr std::size_t kMinBatch = 1;
// The send buffer bounds a datagram; a request has less than 200 bytes.
constexpr std::size_t kMaxBatch = 1000;
// Requests for one service each in a datagram. Each is answered, by about 1 KiB of receive buffer.
constexpr std::size_t kQueries = 64;

bool comesTwice(const std::vector<Destination>& destinations) {
  std::vector<Endpoint> addresses;
  addresses.reserve(destinations.size());
  for (const auto& destination : destinations) addresses.push_back(destination.address);
  if (!std::is_sorted(addresses.begin(), addresses.end())) {
    std::sort(addresses.begin(), addresses.end());  // not l4ward's work
  }
  return std::adjacent_find(addresses.begin(), addresses.end()) != addresses.end();
}

// Of a service. Without IPv6 in the kernel's IPVS there are no services of IPv6.
bool meansAbsent(int code) {
  return code == ESRCH || code == ENOENT || code == EAFNOSUPPORT;
}

}  // namespace

NetlinkKernel::NetlinkKernel(ChannelFactory channels, NetlinkOptions options)
    : options_(options), dump_(std::move(channels), options) {
  options_.batch = std::clamp(options_.batch, kMinBatch, kMaxBatch);
}

Result<std::unique_ptr<NetlinkKernel>> NetlinkKernel::open(NetlinkOptions options) {
  return open(netlinkChannels(options), options);
}

Result<std::unique_ptr<NetlinkKernel>> NetlinkKernel::open(ChannelFactory channels,
                                                           NetlinkOptions options) {
  std::unique_ptr<NetlinkKernel> kernel(new NetlinkKernel(std::move(channels), options));
  if (const auto connected = kernel->dump_.connect(); !connected) {
    return tl::unexpected(connected.error());
  }
  return kernel;
}

Result<ActualTable> NetlinkKernel::dump() {
  return repeated([this](ActualTable& table) -> Status {
    if (auto read = readServices(table); !read) return read;
    return readDestinations(table);
  });
}

Result<ActualTable> NetlinkKernel::dump(std::span<const ServiceKey> services) {
  return repeated([&](ActualTable& table) -> Status {
    for (auto left = services; !left.empty();) {
      const auto some = left.first(std::min(left.size(), kQueries));
      if (auto read = readServices(some, table); !read) return read;
      left = left.subspan(some.size());
    }
    return readDestinations(table);
  });
}

Result<ActualTable> NetlinkKernel::repeated(const std::function<Status(ActualTable&)>& read) {
  ActualTable table;
  const auto status = dump_.repeated([&] {
    table.clear();
    return read(table);
  });
  if (!status) return tl::unexpected(status.error());
  return table;
}

Status NetlinkKernel::readServices(ActualTable& table) {
  return dump_.services([&](ByteView attributes) -> Status {
    const auto service = decodeService(attributes);
    if (!service) return tl::unexpected(service.error());
    if (!*service) return {};
    const auto [place, isNew] = table.try_emplace((*service)->key);
    if (!isNew) return NetlinkDump::changed();
    place->second.config = (*service)->config;
    return {};
  });
}

Status NetlinkKernel::readServices(std::span<const ServiceKey> keys, ActualTable& table) {
  auto& channel = dump_.channel();
  request_.clear();
  std::uint32_t last = 0;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    last = channel.nextSequence();
    // The last one's acknowledgement, which comes behind its answer, ends them all.
    appendGetService(request_, {channel.family(), last, i + 1 == keys.size()}, keys[i]);
  }
  const auto first = last + 1 - static_cast<std::uint32_t>(keys.size());
  return exchange(channel, request_, options_.timeout, [&](const Reply& reply) -> Result<bool> {
    const auto index = reply.sequence - first;
    if (index >= keys.size()) return false;
    if (reply.kind == Reply::Kind::data) {
      const auto service = decodeService(reply.attributes);
      if (!service) return tl::unexpected(service.error());
      if (!*service || (*service)->key != keys[index]) {
        return fail("the kernel's answer about " + keys[index].str() + " is another service", EIO);
      }
      table[keys[index]].config = (*service)->config;
      return false;
    }
    if (reply.code != 0 && !meansAbsent(reply.code)) {
      return failErrno("cannot read IPVS service " + keys[index].str(), reply.code);
    }
    return reply.sequence == last;
  });
}

Status NetlinkKernel::readDestinations(ActualTable& table) {
  for (auto& [key, service] : table) {
    if (auto read = readDestinations(key, service); !read) return read;
  }
  return {};
}

Status NetlinkKernel::readDestinations(const ServiceKey& key, ActualService& service) {
  auto read = dump_.destinations(key, [&](ByteView attributes) -> Status {
    auto destination = decodeDestination(attributes, key.family());
    if (!destination) return tl::unexpected(destination.error());
    service.destinations.push_back(*std::move(destination));
    return {};
  });
  // IPVS continues a dump at the position where it stopped and never says that the list changed.
  if (read && comesTwice(service.destinations)) return NetlinkDump::changed();
  return read;
}

ApplyReport NetlinkKernel::apply(std::span<const Operation> operations) {
  ApplyReport report;
  for (std::size_t first = 0; first < operations.size(); first += options_.batch) {
    const auto batch =
        operations.subspan(first, std::min(options_.batch, operations.size() - first));
    const auto connected = dump_.connect();
    const auto done = connected ? applyBatch(batch, first, report) : connected;
    if (done) continue;
    dump_.drop();
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
  std::vector<OperationFailure> failures;
  if (auto sent = sendBatch(batch, first, failures); !sent) return sent;
  // Those that could not be encoded came before the kernel's.
  std::ranges::sort(failures, {}, &OperationFailure::index);
  const auto same = [](const auto& a, const auto& b) { return a.index == b.index; };
  failures.erase(std::unique(failures.begin(), failures.end(), same), failures.end());
  report.applied += batch.size() - failures.size();
  report.failures.insert(report.failures.end(), failures.begin(), failures.end());
  return {};
}

Status NetlinkKernel::sendBatch(std::span<const Operation> batch, std::size_t first,
                                std::vector<OperationFailure>& failures) {
  auto& channel = dump_.channel();
  constexpr std::size_t kTypicalRequest = 192;
  request_.clear();
  request_.reserve(batch.size() * kTypicalRequest);
  const auto base = channel.nextSequence();  // the sequence number of batch[0]
  std::uint32_t last = base;
  std::optional<std::size_t> lastStart;  // of the last request in the datagram
  RequestWriter writer;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const auto sequence = i == 0 ? base : channel.nextSequence();
    const auto start = request_.size();
    const auto encoded = writer.append(request_, {channel.family(), sequence}, batch[i]);
    if (!encoded) {
      failures.push_back({first + i, encoded.error()});
      continue;
    }
    ++writes_;
    last = sequence;
    lastStart = start;
  }
  if (!lastStart) return {};
  // The kernel works through a datagram in order and answers failures unasked, so one
  // acknowledgement, of the last request, covers all others.
  request_.resize(*lastStart);
  (void)appendRequest(request_, {channel.family(), last, true}, batch[last - base]);
  return exchange(channel, request_, options_.timeout, [&](const Reply& reply) -> Result<bool> {
    const auto index = reply.sequence - base;
    if (reply.kind != Reply::Kind::status || index >= batch.size()) return false;
    if (reply.code != 0) {
      failures.push_back({first + index, operationError(batch[index], reply.code, reply.message)});
    }
    return reply.sequence == last;
  });
}

}  // namespace l4ward::ipvs
