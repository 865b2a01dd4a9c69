// The part of the IPVS generic netlink protocol that globals.h needs, as bytes. No sockets.
// Sources: include/uapi/linux/ip_vs.h, and ip_vs_genl_*() in net/netfilter/ipvs/ip_vs_ctl.c.
#pragma once

#include "base/result.h"
#include "ipvs/globals.h"
#include "ipvs/messages.h"

namespace l4ward::ipvs {

// Append one request to `out`. An error, with `out` as before, if the interface's name is not what
// the kernel can take (EINVAL).
Status appendRequest(Bytes& out, const RequestHeader& header, const GlobalsOperation& operation);
void appendGetTimeouts(Bytes& out, const RequestHeader& header);  // one Reply::Kind::data
void appendDumpDaemons(Bytes& out, const RequestHeader& header);

// What a Reply of these holds. An error if an attribute is too short or misses.
Result<Timeouts> decodeTimeouts(ByteView attributes);
Result<SyncDaemon> decodeDaemon(ByteView attributes);

}  // namespace l4ward::ipvs
