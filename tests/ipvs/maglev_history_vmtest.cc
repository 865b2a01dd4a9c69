// The Maglev model against the running kernel after random histories: what is added, edited and
// deleted by anybody, in any order, not only as plan() would do it. The in-memory kernel goes
// through the same history and says what the model is computed from.
//
// With L4WARD_GOLDEN=FILE some of it is written there, for tests/ipvs/maglev_golden.txt.
#include <gmock/gmock.h>
#include <sys/utsname.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>

#include "ipvs/table_size.h"
#include "tests/ipvs/fake_kernel.h"
#include "tests/ipvs/flows.h"
#include "tests/ipvs/tables.h"

namespace l4ward::ipvs {
namespace {

constexpr unsigned kFlows = 2000;  // of each history
constexpr unsigned kGoldenFlows = 150;
constexpr std::array<unsigned, 8> kServers{1, 3, 8, 20, 60, 150, 300, 1000};

struct Kind {
  Family family = Family::v4;
  std::uint32_t flags = 0;
};

class History {
 public:
  History(Kind kind, unsigned servers, std::uint32_t seed)
      : kind_(kind), random_(seed), style_(below(3)) {
    for (unsigned i = 0; i < servers; ++i) servers_.push_back(server());
  }

  // Some of them fail. The service ends with the scheduler mh and the kind's flags.
  std::vector<Operation> operations(const ServiceKey& key) {
    std::vector<Operation> result{{key, AddService{config()}}};
    // A large pool is built under `none` at first, for speed.
    const bool large = servers_.size() > 200;
    if (large) {
      result.push_back({key, EditService{config("none")}});
      for (const auto& each : servers_) {
        if (chance(0.8)) result.push_back({key, AddDestination{each, path(each), weight()}});
      }
      result.push_back({key, EditService{config("mh")}});
    }
    for (unsigned i = large ? 100 : 4 * static_cast<unsigned>(servers_.size()) + 10; i > 0; --i) {
      result.push_back({key, change(servers_[below(static_cast<unsigned>(servers_.size()))])});
    }
    ServiceConfig last = config("mh");
    last.flags = kind_.flags;
    result.push_back({key, EditService{last}});
    return result;
  }

  // Not from port 20: IPVS takes such flows for FTP's and asks no scheduler.
  Endpoint client() {
    const auto from = port();
    return {address(kind_.family), from == 20 ? std::uint16_t{21} : from};
  }

 private:
  using What = decltype(Operation::what);

  What change(const Endpoint& server) {
    switch (below(20)) {
      case 0:
        return EditService{config()};
      case 1:
      case 2:
        return DeleteDestination{server};
      case 3:
      case 4:
      case 5:
        return EditDestination{server, path(server), 0};
      case 6:
      case 7:
      case 8:
      case 9:
        return EditDestination{server, path(server), weight()};
      default:
        return AddDestination{server, path(server), weight()};
    }
  }

  ServiceConfig config() {
    static const std::array<std::string, 4> kSchedulers{"mh", "mh", "none", "rr"};
    return config(kSchedulers[below(kSchedulers.size())]);
  }
  ServiceConfig config(const std::string& scheduler) {
    ServiceConfig result;
    result.scheduler = scheduler;
    result.flags = below(4) * kFlagMhFallback;  // all combinations with kFlagMhPort
    return result;
  }

  std::uint32_t weight() {
    static constexpr std::array<std::uint32_t, 6> kRatios{1, 2, 3, 4, 6, 10};
    if (chance(0.15)) return 0;
    if (style_ == 0) return 1;
    if (style_ == 1) return kRatios[below(kRatios.size())];
    return chance(0.5) ? 1 + below(0x7fffffff) : 1 + below(300) * 4;
  }

  // Of the service's family, or through a tunnel of the other at times.
  Endpoint server() {
    const auto other = kind_.family == Family::v4 ? Family::v6 : Family::v4;
    return {address(chance(0.1) ? other : kind_.family), port()};
  }

  Path path(const Endpoint& server) {
    return server.address.family() == kind_.family ? kDirect : kIpip;
  }

  IpAddress address(Family family) {
    std::array<std::uint8_t, 16> bytes{};
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(below(256));
    if (family == Family::v4) {
      bytes[0] = static_cast<std::uint8_t>(11 + below(110));  // unicast, and none of the node's
      return *IpAddress::fromBytes(std::span(bytes).first(4));
    }
    bytes[0] = static_cast<std::uint8_t>(0x24 + below(12));  // global unicast
    return *IpAddress::fromBytes(bytes);
  }

  std::uint16_t port() { return static_cast<std::uint16_t>(1 + below(65535)); }
  bool chance(double probability) { return std::bernoulli_distribution(probability)(random_); }
  unsigned below(std::size_t bound) {
    return std::uniform_int_distribution<unsigned>(0, static_cast<unsigned>(bound) - 1)(random_);
  }

  Kind kind_;
  std::mt19937 random_;
  unsigned style_;  // of weights: equal, small ratios, any
  std::vector<Endpoint> servers_;
};

// A history's service when it has ended, and flows to it.
struct Trial {
  ServiceKey key;
  MaglevTable table;
  std::vector<Flow> flows;
};

// The format is described by the first lines.
void writeGolden(const std::string& path, const Trial& trial, std::uint32_t flags,
                 const std::map<Flow, Endpoint>& real) {
  std::ofstream file(path, std::ios::app);
  if (file.tellp() == 0) {
    utsname system{};
    ::uname(&system);
    file << "# What a Linux kernel decided, for maglev_golden_test.cc. Made by\n"
            "#   L4WARD_GOLDEN=/out/golden tests/lab/vm --bring /out/golden=FILE --\n"
            "#     build/release/ipvs_vmtest --gtest_filter='*MaglevHistory*'\n"
            "# on "
         << system.sysname << ' ' << system.release << ' ' << system.version << ' '
         << system.machine
         << "\n"
            "# table: family, flags (8: mh-fallback, 16: mh-port), slots\n"
            "# server: address, last weight, weight; in list order, as it was after a random\n"
            "#   history of adds, edits and deletes\n"
            "# flow: client, number of the server that it was given (from 0), -: refused\n";
  }
  file << "table " << toString(trial.key.vip.address.family()) << ' ' << flags << ' '
       << trial.table.size() << '\n';
  std::map<Endpoint, std::size_t> numbers;
  for (const auto& [address, last, available] : trial.table.servers()) {
    file << "server " << address.str() << ' ' << last << ' ' << (available ? last : 0) << '\n';
    numbers.emplace(address, numbers.size());
  }
  for (std::size_t i = 0; i < kGoldenFlows; ++i) {
    const auto& flow = trial.flows[i];
    const auto found = real.find(flow);
    file << "flow " << flow.client.str() << ' '
         << (found == real.end() ? "-" : std::to_string(numbers.at(found->second))) << '\n';
  }
  ASSERT_TRUE(file.flush()) << path;
}

class MaglevHistory : public FlowKernel, public testing::WithParamInterface<unsigned> {
 protected:
  // Goes through a history and sends flows. The in-memory kernel's list is the real one's.
  void go(Kind kind, unsigned number, std::vector<Trial>& trials) {
    const auto vip =
        endpoint(kind.family == Family::v4 ? "198.51.100.1:1" : "[2001:db8::c633:6401]:1");
    const ServiceKey key{Protocol::udp, {vip.address, static_cast<std::uint16_t>(1000 + number)}};
    History history(kind, kServers[number], 100 * GetParam() + number);
    const auto operations = history.operations(key);
    FakeKernel fake;
    const auto real = kernel->apply(operations);
    const auto model = fake.apply(operations);
    ASSERT_EQ(real.applied, model.applied);
    ASSERT_EQ(kernel->dump()->at(key), fake.dump()->at(key));
    Trial trial{key, fake.maglev(key), {}};
    for (unsigned i = 0; i < kFlows; ++i) trial.flows.push_back({history.client(), key.vip});
    sender->send(trial.flows);
    trials.push_back(std::move(trial));
  }
};

TEST_P(MaglevHistory, EveryDecisionIsTheKernels) {
  const Kind kind{GetParam() & 1 ? Family::v6 : Family::v4,
                  (GetParam() & 2 ? kFlagMhPort : 0) | (GetParam() & 4 ? kFlagMhFallback : 0)};
  std::vector<Trial> trials;
  for (unsigned number = 0; number < kServers.size(); ++number) {
    SCOPED_TRACE(number);
    ASSERT_NO_FATAL_FAILURE(go(kind, number, trials));
  }
  const auto real = connections();
  std::size_t given = 0;
  for (const auto& trial : trials) {
    SCOPED_TRACE(trial.key.str());
    for (const auto& flow : trial.flows) {
      const auto found = real.find(flow);
      const auto expected = trial.table.serverFor(flow.client, kind.flags);
      if (found == real.end()) {
        ASSERT_EQ(expected, std::nullopt) << flow.client.str() << " was refused";
      } else {
        ASSERT_EQ(expected, found->second) << flow.client.str();
        ++given;
      }
    }
  }
  EXPECT_GT(given, kFlows * trials.size() / 2) << "most flows were refused";
  std::printf("%zu histories, %zu flows, %zu of them refused\n", trials.size(),
              kFlows * trials.size(), kFlows * trials.size() - given);
  if (const char* path = std::getenv("L4WARD_GOLDEN")) {  // NOLINT(concurrency-mt-unsafe)
    // One small and one larger history of each kind.
    writeGolden(path, trials[2], kind.flags, real);
    writeGolden(path, trials[3 + GetParam() / 2 % 3], kind.flags, real);
  }
}

INSTANTIATE_TEST_SUITE_P(FamilyPortFallback, MaglevHistory, testing::Range(0U, 8U));

using MaglevTableSize = RealKernel;

TEST_F(MaglevTableSize, FoundByBehaviourAsInTheConfiguration) {
  const auto before = kernel->dump();
  const auto tried = tableSizeByBehaviour(Millis(60000));
  ASSERT_TRUE(tried) << tried.error().message;
  EXPECT_EQ(*kernel->dump(), *before);
  const auto configured = tableSizeByConfiguration(kernelConfigPaths());
  if (!configured) GTEST_SKIP() << configured.error().message;
  EXPECT_EQ(tried->slots, configured->slots) << configured->source;
  EXPECT_EQ(findTableSize()->source, configured->source);
}

TEST_F(MaglevTableSize, EndsAtTheDeadline) {
  const auto start = Clock::now();
  const auto tried = tableSizeByBehaviour(Millis(20));
  ASSERT_FALSE(tried);
  EXPECT_EQ(tried.error().code, ETIMEDOUT) << tried.error().message;
  EXPECT_LT(Clock::now() - start, Millis(2000));
}

}  // namespace
}  // namespace l4ward::ipvs
