// From what the kernel holds to what it should hold: an ordered list of operations. Pure.
//
// Why the order matters: docs/ipvs.md. In short: the Maglev table depends on the order of the
// destination list (the kernel adds at the head) and on each destination's last non-zero weight,
// which cannot be read back.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "ipvs/types.h"

namespace l4ward::ipvs {

struct AddService {
  ServiceConfig config;
  bool operator==(const AddService&) const = default;
};
struct EditService {
  ServiceConfig config;
  bool operator==(const EditService&) const = default;
};
struct DeleteService {
  bool operator==(const DeleteService&) const = default;
};
struct AddDestination {
  Endpoint address;
  Path path;
  std::uint32_t weight = 1;
  Thresholds thresholds = {};
  bool operator==(const AddDestination&) const = default;
};
struct EditDestination {
  Endpoint address;
  Path path;
  std::uint32_t weight = 1;
  Thresholds thresholds = {};
  bool operator==(const EditDestination&) const = default;
};
struct DeleteDestination {
  Endpoint address;
  bool operator==(const DeleteDestination&) const = default;
};

struct Operation {
  ServiceKey service;
  std::variant<AddService, EditService, DeleteService, AddDestination, EditDestination,
               DeleteDestination>
      what;

  std::string str() const;     // "tcp 198.51.100.1:80: add 192.0.2.101:80 weight 1 tunnel ipip"
  std::string change() const;  // the same without the service
  bool operator==(const Operation&) const = default;
};

// The last non-zero weight of destinations that are at weight 0, as far as known. (That of a
// destination at another weight is that weight.)
using LastWeights = std::map<std::pair<ServiceKey, Endpoint>, std::uint32_t>;

// The last non-zero weight of a destination of `service`; nothing if it is not known.
std::optional<std::uint32_t> lastWeightOf(const ServiceKey& service, const Destination& destination,
                                          const LastWeights& lastWeights);

// Operations that make `wanted` of `actual` for the services in `wanted`; services that are only in
// `actual` are left alone unless they are in `remove`.
//  - A service's list ends up in canonical order, with every destination's last weight nominal.
//  - A new service is filled under scheduler "none" and switched to its own once. So is one that is
//    `idle` and changes by more than a few destinations; idle: it gets no traffic, for the kernel
//    refuses new connections meanwhile.
//  - Deletes every destination that is not wanted; one that drains must stay in `wanted` as `out`.
//  - What must move in the list is deleted and added again, one destination after the other; a
//    server that is out is at its nominal weight for one operation then. Flows that the kernel
//    knows survive this (it takes the destination back from its trash list).
//  - A key in both `wanted` and `remove` is wanted; a removed service that is not there is ignored.
//  - Nothing to do: empty. The order of the operations depends on the arguments only.
std::vector<Operation> plan(const ActualTable& actual, const WantedTable& wanted,
                            const LastWeights& lastWeights, std::span<const ServiceKey> remove,
                            const std::set<ServiceKey>& idle = {});

// What the kernel holds after `operations` have all succeeded on `actual`.
ActualTable tableAfter(ActualTable actual, std::span<const Operation> operations);

// Which last weights stand after `operations` were applied to `actual`, in which `before` held.
// Without operations: `before` without what `actual` contradicts.
LastWeights lastWeightsAfter(const ActualTable& actual, const LastWeights& before,
                             std::span<const Operation> operations);

}  // namespace l4ward::ipvs
