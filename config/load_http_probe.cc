#include <algorithm>
#include <cctype>

#include "config/probes.h"
#include "config/words.h"

namespace l4ward::config {
namespace {

using healthcheck::HttpProbe;
using healthcheck::StatusRange;

constexpr NumberRange kStatus{100, 599};
constexpr std::size_t kMaxStatus = 64;
constexpr std::size_t kMaxHeaders = 32;

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

void rejectOverlap(const Record& record, const HttpProbe& probe) {
  for (const auto& up : probe.pass) {
    for (const auto& drain : probe.drain) {
      const auto common = std::max(up.first, drain.first);
      if (common > std::min(up.last, drain.last)) continue;
      record.find("drain_status")
          ->error("status " + std::to_string(common) + ", which `status` has too",
                  "each status in one of the two");
      return;
    }
  }
}

bool sameHeader(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

// What says whose the request is, and where it ends.
bool isOurs(std::string_view header) {
  for (const auto* ours : {"Host", "Connection", "Content-Length", "Transfer-Encoding"}) {
    if (sameHeader(header, ours)) return true;
  }
  return false;
}

std::vector<std::pair<std::string, std::string>> readHeaders(const Value& value) {
  std::vector<std::pair<std::string, std::string>> headers;
  for (const auto& named : readNamed(value, {0, kMaxHeaders})) {
    const auto first = std::find_if(headers.begin(), headers.end(), [&](const auto& header) {
      return sameHeader(header.first, named.name);
    });
    if (isOurs(named.name)) {
      named.value.error("the header " + inQuotes(named.name) + ", which l4ward sends by itself",
                        sameHeader(named.name, "Host") ? "the key `host`" : "other headers");
    } else if (first != headers.end()) {
      named.value.error("the header " + inQuotes(named.name) + " a second time", "it once");
    } else {
      headers.emplace_back(named.name,
                           named.value
                               .text(isHeaderValue,
                                     "at most 1024 printable ASCII characters that do not begin "
                                     "or end with a blank")
                               .value_or(""));
    }
  }
  return headers;
}

void readRequest(const Record& record, HttpProbe& probe) {
  if (const auto method = record.find("method")) {
    probe.method = method->text(isHttpMethod, "a method: 1 to 32 capital letters, not CONNECT")
                       .value_or(probe.method);
  }
  if (const auto path = record.find("path")) {
    probe.path = path->text(isHttpPath,
                            "a path that begins with '/', at most 1024 printable ASCII characters "
                            "without blanks or '#'")
                     .value_or(probe.path);
  }
  if (const auto host = record.find("host")) probe.host = readHost(*host);
  if (const auto headers = record.find("headers")) probe.headers = readHeaders(*headers);
  probe.http10 = record.choice("version", {"1.0", "1.1"}, 1) == 0;
}

}  // namespace

HttpProbe readHttp(const Record& record) {
  HttpProbe probe;
  readRequest(record, probe);
  if (const auto status = record.find("status")) probe.pass = readStatus(*status, 1);
  if (const auto status = record.find("drain_status")) probe.drain = readStatus(*status, 0);
  rejectOverlap(record, probe);
  if (const auto body = record.find("body")) {
    probe.body = readExpectation(*body);
    if (probe.method == "HEAD") {
      body->error("this key in a check with `method: HEAD`", "a method whose answer has a body");
    }
  }
  return probe;
}

}  // namespace l4ward::config
