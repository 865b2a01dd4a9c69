// What the errno of a failed socket call says: something about the server, or about this node only.
#pragma once

#include "base/ip.h"
#include "healthcheck/job.h"
#include "healthcheck/judgement.h"

namespace l4ward::healthcheck {

// Which call failed, before a single packet was answered. The kernel refuses these by itself, so
// nearly all of their errors are this node's.
enum class Setup { socket, mark, bind, connect, send, watch };

// `code`: the errno of a call that failed at once. connect() or send() that return ENETUNREACH or
// EHOSTUNREACH found no route on this node: a local error. The same codes that come later, by
// judgeLost, were reported by a router or by neighbour discovery and are the server's.
Judgement judgeSetup(Setup call, int code, const Probe& probe);

// `code`: the error of a connection that was under way (SO_ERROR, send, recv).
// `answered`: bytes of the answer that had arrived.
Judgement judgeLost(int code, std::size_t answered);

}  // namespace l4ward::healthcheck
