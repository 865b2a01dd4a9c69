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

// Beast's parser, with nothing kept but the status, and the body if asked.
class ResponseReader::Parser final : public http::basic_parser<false> {
 public:
  explicit Parser(bool toHead) {
    skip(toHead);
    header_limit(maxHeaderBytes);
    // The reader counts. (boost::none would not lift the limit: Boost 1.74 compares a length as
    // greater than none.)
    body_limit(std::numeric_limits<std::uint64_t>::max());
  }
  unsigned status() const { return status_; }
  // 101 is final: nobody asked to switch protocols.
  bool isInterim() const { return status_ / 100 == 1 && status_ != 101; }
  void collect(Collected& body) { body_ = &body; }
  // The text that is looked for was in the body.
  bool found() const { return found_; }

 private:
  void on_request_impl(http::verb, Text, Text, int, ErrorCode&) override {}
  void on_response_impl(int code, Text, int, ErrorCode&) override {
    status_ = static_cast<unsigned>(code);
  }
  void on_field_impl(http::field, Text, Text, ErrorCode&) override {}
  void on_header_impl(ErrorCode&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorCode&) override {}
  std::size_t on_body_impl(Text piece, ErrorCode&) override { return take(piece); }
  void on_chunk_header_impl(std::uint64_t, Text, ErrorCode&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, Text piece, ErrorCode&) override {
    return take(piece);
  }
  void on_finish_impl(ErrorCode&) override {}

  std::size_t take(Text piece) {
    if (body_) found_ = found_ || body_->add({piece.data(), piece.size()});
    return piece.size();
  }

  Collected* body_ = nullptr;
  bool found_ = false;
  unsigned status_ = 0;
};

ResponseReader::ResponseReader(const HttpProbe& probe, const Matcher* matcher)
    : probe_(probe), matcher_(matcher), parser_(std::make_unique<Parser>(probe.method == "HEAD")) {}

ResponseReader::~ResponseReader() = default;

std::optional<Judgement> ResponseReader::feed(std::string_view bytes) {
  received_ += bytes.size();
  const bool joins = !unread_.empty();
  if (joins) bytes = unread_.append(bytes);
  if (auto judgement = parse(bytes)) return judgement;
  if (!parser_->is_header_done()) {
    if (headerBytes_ + bytes.size() > maxHeaderBytes) return headerTooLarge();
  } else if (bodyBytes_ + bytes.size() >= maxBodyBytes) {
    return judgeWhole();
  }
  if (joins) {
    unread_.erase(0, unread_.size() - bytes.size());
  } else {
    unread_.assign(bytes);
  }
  return std::nullopt;
}

// Leaves in `bytes` what the parser cannot use before there is more, or must not.
std::optional<Judgement> ResponseReader::parse(std::string_view& bytes) {
  while (!bytes.empty() && bodyBytes_ < maxBodyBytes) {
    if (headerBytes_ == 0 && !startsLikeHttp(bytes)) {
      return failed(FailureKind::badResponse, "the answer is not HTTP/1");
    }
    const bool inHeader = !parser_->is_header_done();
    if (!inHeader && mustWait(bytes.size())) return std::nullopt;
    const auto usable = inHeader ? bytes : bytes.substr(0, maxBodyBytes - bodyBytes_);
    ErrorCode error;
    const auto used = parser_->put(asio::buffer(usable.data(), usable.size()), error);
    bytes.remove_prefix(used);
    (inHeader ? headerBytes_ : bodyBytes_) += used;
    if (error == http::error::need_more) return std::nullopt;
    if (error == http::error::header_limit || headerBytes_ > maxHeaderBytes) {
      return headerTooLarge();
    }
    if (error) return failed(FailureKind::badResponse, "malformed answer: " + error.message());
    if (parser_->found()) return judgeStatus(parser_->status(), probe_);
    if (parser_->is_done()) {
      if (auto judgement = finishAnswer()) return judgement;
    } else if (inHeader && parser_->is_header_done()) {
      expectBody();
    }
  }
  return std::nullopt;
}

// Beast asserts, so maybe ends the program, when it sees the last chunk in pieces shorter than the
// shortest one. No answer ends with fewer bytes: nothing is missed.
bool ResponseReader::mustWait(std::size_t unread) const {
  constexpr std::string_view shortestLastChunk = "0\r\n\r\n";
  return parser_->chunked() && unread < shortestLastChunk.size() &&
         bodyBytes_ + unread < maxBodyBytes;
}

// A body is of interest only behind a status that passes.
void ResponseReader::expectBody() {
  if (!matcher_ || judgeStatus(parser_->status(), probe_).answer != Answer::pass) return;
  parser_->collect(body_.emplace(*probe_.body, *matcher_));
}

// The judgement, or nothing if another answer must follow this one.
std::optional<Judgement> ResponseReader::finishAnswer() {
  if (!parser_->isInterim()) return judgeWhole();
  if (++interim_ > maxInterimAnswers) {
    return failed(FailureKind::badResponse,
                  "more than " + std::to_string(maxInterimAnswers) + " interim (1xx) answers");
  }
  parser_ = std::make_unique<Parser>(probe_.method == "HEAD");
  headerBytes_ = 0;
  return std::nullopt;
}

// By status and body, of which no more is wanted.
Judgement ResponseReader::judgeWhole() const {
  auto judgement = judgeStatus(parser_->status(), probe_);
  if (!matcher_ || judgement.answer != Answer::pass) return judgement;
  if (body_ ? body_->matches() : matcher_->matches({})) return judgement;
  return failed(FailureKind::mismatch,
                "no " + matcher_->describe() +
                    (bodyBytes_ < maxBodyBytes ? " in the body" : " in the body's first 64 KiB"));
}

Judgement ResponseReader::end() {
  if (parser_->is_header_done() && parser_->need_eof()) return judgeWhole();
  if (received_ == 0) return failed(FailureKind::closed, "closed without an answer");
  return failed(FailureKind::closed,
                "closed after " + std::to_string(received_) + " bytes of an incomplete answer");
}

}  // namespace l4ward::healthcheck
