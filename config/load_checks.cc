// What all checks have in common.
#include <algorithm>

#include "config/probes.h"
#include "config/sections.h"

namespace l4ward::config {
namespace {

using namespace std::chrono_literals;

constexpr DurationRange kInterval{10ms, 1h};
constexpr DurationRange kDownInterval{10ms, 24h};
constexpr NumberRange kCount{1, 100};

// A duration, and whether the file says it or is wrong about it.
struct Time {
  Millis value{0};
  bool given = false;
  bool good = true;

  // "2s", "2s by default"
  std::string text() const { return formatDuration(value) + (given ? "" : " by default"); }
};

Time readTime(const Record& record, std::string_view key, DurationRange range, Millis otherwise) {
  const auto value = record.find(key);
  if (!value) return {otherwise};
  const auto time = value->duration(range);
  return {time.value_or(otherwise), true, time.has_value()};
}

void readTimes(const Record& record, Check& check) {
  const auto interval = readTime(record, "interval", kInterval, check.interval);
  const auto fast =
      readTime(record, "fast_interval", kInterval, std::min<Millis>(500ms, interval.value));
  const auto timeout = readTime(record, "timeout", kInterval, std::min<Millis>(1s, interval.value));
  const auto down = readTime(record, "down_interval", kDownInterval, interval.value);
  check.interval = interval.value;
  check.fastInterval = fast.value;
  check.timeout = timeout.value;
  check.downInterval = down.value;
  if (!interval.good) return;
  for (const auto& [key, time] :
       {std::pair{"fast_interval", fast}, std::pair{"timeout", timeout}}) {
    if (time.value <= interval.value) continue;
    record.find(key)->error("at most the interval, which is " + interval.text());
  }
  if (fast.good && fast.value <= interval.value && down.value < fast.value) {
    record.find("down_interval")->error("at least the fast interval, which is " + fast.text());
  }
}

std::vector<std::string> keysOfChecks() {
  auto keys = keysOfProbes();
  keys.insert(keys.begin(),
              {"type", "interval", "fast_interval", "down_interval", "timeout", "rise", "fall"});
  return keys;
}

Check readCheck(const Named& named) {
  static const auto keys = keysOfChecks();
  Record record(named.value, keys);
  Check check;
  check.name = named.name;
  const auto typeKey = record.require("type", alternatives(checkTypes()));
  const auto type = typeKey ? typeKey->choice(checkTypes()) : std::nullopt;
  if (type) {
    dropForeignKeys(record, static_cast<CheckType>(*type));
    readProbe(record, static_cast<CheckType>(*type), check);
  } else {
    // Nobody knows what it should be: let others miss neither a port nor an agent.
    check.how = healthcheck::AgentProbe();
    check.port = 0;
  }
  readTimes(record, check);
  check.rise = record.number("rise", kCount, check.rise);
  check.fall = record.number("fall", kCount, check.fall);
  return check;
}

}  // namespace

std::map<std::string, Check> readChecks(const Value& value) {
  std::map<std::string, Check> checks;
  for (const auto& named : readNamed(value, {0, kMaxNamed})) {
    if (named.name == "none") {
      named.value.error("a check named none",
                        "another name: `check: none` in a pool means no check");
    }
    checks.emplace(named.name, readCheck(named));
  }
  return checks;
}

}  // namespace l4ward::config
