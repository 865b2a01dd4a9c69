#include "tests/ipvs/tables.h"

#include <array>
#include <stdexcept>

namespace l4ward::ipvs {

Endpoint endpoint(const std::string& text) {
  const auto parsed = Endpoint::parse(text);
  if (!parsed) throw std::invalid_argument(parsed.error().message);
  return *parsed;
}

ServiceKey tcp(const std::string& vip) {
  return {Protocol::tcp, endpoint(vip)};
}

Endpoint server(unsigned number) {
  const std::array<std::uint8_t, 4> bytes{192, 0, static_cast<std::uint8_t>(2 + number / 250),
                                          static_cast<std::uint8_t>(number % 250)};
  return {*IpAddress::fromBytes(bytes), 80};
}

WantedService pool(unsigned n) {
  WantedService service;
  for (unsigned i = 1; i <= n; ++i) service.destinations[server(i)] = in();
  return service;
}

WantedDestination in(std::uint32_t weight, Path path) {
  return {path, weight, false};
}
WantedDestination out(std::uint32_t weight, Path path) {
  return {path, weight, true};
}

std::vector<Operation> Node::program(const WantedTable& wanted,
                                     const std::vector<ServiceKey>& remove) {
  const auto actual = kernel.dump();
  if (!actual) throw std::runtime_error(actual.error().message);
  auto operations = plan(*actual, wanted, lastWeights, remove);
  report = kernel.apply(operations);
  lastWeights = lastWeightsAfter(*actual, lastWeights, operations, report);
  return operations;
}

std::vector<std::string> texts(const std::vector<Operation>& operations) {
  std::vector<std::string> result;
  for (const auto& operation : operations) result.push_back(operation.str());
  return result;
}

ServiceKey RandomTables::key() {
  static const std::array kKeys{tcp("198.51.100.1:80"), tcp("[2001:db8::c633:6401]:80"),
                                ServiceKey{Protocol::udp, endpoint("198.51.100.2:53")},
                                ServiceKey::ofMark(7, Family::v6)};
  return kKeys[below(kKeys.size())];
}

Endpoint RandomTables::address() {
  if (chance(0.6)) return server(1 + below(12));
  return endpoint("[2001:db8:" + std::to_string(below(6)) + "::1]:80");
}

Path RandomTables::path(bool mixed) {
  static const std::array<Path, 6> kPaths{kIpip,
                                          Path{Forward::tunnel, {TunnelType::gue, 6080, 0}},
                                          Path{Forward::tunnel, {TunnelType::gre, 0, 1}},
                                          kDirect,
                                          Path{Forward::masquerade, {}},
                                          Path{Forward::local, {}}};
  return kPaths[below(mixed ? 3U : static_cast<unsigned>(kPaths.size()))];
}

ServiceConfig RandomTables::config() {
  ServiceConfig config;
  if (chance(0.2)) config.flags = kFlagMhFallback;
  if (chance(0.2)) config.scheduler = chance(0.5) ? "rr" : "none";
  if (!chance(0.2)) return config;
  config.flags |= kFlagPersistent;
  config.timeout = 60 + below(2);
  if (chance(0.5)) config.granularity = chance(0.5) ? 24 : 1;
  return config;
}

Thresholds RandomTables::thresholds() {
  return chance(0.9) ? Thresholds{} : Thresholds{100 + below(2), below(100)};
}

WantedTable RandomTables::wanted() {
  WantedTable table;
  for (unsigned i = 1 + below(3); i > 0; --i) {
    const auto serviceKey = key();
    auto& service = table[serviceKey];
    if (chance(0.1)) service.config = config();
    for (unsigned n = below(16); n > 0; --n) {
      const auto server = address();
      const bool mixed = server.address.family() != serviceKey.family();
      service.destinations[server] = {chance(0.9) ? kIpip : path(mixed), 1 + below(4), chance(0.3),
                                      thresholds()};
    }
  }
  return table;
}

Operation RandomTables::operation() {
  const auto serviceKey = key();
  const auto server = address();
  const bool mixed = server.address.family() != serviceKey.family();
  const auto way = path(mixed && chance(0.9));
  const auto weight = below(4);
  switch (below(16)) {
    case 0:
    case 1:
      return {serviceKey, AddService{config()}};
    case 2:
      return {serviceKey, EditService{config()}};
    case 3:
      return {serviceKey, DeleteService{}};
    case 4:
    case 5:
    case 6:
      return {serviceKey, DeleteDestination{server}};
    case 7:
    case 8:
    case 9:
    case 10:
      return {serviceKey, EditDestination{server, way, weight, thresholds()}};
    default:
      return {serviceKey, AddDestination{server, way, weight, thresholds()}};
  }
}

}  // namespace l4ward::ipvs
