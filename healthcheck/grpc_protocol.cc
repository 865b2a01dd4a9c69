// gRPC over HTTP/2 with prior knowledge (RFC 9113, 3.3), by nghttp2 between two buffers.
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <new>
#include <string>
#include <utility>

#include "healthcheck/clean_text.h"
#include "healthcheck/grpc_answer.h"
#include "healthcheck/grpc_message.h"
#include "healthcheck/protocol.h"

namespace l4ward::healthcheck {
namespace {

constexpr std::size_t maxReceivedBytes = std::size_t{64} * 1024;
// Of all headers and trailers together, counted as SETTINGS_MAX_HEADER_LIST_SIZE counts: a few
// bytes can stand for many (HPACK).
constexpr std::size_t maxHeaderListBytes = std::size_t{16} * 1024;
constexpr std::size_t headerOverhead = 32;
// PING and SETTINGS that ask for an answer.
constexpr unsigned maxAcknowledged = 100;
constexpr std::size_t maxDetailBytes = 100;

constexpr std::string_view http1Start = "HTTP/1";

struct Call {
  std::string scheme;
  std::string authority;
  std::string service;
  std::string message;
};

template <typename T>
std::string_view view(const T* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

Judgement bad(std::string reason) {
  return failed(FailureKind::badResponse, std::move(reason));
}

std::string errorName(std::uint32_t code) {
  return nghttp2_http2_strerror(code);
}

struct SessionDeleter {
  void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
};

class GrpcDialog final : public Dialog {
 public:
  explicit GrpcDialog(const Call& call);

  std::string_view opening() override { return opening_; }
  std::optional<Judgement> receive(std::string_view bytes) override;
  std::string reply() override { return std::exchange(unsent_, {}); }
  Judgement end() override;
  std::size_t received() const override { return received_; }

 private:
  friend struct Callbacks;

  void openSession();
  void submitCall();
  void collectUnsent();
  // The first judgement counts. What a callback returns to end the session.
  int decide(Judgement judgement);
  Judgement violation(const std::string& what) const;

  int onHeader(std::string_view name, std::string_view value);
  int onData(std::string_view bytes);
  int onFrame(const nghttp2_frame& frame);
  int onGoaway(const nghttp2_goaway& frame);
  int onSent(const nghttp2_frame& frame);

  const Call& call_;
  std::unique_ptr<nghttp2_session, SessionDeleter> session_;
  std::int32_t stream_ = 0;
  std::size_t sentOfMessage_ = 0;
  std::string opening_;
  std::string unsent_;

  std::string start_;  // of what was received
  std::size_t received_ = 0;
  bool isHttp2_ = false;  // the server's SETTINGS have come
  std::size_t headerBytes_ = 0;
  unsigned acknowledged_ = 0;
  std::string detail_;  // what nghttp2 says about the last error
  GrpcAnswer answer_;
  std::optional<Judgement> judgement_;
};

// What nghttp2 calls; `user` is the dialog.
struct Callbacks {
  static GrpcDialog& of(void* user) { return *static_cast<GrpcDialog*>(user); }

  static int header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name,
                    std::size_t nameSize, const std::uint8_t* value, std::size_t valueSize,
                    std::uint8_t, void* user) {
    return of(user).onHeader(view(name, nameSize), view(value, valueSize));
  }
  static int data(nghttp2_session*, std::uint8_t, std::int32_t, const std::uint8_t* bytes,
                  std::size_t size, void* user) {
    return of(user).onData(view(bytes, size));
  }
  static int frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    return of(user).onFrame(*frame);
  }
  static int sent(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    return of(user).onSent(*frame);
  }
  static int error(nghttp2_session*, int, const char* text, std::size_t size, void* user) {
    of(user).detail_ = cleanText(view(text, size), maxDetailBytes);
    return 0;
  }
  static ssize_t message(nghttp2_session*, std::int32_t, std::uint8_t* to, std::size_t size,
                         std::uint32_t* flags, nghttp2_data_source*, void* user) {
    auto& dialog = of(user);
    const auto rest = std::string_view(dialog.call_.message).substr(dialog.sentOfMessage_);
    const auto piece = rest.substr(0, size);
    std::ranges::copy(piece, to);
    dialog.sentOfMessage_ += piece.size();
    if (piece.size() == rest.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(piece.size());
  }
};

// nghttp2 fails here only for lack of memory.
void check(int result) {
  if (result < 0) throw std::bad_alloc();
}

GrpcDialog::GrpcDialog(const Call& call) : call_(call) {
  openSession();
  submitCall();
  collectUnsent();
  opening_ = reply();
}

void GrpcDialog::openSession() {
  nghttp2_session_callbacks* callbacks = nullptr;
  check(nghttp2_session_callbacks_new(&callbacks));
  nghttp2_session_callbacks_set_on_header_callback(callbacks, Callbacks::header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Callbacks::data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Callbacks::frame);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, Callbacks::sent);
  nghttp2_session_callbacks_set_error_callback2(callbacks, Callbacks::error);
  nghttp2_session* session = nullptr;
  const int result = nghttp2_session_client_new(&session, callbacks, this);
  nghttp2_session_callbacks_del(callbacks);
  check(result);
  session_.reset(session);
}

void GrpcDialog::submitCall() {
  const std::array<nghttp2_settings_entry, 2> settings{
      {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
       {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, std::uint32_t{maxHeaderListBytes}}}};
  check(
      nghttp2_submit_settings(session_.get(), NGHTTP2_FLAG_NONE, settings.data(), settings.size()));

  const auto field = [](std::string_view name, std::string_view value) {
    const auto bytes = [](std::string_view text) {
      return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
    };
    return nghttp2_nv{bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
  };
  const std::array fields{field(":method", "POST"),
                          field(":scheme", call_.scheme),
                          field(":path", "/grpc.health.v1.Health/Check"),
                          field(":authority", call_.authority),
                          field("te", "trailers"),
                          field("content-type", "application/grpc"),
                          field("user-agent", "l4ward")};
  const nghttp2_data_provider message{{}, Callbacks::message};
  stream_ = nghttp2_submit_request(session_.get(), nullptr, fields.data(), fields.size(), &message,
                                   nullptr);
  check(stream_);
}

void GrpcDialog::collectUnsent() {
  const std::uint8_t* bytes = nullptr;
  for (ssize_t size = 0; (size = nghttp2_session_mem_send(session_.get(), &bytes)) > 0;) {
    unsent_ += view(bytes, static_cast<std::size_t>(size));
  }
}

std::optional<Judgement> GrpcDialog::receive(std::string_view bytes) {
  const auto taken = bytes.substr(0, maxReceivedBytes - received_);
  received_ += taken.size();
  start_ += taken.substr(0, http1Start.size() - start_.size());
  const auto result = nghttp2_session_mem_recv(
      session_.get(), reinterpret_cast<const std::uint8_t*>(taken.data()), taken.size());
  if (!judgement_ && result < 0) decide(violation(nghttp2_strerror(static_cast<int>(result))));
  // It may be here that nghttp2 says by a GOAWAY or RST_STREAM what was wrong.
  if (!judgement_) collectUnsent();
  if (!judgement_ && taken.size() < bytes.size()) {
    decide(failed(FailureKind::tooLarge, "answer larger than 64 KiB"));
  }
  return judgement_;
}

Judgement GrpcDialog::end() {
  if (received_ == 0) return failed(FailureKind::closed, "closed without an answer");
  return failed(FailureKind::closed,
                "closed after " + std::to_string(received_) + " bytes of an incomplete answer");
}

int GrpcDialog::decide(Judgement judgement) {
  if (!judgement_) judgement_ = std::move(judgement);
  return NGHTTP2_ERR_CALLBACK_FAILURE;
}

Judgement GrpcDialog::violation(const std::string& what) const {
  if (!isHttp2_ && start_ == http1Start) return bad("the answer is HTTP/1, not HTTP/2");
  if (!isHttp2_) return bad("the answer is not HTTP/2");
  return bad("malformed answer: " + (detail_.empty() ? what : detail_));
}

int GrpcDialog::onHeader(std::string_view name, std::string_view value) {
  headerBytes_ += name.size() + value.size() + headerOverhead;
  if (headerBytes_ > maxHeaderListBytes) {
    return decide(failed(FailureKind::tooLarge, "headers larger than 16 KiB"));
  }
  answer_.addField(name, value);
  return 0;
}

int GrpcDialog::onData(std::string_view bytes) {
  answer_.stream += bytes;
  if (answer_.stream.size() <= maxGrpcMessageBytes) return 0;
  return decide(failed(FailureKind::tooLarge, "message larger than 4 KiB"));
}

int GrpcDialog::onFrame(const nghttp2_frame& frame) {
  const auto& header = frame.hd;
  switch (header.type) {
    case NGHTTP2_SETTINGS:
    case NGHTTP2_PING:
      isHttp2_ = true;
      if ((header.flags & NGHTTP2_FLAG_ACK) != 0 || ++acknowledged_ <= maxAcknowledged) return 0;
      return decide(failed(FailureKind::tooLarge, "more than " + std::to_string(maxAcknowledged) +
                                                      " PING and SETTINGS frames"));
    case NGHTTP2_GOAWAY:
      return onGoaway(frame.goaway);
    case NGHTTP2_RST_STREAM:
      return decide(bad("call reset by the server: " + errorName(frame.rst_stream.error_code)));
    case NGHTTP2_HEADERS:
      if (auto judgement = judgeGrpcHeaders(answer_)) return decide(std::move(*judgement));
      break;
    case NGHTTP2_DATA:
      break;
    default:
      return 0;
  }
  if ((header.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
  return decide(judgeGrpcAnswer(answer_, call_.service));
}

// A server that ends the connection in good order answers this call before it does.
int GrpcDialog::onGoaway(const nghttp2_goaway& frame) {
  if (frame.error_code == NGHTTP2_NO_ERROR && frame.last_stream_id >= stream_) return 0;
  const auto text = cleanText(view(frame.opaque_data, frame.opaque_data_len), maxDetailBytes);
  return decide(bad("connection ended by the server (GOAWAY): " + errorName(frame.error_code) +
                    (text.empty() ? "" : ": " + text)));
}

// nghttp2 ends the connection or the call when the server breaks a rule.
int GrpcDialog::onSent(const nghttp2_frame& frame) {
  if (frame.hd.type == NGHTTP2_GOAWAY) {
    const auto text =
        cleanText(view(frame.goaway.opaque_data, frame.goaway.opaque_data_len), maxDetailBytes);
    decide(violation(text.empty() ? errorName(frame.goaway.error_code) : text));
  } else if (frame.hd.type == NGHTTP2_RST_STREAM && frame.hd.stream_id == stream_) {
    decide(violation(errorName(frame.rst_stream.error_code)));
  }
  return 0;
}

class GrpcProtocol final : public Protocol {
 public:
  explicit GrpcProtocol(Call call) : call_(std::move(call)) {}
  std::unique_ptr<Dialog> begin() const override { return std::make_unique<GrpcDialog>(call_); }

 private:
  Call call_;
};

}  // namespace

Result<std::unique_ptr<Protocol>> grpcProtocol(const GrpcProbe& probe, const Probe& whole) {
  return std::make_unique<GrpcProtocol>(Call{
      whole.tls ? "https" : "http", probe.authority.empty() ? whole.target.str() : probe.authority,
      probe.service, encodeHealthRequest(probe.service)});
}

}  // namespace l4ward::healthcheck
