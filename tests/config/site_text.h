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
