#include <linux/genetlink.h>
#include <linux/netlink.h>

#include "ipvs/globals_messages.h"
#include "ipvs/messages.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/targets.h"

namespace l4ward::fuzz {
namespace {

using ipvs::Bytes;
using ipvs::ByteView;

// A buffer of its own, so that the sanitizer sees a byte too far.
Bytes own(ByteView bytes) {
  return {bytes.begin(), bytes.end()};
}

ByteView content(const Bytes& request) {
  return ByteView(request).subspan(NLMSG_HDRLEN + GENL_HDRLEN);
}

void decodeServiceOrNothing(const Bytes& attributes) {
  const auto service = ipvs::decodeService(attributes);
  if (!service || !*service) return;
  const auto& [key, config, counters] = **service;
  require(ipvs::ServiceKey::parse(key.str()) == key);
  (void)config.str();
}

void decodeDestinationOrNothing(const Bytes& attributes, Family family) {
  (void)ipvs::decodeDestinationStatistics(attributes, family);
  const auto destination = ipvs::decodeDestination(attributes, family);
  if (!destination) return;
  require(Endpoint::parse(destination->address.str()) == destination->address);
  (void)destination->path.str();
  (void)destination->thresholds.str();
}

// What was read can be sent, and is the same again.
void decodeDaemonOrNothing(const Bytes& attributes) {
  const auto daemon = ipvs::decodeDaemon(attributes);
  if (!daemon) return;
  Bytes request;
  const ipvs::GlobalsOperation start{ipvs::StartDaemon{*daemon}};
  if (ipvs::appendRequest(request, {}, start)) {
    require(ipvs::decodeDaemon(content(request)) == daemon);
  }
  (void)start.str();
}

void decodeTimeoutsOrNothing(const Bytes& attributes) {
  const auto timeouts = ipvs::decodeTimeouts(attributes);
  if (!timeouts) return;
  Bytes request;
  const ipvs::GlobalsOperation set{ipvs::SetTimeouts{*timeouts}};
  require(ipvs::appendRequest(request, {}, set).has_value());
  require(ipvs::decodeTimeouts(content(request)) == timeouts);
}

}  // namespace

void netlink(Input datagram) {
  const auto bytes = own(datagram);
  const auto replies = ipvs::splitReplies(bytes);
  if (!replies) return;
  for (const auto& reply : *replies) {
    const auto attributes = own(reply.attributes);
    decodeServiceOrNothing(attributes);
    decodeDestinationOrNothing(attributes, Family::v4);
    decodeDestinationOrNothing(attributes, Family::v6);
    decodeDaemonOrNothing(attributes);
    decodeTimeoutsOrNothing(attributes);
  }
}

}  // namespace l4ward::fuzz
