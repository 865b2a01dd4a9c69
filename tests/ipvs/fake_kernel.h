// An in-memory kernel that does with IPVS requests what Linux 6.1 does: new destinations go to the
// head of the list, each has a last weight, deleted ones wait in a trash list with their flows. It
// is compared with the real kernel in netlink_vmtest.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "ipvs/kernel.h"
#include "ipvs/maglev.h"

namespace l4ward::ipvs {

class FakeKernel final : public Kernel {
 public:
  Result<ActualTable> dump() override;
  Result<ActualTable> dump(std::span<const ServiceKey> services) override;
  ApplyReport apply(std::span<const Operation> operations) override;

  // Errors to inject. Called for each operation with how many came before it since the start; an
  // errno other than 0 fails it without effect.
  std::function<int(std::size_t count, const Operation&)> failure;
  // The channel breaks after that many further operations have been done; once.
  std::optional<std::size_t> breakAfter;
  // The next dump() fails with this.
  std::optional<Error> dumpFailure;

  // Whether this kernel knows thresholds, as a stand-in for what older ones do not: it agrees and
  // leaves them away.
  bool hasThresholds = true;
  // Schedulers whose modules exist.
  std::set<std::string> schedulers{"none", "mh", "rr", "wrr", "sh"};
  std::size_t tableSize = MaglevTable::kDefaultSize;

  std::size_t operations() const { return operations_; }  // seen so far, failed ones too
  std::size_t dumps() const { return dumps_; }            // whole ones

  // Flows that the connection table has for a destination.
  void setConnections(const ServiceKey& service, const Endpoint& destination, std::uint32_t active,
                      std::uint32_t inactive = 0);

  // What dump() cannot tell: the last weight; nothing if there is no such destination.
  std::optional<std::uint32_t> lastWeight(const ServiceKey& service,
                                          const Endpoint& destination) const;
  // The service's Maglev table, whatever its scheduler. The service must exist.
  MaglevTable maglev(const ServiceKey& service) const;
  // The server that a new flow gets, if the service's scheduler is mh.
  std::optional<Endpoint> serverFor(const ServiceKey& service, const Endpoint& client) const;

 private:
  struct Entry {
    Destination destination;
    std::uint32_t lastWeight = 0;
  };
  struct Service {
    ServiceConfig config;
    std::list<Entry> entries;  // head first
  };
  using Connections = std::pair<std::uint32_t, std::uint32_t>;

  int run(const ServiceKey& key, const AddService& add);
  int run(const ServiceKey& key, const EditService& edit);
  int run(const ServiceKey& key, const DeleteService& remove);
  int run(const ServiceKey& key, const AddDestination& add);
  int run(const ServiceKey& key, const EditDestination& edit);
  int run(const ServiceKey& key, const DeleteDestination& remove);
  int bindable(const std::string& scheduler, std::size_t destinations) const;
  Thresholds known(const Thresholds& given) const { return hasThresholds ? given : Thresholds{}; }
  void toTrash(const ServiceKey& key, const Entry& entry);
  static Entry* find(Service& service, const Endpoint& address);

  std::map<ServiceKey, Service> services_;
  std::map<std::pair<ServiceKey, Endpoint>, Connections> trash_;
  std::size_t operations_ = 0;
  std::size_t dumps_ = 0;
};

}  // namespace l4ward::ipvs
