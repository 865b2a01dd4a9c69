// What other tiers are told of a node: may traffic come to it, and to this virtual IP of it? Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ip.h"
#include "control/status.h"

namespace l4ward::control {

// Why the node should get no traffic, a sentence each; none: it is ready. It is when it runs, is
// programmed, nobody has drained or disabled it, and, with a `bgp` section, at least one virtual IP
// is announced as usual, ExaBGP has acknowledged all and a session is up; without: at least one
// virtual IP can be served.
std::vector<std::string> whyNotReady(const NodeStatus& status);

// nullopt: no virtual IP or range of this node holds the address. Else why it should get no
// traffic; empty: it should. With a `bgp` section it should while the prefix is announced, and not
// as a last resort or as draining: a tier that asks has other nodes to choose from. Without: while
// each of its services is programmed and has its quorum, and nobody drained or disabled any of
// them.
std::optional<std::string> whyNotUsable(const NodeStatus& status, const IpAddress& address);
// The same of a virtual IP of `status`.
std::string whyNotUsable(const NodeStatus& status, const Vip& vip);

}  // namespace l4ward::control
