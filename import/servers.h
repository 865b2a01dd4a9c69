// real_server and sorry_server.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/site.h"
#include "import/checks.h"
#include "import/section.h"

namespace l4ward::keepalived {

// How packets reach a server.
struct Way {
  config::Forward forward = config::Forward::masquerade;  // Keepalived's default
  config::Tunnel tunnel = {};

  bool operator==(const Way&) const = default;
};

// NAT, DR or TUN with its options, from lvs_method and its like.
std::optional<Given<Way>> readWay(const Section& section,
                                  std::initializer_list<std::string_view> keywords);

struct ServerDraft {
  config::Server server;
  std::uint16_t port = 0;  // 0: none is given
  Way way;
  std::vector<CheckDraft> checks;
  Node* node = nullptr;
  Node* wayNode = nullptr;  // where it says so, if not its virtual server
  bool inhibit = false;     // stays with weight 0 while it is down
};

// What a virtual server says for all its real servers.
struct ServerDefaults {
  Way way;
  unsigned weight = 1;
  bool inhibit = false;
  CheckedServer checked;  // but for its address and port
};

// None: it is reported, and the pool does without it.
std::optional<ServerDraft> readRealServer(Node& node, const ServerDefaults& defaults,
                                          Report& report);
// The same for "sorry_server ADDRESS [PORT]"; it has no checks.
std::optional<ServerDraft> readSorryServer(const Section& virtualServer, const Way& way);

}  // namespace l4ward::keepalived
