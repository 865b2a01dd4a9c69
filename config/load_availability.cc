// What becomes of a service when servers fail.
#include "config/sections.h"
#include "config/words.h"

namespace l4ward::config {
namespace {

constexpr std::uint32_t kMaxWeight = kMaxServers * 65535;

struct UnitKey {
  const char* key;
  Quorum::Unit unit;
  std::uint32_t max;
};

constexpr UnitKey kUnits[] = {{"servers", Quorum::Unit::servers, kMaxServers},
                              {"percent", Quorum::Unit::percent, 100},
                              {"weight", Quorum::Unit::weight, kMaxWeight}};

std::optional<std::uint32_t> parsePercent(std::string_view text) {
  if (!text.ends_with('%')) return std::nullopt;
  const auto number = parsePlainNumber(text.substr(0, text.size() - 1));
  return number && *number <= 100 ? number : std::nullopt;
}

Quorum readQuorumMap(const Value& value) {
  const Record record(value, {"servers", "percent", "weight", "hysteresis"});
  const UnitKey* unit = nullptr;
  Quorum quorum;
  for (const auto& candidate : kUnits) {
    const auto amount = record.find(candidate.key);
    if (!amount) continue;
    if (unit != nullptr) {
      amount->error("this key beside `" + std::string(unit->key) + "`", "one of the two");
      continue;
    }
    unit = &candidate;
    quorum.unit = unit->unit;
    quorum.value = amount->number({1, unit->max}).value_or(quorum.value);
  }
  if (unit != nullptr) {
    quorum.hysteresis = record.number("hysteresis", {0, unit->max - 1}, quorum.hysteresis);
  } else if (value.node().children.size() == (record.has("hysteresis") ? 1U : 0U)) {
    // Else its keys have been reported.
    value.error("a map without an amount", "servers, percent or weight");
  }
  return quorum;
}

Quorum readQuorum(const Value& value) {
  if (value.node().kind == Node::Kind::map) return readQuorumMap(value);
  const auto text = value.isScalar() ? std::string_view(value.node().text) : std::string_view();
  const auto percent = parsePercent(text);
  if (percent && *percent > 0) return {*percent, Quorum::Unit::percent};
  const auto servers = parsePlainNumber(text);
  if (servers && *servers >= 1 && *servers <= kMaxServers) return {*servers};
  value.error("a number of servers from 1 to " + std::to_string(kMaxServers) +
              ", a share of the pool's weight from \"1%\" to \"100%\", or a map");
  return {};
}

unsigned readPanicThreshold(const Value& value) {
  const auto share = value.isScalar() ? parsePercent(value.node().text) : std::nullopt;
  if (!share) value.error("a share of the pool's servers from \"0%\" (never) to \"100%\"");
  return share.value_or(0);
}

}  // namespace

void readAvailability(const Record& record, Service& service) {
  if (const auto quorum = record.find("quorum")) service.quorum = readQuorum(*quorum);
  service.belowQuorum = static_cast<BelowQuorum>(
      record.choice("below_quorum", {"withdraw", "depreference", "keep"}, 0));
  if (const auto panic = record.find("panic_threshold")) {
    service.panicThreshold = readPanicThreshold(*panic);
  }
  if (const auto backup = record.find("backup_pool")) {
    service.backupPool = backup->name().value_or("");
  }
}

}  // namespace l4ward::config
