#include "healthcheck/http_probe.h"

#include <algorithm>

namespace l4ward::healthcheck {
namespace {

bool contains(const std::vector<StatusRange>& ranges, unsigned status) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const auto& range) {
    return range.first <= status && status <= range.last;
  });
}

// "200", "200-299 or 404"
std::string describe(const std::vector<StatusRange>& ranges) {
  std::string text;
  for (const auto& range : ranges) {
    if (!text.empty()) text += " or ";
    text += std::to_string(range.first);
    if (range.last != range.first) text += "-" + std::to_string(range.last);
  }
  return text;
}

bool namesPort(const std::string& host) {
  const auto colon = host.rfind(':');
  return colon != host.npos && host.find(']', colon) == host.npos;
}

std::string hostField(const HttpProbe& probe, const Endpoint& target) {
  std::string host = probe.host.empty() ? target.address.str() : probe.host;
  const auto literal = IpAddress::parse(host);
  if (literal && !literal->isV4()) {
    host = "[" + host + "]";
  } else if (namesPort(host)) {
    return host;
  }
  return target.port == 80 ? host : host + ":" + std::to_string(target.port);
}

}  // namespace

std::string buildRequest(const HttpProbe& probe, const Endpoint& target) {
  return "GET " + probe.path + " HTTP/1.1\r\nHost: " + hostField(probe, target) +
         "\r\nUser-Agent: l4ward\r\nAccept: */*\r\nConnection: close\r\n\r\n";
}

Judgement judgeStatus(unsigned status, const HttpProbe& probe) {
  const std::string seen = "status " + std::to_string(status);
  if (contains(probe.drain, status)) return {Answer::drain, FailureKind::none, seen};
  if (contains(probe.pass, status)) return {Answer::pass, FailureKind::none, seen};
  return failed(FailureKind::badStatus, seen + ", expected " + describe(probe.pass));
}

}  // namespace l4ward::healthcheck
