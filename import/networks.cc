// Which service has which address and port.
#include <algorithm>
#include <tuple>

#include "import/site_draft.h"
#include "import/tree.h"

namespace l4ward::keepalived {
namespace {

constexpr std::uint64_t kMaxPairs = 65536;  // of VIP and port in a site file
constexpr std::size_t kMaxPieces = 4 * kMaxPairs;

using Prefixes = std::set<Prefix>;

// Whether another of `all` lies within it.
bool isCut(const Prefix& prefix, const Prefixes& all) {
  const auto inner = all.upper_bound(prefix);
  return inner != all.end() && prefix.contains(*inner);
}

void cutInto(const Prefix& prefix, const Prefixes& all, std::vector<Prefix>& pieces) {
  if (!isCut(prefix, all)) {
    pieces.push_back(prefix);
    return;
  }
  const auto [low, high] = halvesOf(prefix);
  cutInto(low, all, pieces);
  cutInto(high, all, pieces);
}

std::string textOf(const EntryDraft& entry) {
  return entry.vip.shortStr() +
         (entry.port == 0 ? " at all ports" : " at port " + std::to_string(entry.port));
}

// Takes pairs of address and port, each once.
class Taken {
 public:
  explicit Taken(Report& report) : report_(report) {}

  bool take(const EntryDraft& entry, config::Protocol protocol) {
    const auto [owner, fresh] =
        owners_.emplace(std::tuple(protocol, entry.vip, entry.port), entry.node);
    if (!fresh) {
      report_.add(*entry.node,
                  {Level::lost,
                   textOf(entry) + " belongs to line " + std::to_string(owner->second->place.line) +
                       " already, and is left out",
                   "decide which one it is"});
      return false;
    }
    pairs_ += entry.vip.size();
    if (pairs_ <= kMaxPairs) return true;
    pairs_ -= entry.vip.size();
    report_.add(*entry.node,
                {Level::lost,
                 "more than 65536 pairs of address and port; " + textOf(entry) + " is left out",
                 "use `mark` for large ranges"});
    return false;
  }

 private:
  Report& report_;
  std::map<std::tuple<config::Protocol, Prefix, std::uint16_t>, Node*> owners_;
  std::uint64_t pairs_ = 0;
};

}  // namespace

std::pair<Prefix, Prefix> halvesOf(const Prefix& prefix) {
  const auto low = Prefix::around(prefix.address, prefix.length + 1U);
  return {low, Prefix::around(low.last().next(), prefix.length + 1U)};
}

void settle(std::vector<ServiceDraft>& drafts, Report& report) {
  Prefixes all;
  for (const auto& draft : drafts) {
    for (const auto& entry : draft.entries) all.insert(entry.vip);
  }
  Taken taken(report);
  std::size_t count = 0;
  for (auto& draft : drafts) {
    std::vector<EntryDraft> settled;
    for (const auto& entry : draft.entries) {
      if (count > kMaxPieces) {
        report.add(*entry.node, {Level::lost, "too many ranges that overlap; it is left out",
                                 "use `mark` for large ranges"});
        continue;
      }
      std::vector<Prefix> pieces;
      cutInto(entry.vip, all, pieces);
      count += pieces.size();
      for (const auto& piece : pieces) {
        const EntryDraft cut{piece, entry.port, entry.node};
        if (taken.take(cut, draft.service.protocol)) settled.push_back(cut);
      }
    }
    draft.entries = std::move(settled);
  }
}

}  // namespace l4ward::keepalived
