#include "ipvs/maglev.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

namespace l4ward::ipvs {
namespace {

constexpr std::uint64_t kOffsetKey = 2654435761U;
constexpr std::uint64_t kSkipKey = 2654446892U;
constexpr std::uint32_t kFree = 0xffffffff;

// SipHash-1-3 (Aumasson, Bernstein, 2012) of one 32-bit word, little endian, under the key
// (key, key), cut to 32 bits: the kernel's hsiphash_1u32() on 64-bit machines.
class SipHash13 {
 public:
  explicit SipHash13(std::uint64_t key)
      : v0_(key ^ 0x736f6d6570736575U),
        v1_(key ^ 0x646f72616e646f6dU),
        v2_(key ^ 0x6c7967656e657261U),
        v3_(key ^ 0x7465646279746573U) {}

  std::uint32_t hash(std::uint32_t word) {
    const std::uint64_t block = std::uint64_t{sizeof word} << 56 | word;
    v3_ ^= block;
    round();
    v0_ ^= block;
    v2_ ^= 0xff;
    for (int i = 0; i < 3; ++i) round();
    return static_cast<std::uint32_t>(v0_ ^ v1_ ^ v2_ ^ v3_);
  }

 private:
  void round() {
    v0_ += v1_;
    v1_ = std::rotl(v1_, 13) ^ v0_;
    v0_ = std::rotl(v0_, 32);
    v2_ += v3_;
    v3_ = std::rotl(v3_, 16) ^ v2_;
    v0_ += v3_;
    v3_ = std::rotl(v3_, 21) ^ v0_;
    v2_ += v1_;
    v1_ = std::rotl(v1_, 17) ^ v2_;
    v2_ = std::rotl(v2_, 32);
  }

  std::uint64_t v0_, v1_, v2_, v3_;
};

std::uint32_t fold(Family service, const IpAddress& address) {
  const auto bytes = address.bytes();
  const std::size_t length = service == Family::v6 ? bytes.size() : 4;
  std::uint32_t folded = 0;
  for (std::size_t i = 0; i < length; ++i) {
    folded ^= std::uint32_t{bytes[i]} << (24 - 8 * (i % 4));
  }
  return folded;
}

// ip_vs_mh_hashkey(): the sum wraps at 32 bits.
std::uint32_t hashOf(std::uint64_t key, std::uint32_t word) {
  return SipHash13(key).hash(word);
}

// How many slots each server takes per turn: its weight by the greatest common divisor, cut to
// `bits` bits, at least 1. Empty if no server has a weight.
std::vector<std::uint32_t> turnsOf(const std::vector<MaglevServer>& servers, unsigned bits) {
  std::uint32_t divisor = 0;
  std::uint32_t greatest = 0;
  for (const auto& server : servers) {
    divisor = std::gcd(divisor, server.lastWeight);
    greatest = std::max(greatest, server.lastWeight);
  }
  if (divisor == 0) return {};
  const auto width = static_cast<unsigned>(std::bit_width(greatest / divisor));
  const unsigned shift = width > bits ? width - bits : 0;
  std::vector<std::uint32_t> turns;
  turns.reserve(servers.size());
  for (const auto& server : servers) {
    const auto cut = (server.lastWeight / divisor) >> shift;
    turns.push_back(cut == 0 && server.lastWeight != 0 ? 1 : cut);
  }
  return turns;
}

}  // namespace

bool isMaglevSize(std::size_t size) {
  return std::ranges::find(kMaglevSizes, size) != kMaglevSizes.end();
}

unsigned maglevWeightBits(std::size_t size) {
  const auto found = std::ranges::find(kMaglevSizes, size);
  const auto position = static_cast<unsigned>(found - kMaglevSizes.begin());
  return (kMinMaglevIndex + position) / 2;  // IP_VS_MH_TAB_BITS
}

MaglevTable::MaglevTable(Family service, std::vector<MaglevServer> servers, std::size_t size)
    : service_(service), size_(size), servers_(std::move(servers)) {
  if (!isMaglevSize(size_)) {
    throw std::invalid_argument("no size of a Maglev table: " + std::to_string(size_));
  }
  if (servers_.size() <= size_) fill();
}

void MaglevTable::fill() {
  const auto turns = turnsOf(servers_, maglevWeightBits(size_));
  if (turns.empty()) return;
  struct Walk {
    std::size_t next;
    std::size_t skip;
  };
  std::vector<Walk> walks;
  walks.reserve(servers_.size());
  for (const auto& [address, weight, available] : servers_) {
    const auto word = address.port + fold(service_, address.address);
    walks.push_back({hashOf(kOffsetKey, word) % size_, hashOf(kSkipKey, word) % (size_ - 1) + 1});
  }
  slots_.assign(size_, kFree);
  std::size_t filled = 0;
  for (std::uint32_t server = 0;; server = server + 1 == servers_.size() ? 0 : server + 1) {
    auto& [next, skip] = walks[server];
    for (std::uint32_t turn = 0; turn < turns[server]; ++turn) {
      while (slots_[next] != kFree) {
        next += skip;
        if (next >= size_) next -= size_;
      }
      slots_[next] = server;
      if (++filled == size_) return;
    }
  }
}

std::optional<Endpoint> MaglevTable::serverFor(const Endpoint& client, std::uint32_t flags) const {
  const auto index = indexFor(client, flags);
  if (!index) return std::nullopt;
  return servers_[*index].address;
}

std::uint32_t MaglevTable::wordOf(const Endpoint& client, std::uint32_t flags) const {
  return fold(service_, client.address) + (flags & kFlagMhPort ? client.port : 0U);
}

std::size_t MaglevTable::slotFor(const Endpoint& client, std::uint32_t flags) const {
  return hashOf(kOffsetKey, wordOf(client, flags)) % size_;
}

std::optional<std::uint32_t> MaglevTable::indexFor(const Endpoint& client,
                                                   std::uint32_t flags) const {
  if (slots_.empty()) return std::nullopt;
  const auto word = wordOf(client, flags);
  const auto first = slotFor(client, flags);
  if (servers_[slots_[first]].available) return slots_[first];
  if (!(flags & kFlagMhFallback)) return std::nullopt;
  for (std::size_t i = 0; i < size_; ++i) {
    const auto offset = static_cast<std::uint32_t>((i + first) % size_);
    const auto server = slots_[hashOf(kOffsetKey, word + offset) % size_];
    if (servers_[server].available) return server;
  }
  return std::nullopt;
}

}  // namespace l4ward::ipvs
