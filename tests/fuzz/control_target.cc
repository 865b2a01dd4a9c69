#include <string>

#include "control/http_request.h"
#include "control/request.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/targets.h"

namespace l4ward::fuzz {
namespace {

using namespace control;

bool isOneLine(const std::string& text) {
  return text.find('\n') == std::string::npos;
}

// What is understood is written so that it is understood in the same way.
void request(const std::string& line) {
  const auto parsed = parseRequest(line);
  if (!parsed) {
    require(!parsed.error().code.empty() && !parsed.error().message.empty());
    require(isOneLine(parsed.error().message) && parsed.error().message.size() < 1024);
    return;
  }
  require(line.size() <= kMaxPlanRequest);
  const auto again = encode(*parsed);
  require(isOneLine(again));
  const auto second = parseRequest(again);
  require(second && second->index() == parsed->index() && encode(*second) == again);
}

void reply(const std::string& line) {
  const auto parsed = parseReply(line);
  const auto again = encode(parsed);
  require(isOneLine(again));
  const auto second = parseReply(again);
  require(second.has_value() == parsed.has_value());
  if (!parsed) require(second.error().code == parsed.error().code);
}

void http(const std::string& bytes) {
  const auto input = readHttpRequest(bytes);
  require(input.used <= bytes.size());
  require(input.used == 0 || input.refusal == 0);
  if (input.used == 0) return;
  // Bytes that follow are another request's.
  const auto alone = readHttpRequest(bytes.substr(0, input.used));
  require(alone.used == input.used && alone.request.target == input.request.target);
  const auto target = parseTarget(input.request.target);
  require(!target || target->path.starts_with('/'));
}

}  // namespace

void control(Input bytes) {
  const std::string text(bytes.begin(), bytes.end());
  request(text);
  reply(text);
  http(text);
}

}  // namespace l4ward::fuzz
