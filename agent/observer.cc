#include "agent/observer.h"

#include <algorithm>
#include <string_view>

#include "base/log.h"

namespace l4ward::agent {
namespace {

using Kind = Difference::Kind;

constexpr std::size_t kOperationsLogged = 5;

std::string count(std::size_t number, const std::string& what) {
  return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

// How the services of the kernel differ from the verdict on one server.
struct Disagreement {
  bool isIn = false;  // by the verdict
  std::size_t services = 0;
  std::size_t absent = 0;  // the kernel does not have it there
};

class Collector {
 public:
  explicit Collector(const Observed& observed) : observed_(observed) {}

  Differences run() {
    services();
    servers();
    rest();
    return std::move(all_);
  }

 private:
  void add(Kind kind, const std::string& subject, std::string text) {
    all_[{kind, subject}].text = std::move(text);
  }

  void services() {
    for (const auto& operation : observed_.operations) {
      auto& found = all_[{Kind::service, operation.service.str()}];
      found.operations.push_back(operation.change());
      found.text = count(found.operations.size(), "operation");
    }
    for (const auto& [key, service] : observed_.actual) {
      if (observed_.wanted.contains(key) || all_.contains({Kind::service, key.str()})) continue;
      add(Kind::foreign, key.str(), "not in the site file, would be left alone");
    }
  }

  // Of services that are not there nothing is said: all of them is missing.
  void servers() {
    std::map<std::string, Disagreement> found;
    for (const auto& [key, service] : observed_.model.services) {
      const auto wanted = observed_.wanted.find(key);
      const auto actual = observed_.actual.find(key);
      if (wanted == observed_.wanted.end() || actual == observed_.actual.end()) continue;
      std::map<Endpoint, bool> inKernel;
      for (const auto& destination : actual->second.destinations) {
        inKernel[destination.address] = destination.weight > 0;
      }
      for (const auto& [address, destination] : wanted->second.destinations) {
        const auto* backend = service.find(address);
        const auto held = inKernel.find(address);
        const bool isHeld = held != inKernel.end();
        if (!backend || (isHeld && held->second) == !destination.out) continue;
        auto& server = found[backend->pool + "/" + backend->server];
        server.isIn = !destination.out;
        ++server.services;
        if (!isHeld) ++server.absent;
      }
    }
    for (const auto& [name, server] : found) add(Kind::server, name, textOf(server));
  }

  static std::string textOf(const Disagreement& server) {
    const auto where = " in " + count(server.services, "service");
    if (!server.isIn) return "takes no new flows by its checks, the kernel sends it some" + where;
    const auto how = server.absent == server.services ? "does not have it" : "has it at weight 0";
    return std::string("takes new flows by its checks, the kernel ") + how + where;
  }

  void rest() {
    for (const auto& vip : observed_.model.vips) {
      if (observed_.onInterface.contains(vip)) continue;
      add(Kind::vip, vip.shortStr(), "would be added to interface " + observed_.interface);
    }
    for (const auto& operation : observed_.globals) {
      add(Kind::global, operation.str(), "would be done");
    }
    for (const auto& change : observed_.sysctls) {
      add(Kind::sysctl, change.name,
          change.error ? "cannot be read: " + change.error->message
                       : "is " + change.before + ", would be " + change.after);
    }
  }

  const Observed& observed_;
  Differences all_;
};

// The first operations, for the log.
std::string logText(const Difference& difference) {
  std::string text = difference.text;
  const auto shown = std::min(difference.operations.size(), kOperationsLogged);
  for (std::size_t i = 0; i < shown; ++i) text += (i == 0 ? ": " : ", ") + difference.operations[i];
  return text + (shown < difference.operations.size() ? ", …" : "");
}

}  // namespace

const char* toString(Kind kind) {
  switch (kind) {
    case Kind::service:
      return "service";
    case Kind::server:
      return "server";
    case Kind::foreign:
      return "foreign";
    case Kind::vip:
      return "vip";
    case Kind::global:
      return "global";
    case Kind::sysctl:
      break;
  }
  return "sysctl";
}

Differences differencesOf(const Observed& observed) {
  return Collector(observed).run();
}

void Observer::note(Differences found, TimePoint now) {
  for (auto& [key, difference] : found) {
    const auto known = all_.find(key);
    const bool isKnown = known != all_.end();
    difference.since = isKnown ? known->second.since : now;
    const bool isSame = isKnown && known->second.text == difference.text &&
                        known->second.operations == difference.operations;
    if (isSame) continue;
    log::info(
        "observe.differs",
        {{"what", toString(key.first)}, {"subject", key.second}, {"how", logText(difference)}});
  }
  for (const auto& [key, difference] : all_) {
    if (found.contains(key)) continue;
    log::info("observe.agrees", {{"what", toString(key.first)}, {"subject", key.second}});
  }
  all_ = std::move(found);
}

}  // namespace l4ward::agent
