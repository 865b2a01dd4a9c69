#include "bench/table.h"

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace l4ward::bench {

ipvs::WantedTable readTable(const std::string& path) {
  ipvs::WantedTable table;
  if (path == "-") return table;
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  ipvs::WantedService* service = nullptr;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string kind, address;
    unsigned weight = 1;
    words >> kind >> address >> weight;
    const auto endpoint = Endpoint::parse(address);
    if (!endpoint) throw std::runtime_error(path + ": " + endpoint.error().message);
    if (kind == "service") {
      ipvs::ServiceKey key;
      key.vip = *endpoint;
      service = &table[key];
    } else if (kind == "server" && service) {
      service->destinations[*endpoint].nominalWeight = weight;
    } else {
      throw std::runtime_error(path + ": cannot make sense of: " + line);
    }
  }
  return table;
}

ipvs::ActualTable programmed(const ipvs::WantedTable& wanted) {
  ipvs::ActualTable actual;
  for (const auto& [key, service] : wanted) {
    auto& held = actual[key];
    held.config = service.config;
    for (const auto& [address, server] : service.destinations) {
      ipvs::Destination destination;
      destination.address = address;
      destination.path = server.path;
      destination.weight = server.nominalWeight;
      held.destinations.push_back(destination);
    }
  }
  return actual;
}

}  // namespace l4ward::bench
