#include "control/http_request.h"

// clang-format off
#include "base/asio.h"  // before Beast, which includes parts of Asio
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
// clang-format on

#include <algorithm>
#include <cctype>
#include <charconv>

#include "base/ip.h"

namespace l4ward::control {
namespace {

namespace http = boost::beast::http;
using Text = boost::beast::string_view;

// Beast's parser, with nothing kept but the first line and what it is asked as.
class Parser final : public http::basic_parser<true> {
 public:
  Parser() { header_limit(kMaxHttpHeader); }

  HttpRequest request() {
    request_.keepAlive = keep_alive();
    return request_;
  }
  // Without it, proxies and servers may differ in which one they believe.
  bool hasOneHostAtMost() const { return hosts_ <= 1; }
  bool hasBody() const { return chunked() || content_length().value_or(0) > 0; }

 private:
  void on_request_impl(http::verb, Text method, Text target, int, ErrorCode&) override {
    request_.method.assign(method.data(), method.size());
    request_.target.assign(target.data(), target.size());
  }
  void on_response_impl(int, Text, int, ErrorCode&) override {}
  void on_field_impl(http::field field, Text, Text value, ErrorCode&) override {
    if (field != http::field::host) return;
    ++hosts_;
    request_.host.assign(value.data(), value.size());
  }
  void on_header_impl(ErrorCode&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorCode&) override {}
  std::size_t on_body_impl(Text piece, ErrorCode&) override { return piece.size(); }
  void on_chunk_header_impl(std::uint64_t, Text, ErrorCode&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, Text piece, ErrorCode&) override {
    return piece.size();
  }
  void on_finish_impl(ErrorCode&) override {}

  HttpRequest request_;
  int hosts_ = 0;
};

unsigned refusalOf(const ErrorCode& error) {
  if (error == http::error::header_limit) return 431;
  return error == http::error::body_limit ? 413 : 400;
}

bool isSameName(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

std::optional<std::string> decode(std::string_view text, bool plusIsBlank) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = plusIsBlank && text[i] == '+' ? ' ' : text[i];
    if (c == '%') {
      const auto digits = text.substr(i + 1, 2);
      std::uint8_t value = 0;
      const auto* end = digits.data() + digits.size();
      const auto [stop, ec] = std::from_chars(digits.data(), end, value, 16);
      if (digits.size() < 2 || ec != std::errc() || stop != end) return std::nullopt;
      c = static_cast<char>(value);
      i += 2;
    }
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return std::nullopt;
    bytes += c;
  }
  return bytes;
}

}  // namespace

HttpInput readHttpRequest(std::string_view bytes) {
  Parser parser;
  ErrorCode error;
  const auto used = parser.put(asio::buffer(bytes.data(), bytes.size()), error);
  HttpInput input;
  if (error == http::error::need_more || (!error && !parser.is_header_done())) {
    if (bytes.size() > kMaxHttpHeader) input.refusal = 431;
  } else if (error) {
    input.refusal = refusalOf(error);
  } else if (parser.hasBody()) {
    input.refusal = 413;
  } else if (!parser.hasOneHostAtMost()) {
    input.refusal = 400;
  } else {
    input.used = used;
    input.request = parser.request();
  }
  return input;
}

bool isOwnHost(std::string_view host, std::string_view hostName) {
  if (host.empty() || IpAddress::parse(host) || Endpoint::parse(host)) return true;
  if (host.starts_with('[') && host.ends_with(']')) {
    return IpAddress::parse(host.substr(1, host.size() - 2)).has_value();
  }
  const auto name = host.substr(0, host.rfind(':'));
  return isSameName(name, "localhost") || isSameName(name, hostName);
}

std::string HttpTarget::get(const std::string& key) const {
  const auto found = query.find(key);
  return found == query.end() ? "" : found->second;
}

std::optional<HttpTarget> parseTarget(std::string_view target) {
  const auto mark = target.find('?');
  const auto path = decode(target.substr(0, mark), false);
  if (!path || !path->starts_with('/')) return std::nullopt;
  HttpTarget parsed{*path, {}};
  auto rest = mark == target.npos ? std::string_view() : target.substr(mark + 1);
  while (!rest.empty()) {
    const auto part = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    if (part.empty()) continue;
    const auto equals = part.find('=');
    const auto key = decode(part.substr(0, equals), true);
    const auto value =
        decode(equals == part.npos ? std::string_view() : part.substr(equals + 1), true);
    if (!key || !value) return std::nullopt;
    parsed.query[*key] = *value;
  }
  return parsed;
}

}  // namespace l4ward::control
