// Requests of HTTP/1 (RFC 9112) from bytes. Pure.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace l4ward::control {

inline constexpr std::size_t kMaxHttpHeader = 8192;

struct HttpRequest {
  std::string method;
  std::string target;
  std::string host;  // the field, "" if there is none
  bool keepAlive = false;
};

struct HttpInput {
  std::size_t used = 0;  // bytes of the request; 0: more are needed, unless it is refused
  unsigned refusal = 0;  // a status: 400, 413 (it has a body), 431
  HttpRequest request;
};

// The request that `bytes` begin with.
HttpInput readHttpRequest(std::string_view bytes);

// Whether a Host field (RFC 9110, 7.2), which may have a port, can only mean the machine itself,
// whose name is `hostName`: an address, "localhost" or that name. What others' name servers say
// could lead here is none of these; no browser leaves the field out.
bool isOwnHost(std::string_view host, std::string_view hostName);

struct HttpTarget {
  std::string path;
  std::map<std::string, std::string> query;  // of a key given twice, the last one

  // Or "".
  std::string get(const std::string& key) const;
};

// "/vip/2001%3Adb8::1?a=b", both parts decoded (RFC 3986; '+' is a blank in the query). Nothing if
// it does not begin with '/' or an escape is damaged or stands for a control character.
std::optional<HttpTarget> parseTarget(std::string_view target);

}  // namespace l4ward::control
