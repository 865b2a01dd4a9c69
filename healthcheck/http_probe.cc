#include "healthcheck/http_probe.h"

#include <strings.h>

#include <algorithm>
#include <string_view>

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

std::string hostField(const HttpProbe& probe, const Endpoint& server, bool tls) {
  std::string host = probe.host.empty() ? server.address.str() : probe.host;
  const auto literal = IpAddress::parse(host);
  if (literal && !literal->isV4()) {
    host = "[" + host + "]";
  } else if (namesPort(host)) {
    return host;
  }
  return server.port == (tls ? 443 : 80) ? host : host + ":" + std::to_string(server.port);
}

bool names(const HttpProbe& probe, const char* header) {
  return std::any_of(probe.headers.begin(), probe.headers.end(), [&](const auto& field) {
    return strcasecmp(field.first.c_str(), header) == 0;
  });
}

// Methods whose meaning is in their content say that there is none (RFC 9110, 8.6): some servers
// answer 411 otherwise.
bool announcesContent(const std::string& method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

}  // namespace

std::string buildRequest(const HttpProbe& probe, const Endpoint& server, bool tls,
                         std::size_t padTo) {
  std::string request = probe.method + " " + probe.path;
  const auto add = [&](const std::string& name, const std::string& value) {
    request.append(name).append(": ").append(value).append("\r\n");
  };
  request += probe.http10 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n";
  add("Host", hostField(probe, server, tls));
  if (!names(probe, "User-Agent")) add("User-Agent", "l4ward");
  if (!names(probe, "Accept")) add("Accept", "*/*");
  for (const auto& [name, value] : probe.headers) add(name, value);
  if (announcesContent(probe.method) && !names(probe, "Content-Length")) add("Content-Length", "0");
  add("Connection", "close");
  if (request.size() + 2 < padTo) {
    const auto missing = padTo - request.size() - 2;
    const std::size_t around = std::string_view("X-Padding: \r\n").size();
    add("X-Padding", std::string(missing - std::min(missing, around), 'x'));
  }
  return request + "\r\n";
}

Judgement judgeStatus(unsigned status, const HttpProbe& probe) {
  const std::string seen = "status " + std::to_string(status);
  if (contains(probe.drain, status)) return {Answer::drain, FailureKind::none, seen, {}, {}};
  if (contains(probe.pass, status)) return passed(seen);
  return failed(FailureKind::badStatus, seen + ", expected " + describe(probe.pass));
}

}  // namespace l4ward::healthcheck
