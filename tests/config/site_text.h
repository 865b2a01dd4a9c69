// A small site file that is right, and edits that make it wrong.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "config/load.h"

namespace l4ward::config {

inline constexpr std::string_view kSiteText = R"(node: lb-1
interface: lo
bgp:
  local_as: 65001
  router_id: 192.0.2.11
  neighbors:
    - { address: 192.0.2.1, peer_as: 65000 }
  communities: ["65001:80"]
checks:
  web:
    type: http
    path: /up
    host: www.example.org
    status: [200]
    interval: 2s
  port:
    type: tcp
pools:
  edge:
    forward: direct
    check: web
    servers:
      - { name: a, address: 192.0.2.101 }
      - { name: b, address: 192.0.2.102, weight: 2 }
services:
  shop:
    vips: [198.51.100.1]
    ports: [80, 443]
    pool: edge
    quorum: 1
)";

// Every key that IPVS itself has.
inline constexpr std::string_view kIpvsText = R"(ipvs:
  timeouts: { tcp: 15m, tcp_fin: 2m, udp: 300s }
  sync:
    master: { interface: eth1, id: 1, group: 224.0.0.82, port: 8849, ttl: 2, max_length: 1400 }
    backup: { interface: eth2, id: 0, group: "ff02::81" }
  drift_period: 10s
checks:
  web: { type: http, port: 80 }
pools:
  edge:
    tunnel: { type: gue, port: 6080, checksum: true, remote_checksum: true }
    check: web
    thresholds: { upper: 1000, lower: 800 }
    servers:
      - { name: a, address: [192.0.2.101, "2001:db8:1::65"] }
      - { name: b, address: [192.0.2.102, "2001:db8:1::66"], thresholds: { upper: 500 } }
services:
  web:
    vips: [198.51.100.0/28, "2001:db8::/124", 203.0.113.7]
    ports: [80, 443]
    scheduler: sh
    scheduler_flags: [sh-port, sh-fallback]
    persistence: { timeout: 10m, mask: 24, mask6: 64 }
    pool: edge
  phone:
    vips: ["2001:db9::/32", 10.0.0.0/8]
    protocol: udp
    mark: 4294967295
    persistence: { engine: sip }
    pool: edge
  rest:
    vips: [203.0.113.7]
    ports: all
    persistence: {}
    pool: edge
  dns:
    vips: [203.0.113.8]
    ports: [53]
    protocol: udp
    scheduler: twos
    scheduler_flags: [flag-3, flag-1]
    one_packet: true
    pool: edge
)";

// Every key that checks and their surroundings have.
inline constexpr std::string_view kChecksText = R"(on_all_down: believe
data_path: { marks: "0x10000000-268500991", uplinks: [eth0, bond0.7] }
checks:
  smtp:
    type: tcp
    port: 25
    send: 'EHLO a\r\n\x00\xFF\\'
    expect: { pattern: "^220 .*ready" }
    tls: true
    via: tunnel
    interval: 5s
    fast_interval: 1s
    down_interval: 24h
    timeout: 3s
    rise: 1
    fall: 100
    source: [192.0.2.11, "2001:db8::11"]
  page:
    type: http
    port: 8080
    method: POST
    path: /up?x
    host: www.example.org
    headers: { User-Agent: check, X-Empty: "", authorization: Basic YTpi }
    version: 1.0
    status: [200-299, 301]
    drain_status: [404]
    body: all is well
    via: tunnel
    full_size: true
  secure:
    type: https
    version: "1.1"
    body: { text: ready }
    tls:
      server_name: www.example.org
      verify: false
      ca: /etc/ssl/ca.pem
      certificate: /etc/ssl/me.pem
      key: /etc/ssl/me.key
      min_version: 1.3
      alpn: [http/1.1, acme]
      expiry_warning: 720h
  names: { type: dns, name: www.example.org., query: AAAA, answers: ["2001:DB8:0::1"] }
  mail: { type: dns, port: 5353, name: _x.example, query: mx, answers: [10 mx1.example, 20 mx2.example], transport: tcp }
  private-names: { type: dns, name: ., query: Ns, transport: tcp, tls: {} }
  syslog: { type: udp, port: 514, send: "\\x80\x21\t\r\n", expect: ok }
  ping: { type: icmp, source: 192.0.2.11 }
  rpc: { type: grpc, port: 50051, service: shop.v1.Cart, authority: "cart:443", tls: { alpn: [h2] } }
  script: { type: exec, command: [/usr/lib/check, -v, "", a b], user: _nobody, port: 80 }
  state: { type: file, path: /run/l4ward/state }
  load: { type: agent, port: 9777, send: "web\n", source: "2001:db8::11" }
pools:
  edge:
    check: [smtp, page, secure, names, ping, script, state, load]
    warm_up: 30s
    agent_weight: true
    servers: [192.0.2.101]
services:
  web:
    vips: [198.51.100.1]
    ports: [443]
    pool: edge
)";

// Every key of routes, and of what becomes of them when servers fail or the node stops.
inline constexpr std::string_view kRoutesText = R"(bgp:
  local_as: 65001
  router_id: 192.0.2.11
  med: 100
  local_preference: 4294967295
  prepend: 1
  communities: ["65001:80", no-export]
  large_communities: ["65001:1:2"]
  extended_communities: ["target:65001:80", "origin:192.0.2.1:65535"]
  depreference: { med: 500, communities: ["65001:666"] }
  draining: { local_preference: 10, communities: [], large_communities: ["65001:0:0"] }
  hold: 1m
  min_hold: 2s
  announce_delay: 10s
  damping: { changes: 3, within: 2m, hold_down: 20s, max: 10m }
  neighbors:
    - address: 192.0.2.1
      peer_as: 65001
      passive: true
      port: 1790
      med: 0
      local_preference: 300
      communities: [blackhole]
    - { address: 192.0.2.2, peer_as: 65000, next_hop: 192.0.2.12, multihop: 255, prepend: 16, services: [dns, web] }
    - { address: "2001:db8::1", peer_as: 65000, local_address: "2001:db8::11", ttl_security: 254 }
shutdown: { on_stop: hold, graceful: 20s, drain: 3s }
vips:
  198.51.100.1: { announce_when: any }
  "2001:DB8:1:0::/64": { announce_when: all }
  198.51.100.2/32: {}
checks:
  up: { type: tcp, port: 80 }
pools:
  near:
    check: up
    servers: [{ name: a, address: 192.0.2.101, weight: 200 }, { name: b, address: 192.0.2.102, weight: 200 }]
  far:
    check: up
    servers: [192.0.2.201]
services:
  web:
    vips: [198.51.100.1, 198.51.100.2]
    ports: [80]
    pool: near
    quorum: { weight: 300, hysteresis: 100 }
    below_quorum: depreference
    panic_threshold: 20%
    backup_pool: far
    bgp:
      med: 7
      local_preference: 0
      prepend: 0
      communities: ["65001:81"]
      large_communities: ["65001:1:3"]
      extended_communities: ["target:65001:81"]
  dns:
    vips: ["2001:db8:1::/64"]
    ports: [53]
    mark: 7
    pool: near
    below_quorum: keep
)";

// kSiteText with the first `from` replaced; "" fails the test if `from` is not there.
inline std::string edited(std::string_view from, std::string_view to,
                          std::string text = std::string(kSiteText)) {
  const auto at = text.find(from);
  EXPECT_NE(at, text.npos) << from;
  return at == text.npos ? "" : text.replace(at, from.size(), to);
}

// What loadSite says of `text`, a line each.
inline std::vector<std::string> errorsOf(std::string_view text) {
  const auto site = loadSite(text, "f", "host");
  std::vector<std::string> lines;
  if (site) return lines;
  for (const auto& diagnostic : site.error()) lines.push_back(diagnostic.str());
  return lines;
}

// One edit and the one error that it brings.
struct Mistake {
  std::string from;
  std::string to;
  std::string error;  // without "f:"
};

inline void PrintTo(const Mistake& mistake, std::ostream* out) {
  *out << mistake.from << " -> " << mistake.to;
}

inline void expectError(const Mistake& mistake) {
  SCOPED_TRACE(testing::PrintToString(mistake));
  EXPECT_THAT(errorsOf(edited(mistake.from, mistake.to)),
              testing::ElementsAre("f:" + mistake.error));
}

}  // namespace l4ward::config
