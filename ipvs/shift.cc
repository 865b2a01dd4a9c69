#include "ipvs/shift.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

namespace l4ward::ipvs {
namespace {

// Below this, the share of flows for which no server was found yet counts as none.
constexpr double kNegligible = 1e-15;

// Shares by server number; number 0 is "refused".
using Shares = std::vector<double>;

double sum(const Shares& shares) {
  double total = 0;
  for (const auto share : shares) total += share;
  return total;
}

// One table: which server a slot leads to, and the law of a flow's random slots.
struct Side {
  std::vector<std::size_t> slots;  // the slot's owner if that is available, otherwise 0
  Shares perTry;                   // how much of the slots leads to each
  std::size_t moreTries = 0;       // after the first slot

  // How probable it is that so many tries lead nowhere.
  double misses(std::size_t tries) const { return std::pow(perTry[0], static_cast<double>(tries)); }

  // Where flows go of which a share `found` finds a server and a share `missed` does not.
  Shares spread(double found, double missed) const {
    Shares result(perTry.size());
    const double hit = sum(perTry) - perTry[0];
    for (std::size_t i = 1; i < result.size() && hit > 0; ++i) result[i] = found * perTry[i] / hit;
    result[0] = hit > 0 ? missed : found + missed;
    return result;
  }
  Shares spread(std::size_t tries) const { return spread(1 - misses(tries), misses(tries)); }
};

class Account {
 public:
  Account(const MaglevTable& before, const MaglevTable& after) {
    addServers(before, &Server::before);
    addServers(after, &Server::after);
  }

  Side side(const MaglevView& view) const {
    Side result;
    result.perTry.resize(servers_.size());
    const auto& table = view.table;
    if (table.slots().empty()) {
      result.perTry[0] = 1;
      return result;
    }
    std::vector<std::size_t> numbers;
    for (const auto& server : table.servers()) {
      numbers.push_back(server.available ? numbers_.at(server.address) : 0);
    }
    const double part = 1.0 / static_cast<double>(table.slots().size());
    for (const auto slot : table.slots()) {
      result.slots.push_back(numbers[slot]);
      result.perTry[numbers[slot]] += part;
    }
    if (view.flags & kFlagMhFallback) result.moreTries = table.slots().size();
    return result;
  }

  // Flows that go from one server to the other.
  void add(std::size_t from, std::size_t to, double share) {
    servers_[from].share.before += share;
    servers_[to].share.after += share;
    if (from == to) return;
    shift_.moved += share;
    if (servers_[from].stays() && servers_[to].wasThere()) shift_.needless += share;
  }

  // Flows that were spread as `from` says and are spread as `to` says, each without regard to the
  // other; `to` adds up to 1.
  void add(const Shares& from, const Shares& to) {
    double same = 0, stay = 0, wereThere = 0, both = 0;
    const double total = sum(from);
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      servers_[i].share.before += from[i];
      servers_[i].share.after += to[i] * total;
      same += from[i] * to[i];
      if (servers_[i].stays()) stay += from[i];
      if (servers_[i].wasThere()) wereThere += to[i];
      if (servers_[i].stays() && servers_[i].wasThere()) both += from[i] * to[i];
    }
    shift_.moved += total - same;
    shift_.needless += stay * wereThere - both;
  }

  FlowShift result() && {
    for (const auto& [address, number] : numbers_) {
      shift_.servers[address] = servers_[number].share;
    }
    shift_.moved = std::clamp(shift_.moved, 0.0, 1.0);
    shift_.needless = std::clamp(shift_.needless, 0.0, shift_.moved);
    return std::move(shift_);
  }

 private:
  struct Then {
    bool available = false;
    std::uint32_t weight = 0;
  };
  struct Server {
    Then before, after;
    ServerShare share;

    bool stays() const { return after.available && after.weight >= before.weight; }
    bool wasThere() const { return before.available && before.weight >= after.weight; }
  };

  void addServers(const MaglevTable& table, Then Server::*when) {
    for (const auto& [address, weight, available] : table.servers()) {
      const auto number = numbers_.try_emplace(address, servers_.size()).first->second;
      if (number == servers_.size()) servers_.emplace_back();
      servers_[number].*when = {available, weight};
    }
  }

  std::map<Endpoint, std::size_t> numbers_;
  std::vector<Server> servers_{1};  // the first: refused
  FlowShift shift_;
};

// Of one slot: how probable it is that it leads to a server before and after, by server.
struct Slots {
  Shares onlyBefore, onlyAfter;
  double neither = 0;

  Slots(const Side& before, const Side& after)
      : onlyBefore(before.perTry.size()), onlyAfter(before.perTry.size()) {
    const double part = 1.0 / static_cast<double>(before.slots.size());
    for (std::size_t slot = 0; slot < before.slots.size(); ++slot) {
      const auto from = before.slots[slot], to = after.slots[slot];
      if (from == 0 && to == 0) neither += part;
      if (from != 0 && to == 0) onlyBefore[from] += part;
      if (from == 0 && to != 0) onlyAfter[to] += part;
    }
  }
};

Shares scaled(Shares shares, double factor) {
  for (auto& share : shares) share *= factor;
  return shares;
}

// Before and after the change a flow is given the same slots, one after the other, and each side
// stops at its first available server. So flows are followed through the tries that both sides
// make: `open` is the share for which neither side has found a server yet.
void addSameSlots(Account& account, const Side& before, const Side& after) {
  const Slots slot(before, after);
  const auto common = std::min(before.moreTries, after.moreTries);
  double open = 1;
  double tries = 0;  // over all flows; the other two: weighted by what the tries left still miss
  double missBefore = 0;
  double missAfter = 0;
  for (std::size_t i = 0; i <= common && open > kNegligible; ++i) {
    tries += open;
    missBefore += open * before.misses(before.moreTries - i);
    missAfter += open * after.misses(after.moreTries - i);
    open *= slot.neither;
  }
  const double part = 1.0 / static_cast<double>(before.slots.size());
  for (std::size_t i = 0; i < before.slots.size(); ++i) {
    const auto from = before.slots[i], to = after.slots[i];
    if (from != 0 && to != 0) account.add(from, to, part * tries);
  }
  account.add(scaled(slot.onlyBefore, tries),
              after.spread(1 - missAfter / tries, missAfter / tries));
  if (const double found = sum(slot.onlyAfter); found > 0) {
    account.add(scaled(before.spread(tries - missBefore, missBefore), found),
                scaled(slot.onlyAfter, 1 / found));
  }
  account.add(scaled(before.spread(before.moreTries - common), open),
              after.spread(after.moreTries - common));
}

}  // namespace

FlowShift flowShift(const MaglevView& before, const MaglevView& after) {
  Account account(before.table, after.table);
  const auto from = account.side(before);
  const auto to = account.side(after);
  const bool samePorts = ((before.flags ^ after.flags) & kFlagMhPort) == 0;
  if (samePorts && !from.slots.empty() && from.slots.size() == to.slots.size()) {
    addSameSlots(account, from, to);
  } else {
    account.add(from.spread(from.moreTries + 1), to.spread(to.moreTries + 1));
  }
  return std::move(account).result();
}

}  // namespace l4ward::ipvs
