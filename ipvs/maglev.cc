#include "ipvs/maglev.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace l4ward::ipvs {
namespace {

constexpr std::uint64_t kOffsetKey = 2654435761U;
constexpr std::uint64_t kSkipKey = 2654446892U;
constexpr int kWeightBits = 6;  // CONFIG_IP_VS_MH_TAB_INDEX / 2
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

std::uint32_t hashOf(std::uint64_t key, Family service, const IpAddress& address,
                     std::uint16_t port, std::size_t offset) {
  return SipHash13(key).hash(static_cast<std::uint32_t>(offset) + port + fold(service, address));
}

// How many slots each server takes per turn: its weight by the greatest common divisor, cut to
// kWeightBits bits, at least 1. Empty if no server has a weight.
std::vector<std::uint32_t> turnsOf(const std::vector<MaglevServer>& servers) {
  std::uint32_t divisor = 0;
  std::uint32_t greatest = 0;
  for (const auto& server : servers) {
    divisor = std::gcd(divisor, server.lastWeight);
    greatest = std::max(greatest, server.lastWeight);
  }
  if (divisor == 0) return {};
  const int shift = std::max(0, static_cast<int>(std::bit_width(greatest / divisor)) - kWeightBits);
  std::vector<std::uint32_t> turns;
  for (const auto& server : servers) {
    const auto cut = (server.lastWeight / divisor) >> shift;
    turns.push_back(cut == 0 && server.lastWeight != 0 ? 1 : cut);
  }
  return turns;
}

}  // namespace

MaglevTable::MaglevTable(Family service, std::vector<MaglevServer> servers, std::size_t size)
    : service_(service), size_(size), servers_(std::move(servers)) {
  const auto turns = turnsOf(servers_);
  if (turns.empty()) return;
  std::vector<std::size_t> next;
  std::vector<std::size_t> skip;
  for (const auto& [address, weight, available] : servers_) {
    next.push_back(hashOf(kOffsetKey, service_, address.address, address.port, 0) % size_);
    skip.push_back(hashOf(kSkipKey, service_, address.address, address.port, 0) % (size_ - 1) + 1);
  }
  slots_.assign(size_, kFree);
  std::size_t filled = 0;
  for (std::uint32_t server = 0;; server = server + 1 == servers_.size() ? 0 : server + 1) {
    for (std::uint32_t turn = 0; turn < turns[server]; ++turn) {
      auto& slot = next[server];
      while (slots_[slot] != kFree) slot = (slot + skip[server]) % size_;
      slots_[slot] = server;
      if (++filled == size_) return;
    }
  }
}

std::size_t MaglevTable::slotOf(const Endpoint& client, std::uint32_t flags,
                                std::size_t offset) const {
  const std::uint16_t port = flags & kFlagMhPort ? client.port : 0;
  return hashOf(kOffsetKey, service_, client.address, port, offset) % size_;
}

std::optional<Endpoint> MaglevTable::serverFor(const Endpoint& client, std::uint32_t flags) const {
  if (slots_.empty()) return std::nullopt;
  const auto first = slotOf(client, flags, 0);
  const auto& preferred = servers_[slots_[first]];
  if (preferred.available) return preferred.address;
  if (!(flags & kFlagMhFallback)) return std::nullopt;
  for (std::size_t i = 0; i < size_; ++i) {
    const auto& server = servers_[slots_[slotOf(client, flags, (i + first) % size_)]];
    if (server.available) return server.address;
  }
  return std::nullopt;
}

}  // namespace l4ward::ipvs
