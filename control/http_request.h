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
  bool keepAlive = false;
};

struct HttpInput {
  std::size_t used = 0;  // bytes of the request; 0: more are needed, unless it is refused
  unsigned refusal = 0;  // a status: 400, 413 (it has a body), 431
  HttpRequest request;
};

// The request that `bytes` begin with.
HttpInput readHttpRequest(std::string_view bytes);

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
