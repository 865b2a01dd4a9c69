// The tables that the bench's programs are given, as text: one service or server a line.
//
//   service 198.51.100.1:80
//   server 10.0.0.1:80 1          (address, weight; of the service above)
//
// All services are TCP over IPv4 under mh with both of its flags, all servers behind ipip tunnels.
#pragma once

#include <string>

#include "ipvs/types.h"

namespace l4ward::bench {

// Throws std::runtime_error if the file cannot be read. "-" is the empty table.
ipvs::WantedTable readTable(const std::string& path);

// What the kernel holds once `wanted` has been programmed: every list in canonical order.
ipvs::ActualTable programmed(const ipvs::WantedTable& wanted);

}  // namespace l4ward::bench
