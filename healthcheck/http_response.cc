#include "healthcheck/http_response.h"

// clang-format off
#include "base/asio.h"  // before Beast, which includes parts of Asio
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
// clang-format on

#include <algorithm>
#include <limits>
#include <utility>

#include "healthcheck/http_probe.h"

namespace l4ward::healthcheck {
namespace {

namespace http = boost::beast::http;
using Text = boost::beast::string_view;

constexpr std::string_view expectedStart = "HTTP/1.";

bool startsLikeHttp(std::string_view bytes) {
  const auto compared = std::min(bytes.size(), expectedStart.size());
  return bytes.substr(0, compared) == expectedStart.substr(0, compared);
}

Judgement headerTooLarge() {
  return failed(FailureKind::tooLarge,
                "header larger than " + std::to_string(maxHeaderBytes / 1024) + " KiB");
}

}  // namespace

// Beast's parser, with nothing kept but the status.
class ResponseReader::Parser final : public http::basic_parser<false> {
 public:
  Parser() {
    header_limit(maxHeaderBytes);
    // The reader counts. (boost::none would not lift the limit: Boost 1.74 compares a length as
    // greater than none.)
    body_limit(std::numeric_limits<std::uint64_t>::max());
  }
  unsigned status() const { return status_; }
  // 101 is final: nobody asked to switch protocols.
  bool isInterim() const { return status_ / 100 == 1 && status_ != 101; }

 private:
  void on_request_impl(http::verb, Text, Text, int, ErrorCode&) override {}
  void on_response_impl(int code, Text, int, ErrorCode&) override {
    status_ = static_cast<unsigned>(code);
  }
  void on_field_impl(http::field, Text, Text, ErrorCode&) override {}
  void on_header_impl(ErrorCode&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorCode&) override {}
  std::size_t on_body_impl(Text body, ErrorCode&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, Text, ErrorCode&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, Text body, ErrorCode&) override {
    return body.size();
  }
  void on_finish_impl(ErrorCode&) override {}

  unsigned status_ = 0;
};

ResponseReader::ResponseReader(const HttpProbe& probe)
    : probe_(probe), parser_(std::make_unique<Parser>()) {}

ResponseReader::~ResponseReader() = default;

std::optional<Judgement> ResponseReader::feed(std::string_view bytes) {
  received_ += bytes.size();
  std::string joined;
  if (!unread_.empty()) {
    joined = std::exchange(unread_, {}).append(bytes);
    bytes = joined;
  }
  if (auto judgement = parse(bytes)) return judgement;
  if (!parser_->is_header_done()) {
    if (headerBytes_ + bytes.size() > maxHeaderBytes) return headerTooLarge();
  } else if (bodyBytes_ + bytes.size() >= maxBodyBytes) {
    return judgeStatus(parser_->status(), probe_);
  }
  unread_.assign(bytes);
  return std::nullopt;
}

// Leaves in `bytes` what the parser cannot use before there is more.
std::optional<Judgement> ResponseReader::parse(std::string_view& bytes) {
  while (!bytes.empty()) {
    if (headerBytes_ == 0 && !startsLikeHttp(bytes)) {
      return failed(FailureKind::badResponse, "the answer is not HTTP/1");
    }
    const bool inHeader = !parser_->is_header_done();
    ErrorCode error;
    const auto used = parser_->put(asio::buffer(bytes.data(), bytes.size()), error);
    bytes.remove_prefix(used);
    (inHeader ? headerBytes_ : bodyBytes_) += used;
    if (error == http::error::need_more) return std::nullopt;
    if (error == http::error::header_limit || headerBytes_ > maxHeaderBytes) {
      return headerTooLarge();
    }
    if (error) return failed(FailureKind::badResponse, "malformed answer: " + error.message());
    if (!parser_->is_done()) continue;
    if (auto judgement = finishAnswer()) return judgement;
  }
  return std::nullopt;
}

// The judgement, or nothing if another answer must follow this one.
std::optional<Judgement> ResponseReader::finishAnswer() {
  if (!parser_->isInterim()) return judgeStatus(parser_->status(), probe_);
  if (++interim_ > maxInterimAnswers) {
    return failed(FailureKind::badResponse,
                  "more than " + std::to_string(maxInterimAnswers) + " interim (1xx) answers");
  }
  parser_ = std::make_unique<Parser>();
  headerBytes_ = 0;
  return std::nullopt;
}

Judgement ResponseReader::end() {
  if (parser_->is_header_done() && parser_->need_eof()) {
    return judgeStatus(parser_->status(), probe_);
  }
  if (received_ == 0) return failed(FailureKind::closed, "closed without an answer");
  return failed(FailureKind::closed,
                "closed after " + std::to_string(received_) + " bytes of an incomplete answer");
}

}  // namespace l4ward::healthcheck
