// The kernel's table of IPVS's connections, as text: /proc/net/ip_vs_conn.
// Source: ip_vs_conn_seq_show() in net/netfilter/ipvs/ip_vs_conn.c.
#pragma once

#include <cstddef>
#include <istream>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/ip.h"
#include "base/result.h"
#include "ipvs/types.h"

namespace l4ward::ipvs {

struct Flow {
  Protocol protocol = Protocol::tcp;
  Endpoint client;
  Endpoint vip;
  bool operator==(const Flow&) const = default;
};

struct Connection {
  Flow flow;
  Endpoint server;
  std::string state;       // "ESTABLISHED"
  unsigned expiresIn = 0;  // seconds without a packet
  bool operator==(const Connection&) const = default;
};

// One line. Nothing: the heading, a template of a persistent service, a protocol that l4ward does
// not know, or no such line at all.
std::optional<Connection> parseConnection(std::string_view line);

// The connection of `flow` among the lines of `table`. Nothing: it is not there. An error if the
// deadline passes before the table ends, or a line is too long or cannot be read.
Result<std::optional<Connection>> findConnection(std::istream& table, const Flow& flow,
                                                 TimePoint deadline);

// The same in the kernel's table of the calling thread's network namespace, which costs about a
// second for each million connections.
Result<std::optional<Connection>> findConnection(const Flow& flow, TimePoint deadline);

}  // namespace l4ward::ipvs
