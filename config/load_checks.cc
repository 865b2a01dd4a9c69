#include <algorithm>
#include <charconv>

#include "config/sections.h"
#include "config/words.h"

namespace l4ward::config {
namespace {

using namespace std::chrono_literals;

constexpr DurationRange kInterval{10ms, 1h};
constexpr NumberRange kCount{1, 100};
constexpr NumberRange kPort{1, 65535};
constexpr NumberRange kStatus{100, 599};
constexpr std::size_t kMaxStatus = 64;

std::optional<StatusRange> parseStatus(std::string_view text) {
  const auto dash = text.find('-');
  const auto first = parsePlainNumber(text.substr(0, dash));
  const auto last = dash == text.npos ? first : parsePlainNumber(text.substr(dash + 1));
  if (!first || !last || *first < kStatus.min || *last > kStatus.max || *first > *last) {
    return std::nullopt;
  }
  return StatusRange{*first, *last};
}

std::vector<StatusRange> readStatus(const Value& value, std::size_t atLeast) {
  std::vector<StatusRange> ranges;
  for (const auto& item : value.list({atLeast, kMaxStatus})) {
    const auto range = item.isScalar() ? parseStatus(item.node().text) : std::nullopt;
    if (range) {
      ranges.push_back(*range);
    } else {
      item.error("a status from 100 to 599, or a range such as 200-299");
    }
  }
  return ranges;
}

void rejectOverlap(const Record& record, const Check& check) {
  for (const auto& up : check.status) {
    for (const auto& drain : check.drainStatus) {
      const auto common = std::max(up.first, drain.first);
      if (common > std::min(up.last, drain.last)) continue;
      record.find("drain_status")
          ->error("status " + std::to_string(common) + ", which `status` has too",
                  "each status in one of the two");
      return;
    }
  }
}

void readHttp(const Record& record, Check& check) {
  if (const auto path = record.find("path")) {
    check.path = path->text(isHttpPath,
                            "a path that begins with '/', at most 1024 printable ASCII characters "
                            "without blanks or '#'")
                     .value_or(check.path);
  }
  if (const auto host = record.find("host")) {
    check.host = host->text(isHost, "a host name or address, with a port if need be").value_or("");
  }
  if (const auto status = record.find("status")) check.status = readStatus(*status, 1);
  if (const auto status = record.find("drain_status")) check.drainStatus = readStatus(*status, 0);
  rejectOverlap(record, check);
}

void rejectHttp(const Record& record) {
  for (const auto* key : {"path", "host", "status", "drain_status"}) {
    if (const auto value = record.find(key)) {
      value->error("this key in a check of type tcp", "it only with type http");
    }
  }
}

void readTimes(const Record& record, Check& check) {
  const auto given = record.find("interval");
  const auto interval = given ? given->duration(kInterval) : check.interval;
  check.interval = interval.value_or(check.interval);
  check.fastInterval = record.duration("fast_interval", kInterval, std::min(500ms, check.interval));
  check.timeout = record.duration("timeout", kInterval, std::min<Millis>(1s, check.interval));
  if (!interval) return;
  for (const auto& [key, time] :
       {std::pair{"fast_interval", check.fastInterval}, std::pair{"timeout", check.timeout}}) {
    if (time <= check.interval) continue;
    record.find(key)->error("at most the interval, which is " + formatDuration(check.interval) +
                            (given ? "" : " by default"));
  }
}

std::vector<IpAddress> readSource(const Value& value) {
  std::vector<IpAddress> sources;
  for (const auto& item : value.oneOrList({1, 2})) {
    const auto address = item.address();
    if (!address) continue;
    if (address->isUnspecified() || address->isMulticast()) {
      item.error("an address of this node");
    } else if (!sources.empty() && sources[0].family() == address->family()) {
      item.error("a second " + std::string(toString(address->family())) + " address",
                 "one a family");
    } else {
      sources.push_back(*address);
    }
  }
  return sources;
}

Check readCheck(const Named& named) {
  const Record record(named.value,
                      {"type", "port", "path", "host", "status", "drain_status", "interval",
                       "fast_interval", "timeout", "rise", "fall", "source"});
  Check check;
  check.name = named.name;
  const auto typeKey = record.require("type", "tcp or http");
  const auto type = typeKey ? typeKey->choice({"tcp", "http"}) : std::nullopt;
  if (type) check.type = static_cast<CheckType>(*type);
  if (type && check.type == CheckType::tcp) {
    rejectHttp(record);
  } else {
    readHttp(record, check);
  }
  if (const auto port = record.find("port")) {
    // A wrong one stays, as 0, so that nobody misses it.
    check.port = static_cast<std::uint16_t>(port->number(kPort).value_or(0));
  }
  readTimes(record, check);
  check.rise = record.number("rise", kCount, check.rise);
  check.fall = record.number("fall", kCount, check.fall);
  if (const auto source = record.find("source")) check.source = readSource(*source);
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
