#include "agent/flow_lookup.h"

#include <algorithm>
#include <string>

#include "ipvs/digest.h"
#include "ipvs/maglev_service.h"

namespace l4ward::agent {
namespace {

using control::Lookup;

// Whether the firewall gives the flow's packets the service's mark (agent/nftables.h).
bool isMarked(const config::Service& service, const ipvs::Flow& flow) {
  return service.mark && toIpvs(service.protocol) == flow.protocol &&
         std::ranges::any_of(service.vips,
                             [&](const Prefix& vip) { return vip.contains(flow.vip.address); }) &&
         std::ranges::any_of(
             service.ports, [&](std::uint16_t port) { return port == 0 || port == flow.vip.port; });
}

class Answer {
 public:
  Answer(const Snapshot& snapshot, const ipvs::Flow& flow) : snapshot_(snapshot), flow_(flow) {
    out_.client = flow.client.str();
    out_.vip = flow.vip.str();
  }

  Lookup run(std::size_t slots, const std::optional<ipvs::Connection>& held) {
    const auto key = serviceOf(snapshot_, flow_);
    if (key) {
      ofService(*key, slots);
    } else {
      out_.text = "No IPVS service takes " + std::string(toString(flow_.protocol)) + " " +
                  flow_.vip.str() + ": this node answers it itself, or not at all.";
    }
    if (held) ofHeld(*held);
    return std::move(out_);
  }

 private:
  void ofService(const ipvs::ServiceKey& key, std::size_t slots) {
    out_.service = key.str();
    const auto known = snapshot_.model->services.find(key);
    if (known != snapshot_.model->services.end()) {
      service_ = &known->second;
      out_.name = service_->service;
    }
    const auto& actual = snapshot_.actual.at(key);
    const auto& scheduler = actual.config.scheduler;
    if (scheduler == "none") {
      out_.text = "The service has no scheduler at the moment: a new flow is refused.";
    } else if (scheduler != "mh") {
      out_.text = "Scheduler " + scheduler +
                  " has no table: which server a new flow gets cannot be told beforehand.";
    } else {
      ofTable(key, actual, slots);
    }
    if (actual.config.flags & ipvs::kFlagPersistent) {
      out_.text += " The service is persistent: a client that it knows gets the server it had.";
    }
  }

  void ofTable(const ipvs::ServiceKey& key, const ipvs::ActualService& actual, std::size_t slots) {
    out_.slots = slots;
    const auto table = slots == 0
                           ? std::nullopt
                           : ipvs::maglevTable(key, actual, snapshot_.memory.lastWeights, slots);
    if (!table) {
      out_.text = slots == 0 ? "How many slots this kernel's tables have is not known."
                             : "The kernel's table is not known: a server's last weight was not "
                               "recorded, or there are more servers than slots.";
      return;
    }
    const auto flags = actual.config.flags;
    out_.digest = ipvs::digest(*table, flags);
    out_.slot = table->slotFor(flow_.client, flags);
    if (table->slots().empty()) {
      out_.text = "The service has no server: a new flow is refused.";
      return;
    }
    const auto& owner = table->servers()[table->slots()[out_.slot]];
    out_.owner = owner.address.str();
    out_.ownerName = nameOf(owner.address);
    const auto server = table->serverFor(flow_.client, flags);
    out_.fallback = server && !owner.available;
    if (server) {
      out_.server = server->str();
      out_.serverName = nameOf(*server);
    }
    out_.text = sentence(owner.available, server);
  }

  std::string sentence(bool available, const std::optional<Endpoint>& server) const {
    const auto slot = "slot " + std::to_string(out_.slot) + " of " + std::to_string(out_.slots);
    const auto owner = called(*Endpoint::parse(out_.owner));
    if (available) return "A new flow goes to " + owner + ", the owner of " + slot + ".";
    const auto out = "The owner of " + slot + ", " + owner + ", takes no new connections; ";
    if (!server) return out + "a new flow is refused.";
    return out + "a new flow goes to " + called(*server) + " instead.";
  }

  void ofHeld(const ipvs::Connection& held) {
    out_.held = held.server.str();
    out_.heldName = nameOf(held.server);
    out_.heldState = held.state;
    out_.text += " The kernel already holds this flow (" + held.state + "): its packets go to " +
                 called(held.server) + ".";
  }

  // As the site file has it; "" if it has it no more.
  std::string nameOf(const Endpoint& server) const {
    if (!service_) return {};
    // A service of all ports has servers at port 0, which stands for the client's.
    const auto* backend = service_->find(server);
    if (!backend) backend = service_->find({server.address, 0});
    return backend ? backend->server : "";
  }
  std::string called(const Endpoint& server) const {
    const auto name = nameOf(server);
    return name.empty() ? server.str() : name + " (" + server.str() + ")";
  }

  const Snapshot& snapshot_;
  const ipvs::Flow& flow_;
  const VirtualService* service_ = nullptr;
  Lookup out_;
};

}  // namespace

std::optional<ipvs::ServiceKey> serviceOf(const Snapshot& snapshot, const ipvs::Flow& flow) {
  const auto& [address, port] = flow.vip;
  std::vector<ipvs::ServiceKey> candidates;
  for (const auto& [name, service] : snapshot.site->services) {
    if (!isMarked(service, flow)) continue;
    candidates.push_back(ipvs::ServiceKey::ofMark(*service.mark, address.family()));
  }
  candidates.push_back({flow.protocol, {address, port}, 0});
  candidates.push_back({flow.protocol, {address, 0}, 0});
  for (const auto& key : candidates) {
    if (snapshot.actual.contains(key)) return key;
  }
  return std::nullopt;
}

Lookup lookUp(const Snapshot& snapshot, const ipvs::Flow& flow, std::size_t slots,
              const std::optional<ipvs::Connection>& held) {
  return Answer(snapshot, flow).run(slots, held);
}

}  // namespace l4ward::agent
