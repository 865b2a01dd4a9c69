#include "agent/preview.h"

#include <cmath>
#include <map>

#include "agent/model.h"
#include "ipvs/digest.h"
#include "ipvs/maglev_service.h"

namespace l4ward::agent {
namespace {

// Weight 0 in the kernel: out. Everything else, servers that are new as well: in.
ipvs::WantedTable wantedOf(const Model& model, const ipvs::ActualTable& actual) {
  ipvs::WantedTable table;
  for (const auto& [key, service] : model.services) {
    auto& wanted = table[key];
    wanted.config = service.config;
    for (const auto& [endpoint, backend] : service.backends) {
      wanted.destinations[endpoint] = {backend.path, backend.weight, false, backend.thresholds};
    }
    const auto held = actual.find(key);
    if (held == actual.end()) continue;
    for (const auto& destination : held->second.destinations) {
      const auto& address = destination.address;
      // The backup pool's are there while they are needed.
      if (const auto backup = service.backups.find(address); backup != service.backups.end()) {
        const auto& server = backup->second;
        wanted.destinations[address] = {server.path, server.weight, false, server.thresholds};
      }
      const auto found = wanted.destinations.find(address);
      if (found != wanted.destinations.end()) found->second.out = destination.weight == 0;
    }
  }
  return table;
}

class Builder {
 public:
  Builder(const ipvs::ActualTable& actual, const ipvs::LastWeights& lastWeights, std::size_t slots,
          const std::vector<ipvs::Operation>& operations)
      : before_(actual),
        lastBefore_(lastWeights),
        after_(ipvs::tableAfter(actual, operations)),
        lastAfter_(ipvs::lastWeightsAfter(actual, lastWeights, operations)),
        slots_(slots) {
    for (const auto& operation : operations) operations_[operation.service].push_back(operation);
  }

  ServicePreview build(const ipvs::ServiceKey& key, const std::string& name) {
    ServicePreview out;
    out.key = key;
    out.name = name;
    out.isNew = !before_.contains(key);
    out.operations = std::move(operations_[key]);
    const auto old = tableOf(key, before_, lastBefore_);
    const auto fresh = tableOf(key, after_, lastAfter_);
    if (old) out.digestBefore = ipvs::digest(*old, before_.at(key).config.flags);
    if (fresh) out.digestAfter = ipvs::digest(*fresh, after_.at(key).config.flags);
    if (old && fresh) {
      out.shift = ipvs::flowShift({*old, before_.at(key).config.flags},
                                  {*fresh, after_.at(key).config.flags});
    }
    if (const auto service = after_.find(key); service != after_.end()) {
      for (const auto& destination : service->second.destinations) {
        ++out.servers;
        if (destination.weight > 0) ++out.up;
      }
    }
    return out;
  }

 private:
  std::optional<ipvs::MaglevTable> tableOf(const ipvs::ServiceKey& key,
                                           const ipvs::ActualTable& table,
                                           const ipvs::LastWeights& lastWeights) const {
    const auto service = table.find(key);
    if (service == table.end()) return std::nullopt;
    return ipvs::maglevTable(key, service->second, lastWeights, slots_);
  }

  const ipvs::ActualTable& before_;
  const ipvs::LastWeights& lastBefore_;
  ipvs::ActualTable after_;
  ipvs::LastWeights lastAfter_;
  std::size_t slots_;
  std::map<ipvs::ServiceKey, std::vector<ipvs::Operation>> operations_;
};

std::string count(std::size_t number, const std::string& what) {
  return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

// "5.13 %"; a share that is not 0 never looks like 0.
std::string percent(double share) {
  if (share > 0 && share < 0.0001) return "under 0.01 %";
  const auto hundredths = std::lround(share * 10000);
  const auto rest = std::to_string(hundredths % 100);
  return std::to_string(hundredths / 100) + "." + (rest.size() == 1 ? "0" : "") + rest + " %";
}

std::string tableOf(const ServicePreview& service) {
  if (!service.digestAfter) return {};
  if (service.digestBefore == service.digestAfter || !service.digestBefore) {
    return "  table " + *service.digestAfter + "\n";
  }
  return "  table " + *service.digestBefore + " becomes " + *service.digestAfter + "\n";
}

std::string textOf(const ServicePreview& service) {
  std::string text = service.key.str();
  if (!service.name.empty()) text += " (" + service.name + ")";
  text += ": " + summaryOf(service) + "\n" + tableOf(service);
  if (!service.name.empty() && service.up < service.servers) {
    text += "  " + std::to_string(service.servers - service.up) + " of " +
            count(service.servers, "server") + " out, at weight 0\n";
  }
  for (const auto& operation : service.operations) text += "    " + operation.change() + "\n";
  return text;
}

}  // namespace

std::string summaryOf(const ServicePreview& service) {
  if (service.name.empty()) return "dropped: drained, then deleted";
  if (service.isNew) return "new, " + count(service.servers, "server");
  if (service.operations.empty()) return "no change";
  std::string text = count(service.operations.size(), "operation");
  if (!service.shift) return text;
  return text + ", moves " + percent(service.shift->moved) + " of new flows, " +
         percent(service.shift->needless) + " needlessly";
}

std::vector<ServicePreview> previewOf(const std::vector<ipvs::Operation>& operations,
                                      const Model& model, const ipvs::ActualTable& actual,
                                      const ipvs::LastWeights& lastWeights, std::size_t slots) {
  Builder builder(actual, lastWeights, slots, operations);
  std::set<ipvs::ServiceKey> keys;
  for (const auto& operation : operations) keys.insert(operation.service);
  std::vector<ServicePreview> out;
  for (const auto& key : keys) {
    const auto service = model.services.find(key);
    const bool isProbes = model.probeServices.contains(key);
    out.push_back(builder.build(key, service != model.services.end() ? service->second.service
                                     : isProbes                      ? "probes"
                                                                     : ""));
  }
  return out;
}

Preview preview(const config::Site& site, const ipvs::ActualTable& actual,
                const ipvs::Memory& memory, std::size_t slots) {
  const auto model = compile(site);
  const auto wanted = wantedOf(model, actual);
  std::vector<ipvs::ServiceKey> remove;
  for (const auto& [key, vips] : memory.owned) {
    if (!wanted.contains(key) && actual.contains(key)) remove.push_back(key);
  }
  Builder builder(actual, memory.lastWeights, slots,
                  ipvs::plan(actual, wanted, memory.lastWeights, remove));
  Preview out;
  for (const auto& [key, service] : model.services) {
    out.services.push_back(builder.build(key, service.service));
  }
  for (const auto& key : remove) out.services.push_back(builder.build(key, {}));
  out.newVips = model.vips;
  for (const auto& [key, vips] : memory.owned) {
    for (const auto& vip : vips) {
      out.newVips.erase(vip);
      if (!model.vips.contains(vip)) out.droppedVips.insert(vip);
    }
  }
  return out;
}

std::string previewText(const Preview& preview) {
  std::string text;
  std::size_t operations = 0;
  std::size_t changed = 0;
  for (const auto& service : preview.services) {
    text += textOf(service);
    operations += service.operations.size();
    if (!service.operations.empty()) ++changed;
  }
  for (const auto& vip : preview.newVips) text += "new VIP " + vip.shortStr() + "\n";
  for (const auto& vip : preview.droppedVips) text += "dropped VIP " + vip.shortStr() + "\n";
  return text + count(operations, "operation") + " on " + std::to_string(changed) + " of " +
         count(preview.services.size(), "service") + ". Nothing has been changed.\n";
}

}  // namespace l4ward::agent
