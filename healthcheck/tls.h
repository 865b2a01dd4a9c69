// The TLS client's half of a conversation, by OpenSSL between two buffers: no sockets, no clock.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "healthcheck/job.h"
#include "healthcheck/judgement.h"

namespace l4ward::healthcheck {

// Sessions are resumed for so long after the certificates were looked at last.
inline constexpr Millis maxSessionAge = std::chrono::hours(1);

// What the sessions of one job share: certificates, and the last session for resumption.
class TlsContext {
 public:
  // An error if a file cannot be read or is not what it should be (names file and reason), or if
  // another of the settings cannot be used. Files are read now and not again.
  static Result<std::unique_ptr<TlsContext>> make(const Tls& tls, const IpAddress& target);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

 private:
  friend class TlsSession;
  struct Impl;
  explicit TlsContext(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class TlsSession {
 public:
  // `context` outlives the session. `now` decides whether an earlier session is resumed.
  explicit TlsSession(TlsContext& context, TimePoint now = Clock::now());
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  // Plain bytes to send, also before the handshake is over.
  void write(std::string_view plain);
  // What the server sent. Appends plain bytes to `plain` (at most what `encrypted` can hold).
  // The judgement if the session cannot go on: a wrong certificate, an alert, not TLS at all. What
  // `plain` gained by the same call was said before that and is authentic.
  std::optional<Judgement> receive(std::string_view encrypted, std::string& plain);
  // What must be sent to the server now; taken away by the call. Call after each of the others, and
  // once at the beginning.
  std::string output();
  // The server ended the session properly (close_notify). A connection that ends while this is
  // false was cut.
  bool ended() const;
  bool handshakeDone() const;
  // "certificate expires in 6 days" when it is that time.
  std::string warning() const;

 private:
  friend class TlsContext;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace l4ward::healthcheck
