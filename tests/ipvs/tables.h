// Short ways to write tables, and random histories of them.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "ipvs/kernel.h"
#include "ipvs/plan.h"
#include "ipvs/types.h"

namespace l4ward::ipvs {

// Throws if `text` is none.
Endpoint endpoint(const std::string& text);
ServiceKey tcp(const std::string& vip);

inline constexpr Path kIpip{Forward::tunnel, {}};
inline constexpr Path kDirect{Forward::direct, {}};

// Server n at port 80, in the order of n: 192.0.2.1, 192.0.2.2 …; n is 1 to 60000.
Endpoint server(unsigned number);
// Servers 1 to n at weight 1, through ipip.
WantedService pool(unsigned n);

WantedDestination in(std::uint32_t weight = 1, Path path = kIpip);
WantedDestination out(std::uint32_t weight = 1, Path path = kIpip);

// What an agent remembers and does: plans from what the kernel holds, applies, keeps last weights.
struct Node {
  Kernel& kernel;
  LastWeights lastWeights{};

  // The operations that were applied; failures of the kernel are reported in `report`.
  std::vector<Operation> program(const WantedTable& wanted,
                                 const std::vector<ServiceKey>& remove = {});
  ApplyReport report{};
};

std::vector<std::string> texts(const std::vector<Operation>& operations);

// Random wanted tables and random operations over a small set of services and servers, so that
// collisions are common. The same seed gives the same sequence.
class RandomTables {
 public:
  explicit RandomTables(std::uint32_t seed) : random_(seed) {}

  WantedTable wanted();
  // May be invalid: missing services, destinations that exist already, wrong families.
  Operation operation();
  bool chance(double probability) { return std::bernoulli_distribution(probability)(random_); }
  unsigned below(unsigned bound) {
    return std::uniform_int_distribution<unsigned>(0, bound - 1)(random_);
  }

 private:
  ServiceKey key();
  Endpoint address();
  Path path(bool mixed);
  ServiceConfig config();
  Thresholds thresholds();

  std::mt19937 random_;
};

}  // namespace l4ward::ipvs
