#include "healthcheck/tls.h"

#include <new>
#include <utility>

#include "healthcheck/tls_reason.h"
#include "healthcheck/tls_settings.h"

namespace l4ward::healthcheck {

struct TlsContext::Impl {
  Tls tls;
  std::string name;  // what the certificate must be for
  ClientContext openssl;
  OpenSslPtr<SSL_SESSION> resumable;
  TimePoint verifiedAt{};  // when the certificates of `resumable` were looked at

  SSL_SESSION* sessionToResume(TimePoint now) const;
};

// A resumed session repeats what was found when its first one looked at the certificates.
SSL_SESSION* TlsContext::Impl::sessionToResume(TimePoint now) const {
  if (!resumable || now - verifiedAt >= maxSessionAge) return nullptr;
  const auto* peer = SSL_SESSION_get0_peer(resumable.get());
  if (peer == nullptr || hasExpired(*peer)) return nullptr;
  return SSL_SESSION_is_resumable(resumable.get()) == 1 ? resumable.get() : nullptr;
}

TlsContext::TlsContext(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsContext::~TlsContext() = default;

struct TlsSession::Impl {
  TlsContext::Impl& shared;
  OpenSslPtr<SSL> ssl;
  BIO* in = nullptr;   // ssl's
  BIO* out = nullptr;  // ssl's
  TimePoint startedAt;
  TimePoint offeredAt{};   // when the certificates of the session to resume were verified
  std::string waiting;     // plain bytes, until the handshake is over
  std::size_t looked = 0;  // of the first bytes, at which one sees whether it is TLS
  bool done = false;       // the handshake
  bool ended = false;
  std::optional<Judgement> failure;
  // Why the chain was refused.
  int refusal = X509_V_OK;
  int depth = 0;
  OpenSslPtr<X509> refused;

  Impl(TlsContext::Impl& context, TimePoint now);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  static int onVerify(int ok, X509_STORE_CTX* chain);
  static int onNewSession(SSL* ssl, SSL_SESSION* session);

  bool startsLikeTls(std::string_view bytes);
  // These end in `failure`, or they want more.
  void shakeHands();
  void read(std::string& plain);
  void send(std::string_view plain);
  void stopped(int result);
  void giveUp(Judgement judgement);
  Judgement explain();
};

Result<std::unique_ptr<TlsContext>> TlsContext::make(const Tls& tls, const IpAddress& target) {
  auto impl = std::make_unique<Impl>();
  impl->tls = tls;
  impl->name = tls.serverName.empty() ? target.str() : tls.serverName;
  auto made = makeClientContext(tls, impl->name);
  if (!made) return tl::unexpected(made.error());
  auto* ctx = made->ctx.get();
  SSL_CTX_set_verify(ctx, tls.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE,
                     tls.verify ? TlsSession::Impl::onVerify : nullptr);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(ctx, TlsSession::Impl::onNewSession);
  impl->openssl = std::move(*made);
  std::unique_ptr<TlsContext> context(new TlsContext(std::move(impl)));
  // What keeps a handshake from being begun (no version in common with openssl.cnf) is known now.
  const TlsSession trial(*context);
  if (trial.impl_->failure) return fail("TLS: " + trial.impl_->failure->reason);
  return context;
}

TlsSession::Impl::Impl(TlsContext::Impl& context, TimePoint now)
    : shared(context), ssl(SSL_new(context.openssl.ctx.get())), startedAt(now) {
  const OwnErrors errors;
  in = BIO_new(BIO_s_mem());
  out = BIO_new(BIO_s_mem());
  if (ssl && in != nullptr && out != nullptr) {
    SSL_set_bio(ssl.get(), in, out);
  } else {
    BIO_free(in);
    BIO_free(out);
    throw std::bad_alloc();
  }
  SSL_set_app_data(ssl.get(), this);
  SSL_set_connect_state(ssl.get());
  // RFC 6066, section 3: addresses are no server names.
  if (!IpAddress::parse(shared.name)) SSL_set_tlsext_host_name(ssl.get(), shared.name.c_str());
  if (auto* session = shared.sessionToResume(now)) {
    SSL_set_session(ssl.get(), session);
    offeredAt = shared.verifiedAt;
  } else {
    shared.resumable.reset();
  }
}

TlsSession::Impl::~Impl() {
  // To OpenSSL a session that was not shut down is broken and must not be resumed. This one's
  // answer was enough for its probe, and if it did break then giveUp() has seen to that.
  SSL_set_shutdown(ssl.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

int TlsSession::Impl::onVerify(int ok, X509_STORE_CTX* chain) {
  if (ok == 1) return ok;
  const auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto& session = *static_cast<Impl*>(SSL_get_app_data(ssl));
  session.refusal = X509_STORE_CTX_get_error(chain);
  session.depth = X509_STORE_CTX_get_error_depth(chain);
  auto* certificate = X509_STORE_CTX_get_current_cert(chain);
  if (certificate != nullptr && X509_up_ref(certificate) == 1) session.refused.reset(certificate);
  return ok;
}

// TLS 1.2: at the end of a handshake. TLS 1.3: whenever the server sends a ticket.
int TlsSession::Impl::onNewSession(SSL* ssl, SSL_SESSION* session) {
  auto& self = *static_cast<Impl*>(SSL_get_app_data(ssl));
  // The one that was resumed lends its age to all that follow from it.
  self.shared.verifiedAt = SSL_session_reused(ssl) == 1 ? self.offeredAt : self.startedAt;
  self.shared.resumable.reset(session);
  return 1;  // ours now
}

// A server's first record is a handshake message or an alert, and all versions' major is 3.
bool TlsSession::Impl::startsLikeTls(std::string_view bytes) {
  for (; looked < 2 && !bytes.empty(); bytes.remove_prefix(1), ++looked) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    const bool right = looked == 0 ? byte == SSL3_RT_HANDSHAKE || byte == SSL3_RT_ALERT
                                   : byte == SSL3_VERSION_MAJOR;
    if (!right) return false;
  }
  return true;
}

void TlsSession::Impl::shakeHands() {
  const OwnErrors errors;
  const int result = SSL_do_handshake(ssl.get());
  if (result != 1) return stopped(result);
  // True already, unless OpenSSL has let something pass; a resumed session has its first one's.
  if (shared.tls.verify && (SSL_get0_peer_certificate(ssl.get()) == nullptr ||
                            SSL_get_verify_result(ssl.get()) != X509_V_OK)) {
    return giveUp(failed(FailureKind::tls, "certificate not verified"));
  }
  done = true;
  send(std::exchange(waiting, {}));
}

void TlsSession::Impl::read(std::string& plain) {
  char buffer[SSL3_RT_MAX_PLAIN_LENGTH];
  for (;;) {
    const OwnErrors errors;
    std::size_t got = 0;
    const int result = SSL_read_ex(ssl.get(), buffer, sizeof buffer, &got);
    if (result != 1) return stopped(result);
    plain.append(buffer, got);
  }
}

void TlsSession::Impl::send(std::string_view plain) {
  if (plain.empty() || failure) return;
  const OwnErrors errors;
  std::size_t sent = 0;
  const int result = SSL_write_ex(ssl.get(), plain.data(), plain.size(), &sent);
  if (result != 1) stopped(result);
}

void TlsSession::Impl::stopped(int result) {
  switch (SSL_get_error(ssl.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return;
    case SSL_ERROR_ZERO_RETURN:
      ended = true;
      if (!done) giveUp(failed(FailureKind::tls, "alert: close notify during the handshake"));
      return;
    default:
      return giveUp(explain());
  }
}

void TlsSession::Impl::giveUp(Judgement judgement) {
  shared.resumable.reset();  // the next probe must not fail for what this one has resumed
  failure = std::move(judgement);
}

Judgement TlsSession::Impl::explain() {
  if (refusal == X509_V_ERR_OUT_OF_MEM) return notMade("TLS: out of memory");
  if (refusal != X509_V_OK) {
    return failed(FailureKind::tls, describeRefusal(refusal, depth, refused.get(), shared.name));
  }
  const auto error = tellingError();
  if (isOutOfMemory(error)) return notMade("TLS: out of memory");
  const auto* own = SSL_get_certificate(ssl.get());
  if (isAlert(error) && own != nullptr && hasExpired(*own)) {
    return notMade(shared.tls.certificate + ": this node's certificate " + describeExpiry(*own));
  }
  return failed(FailureKind::tls, describeError(error));
}

TlsSession::TlsSession(TlsContext& context, TimePoint now)
    : impl_(std::make_unique<Impl>(*context.impl_, now)) {
  impl_->shakeHands();
}

TlsSession::~TlsSession() = default;

void TlsSession::write(std::string_view plain) {
  if (impl_->done) {
    impl_->send(plain);
  } else if (!impl_->failure) {
    impl_->waiting += plain;
  }
}

std::optional<Judgement> TlsSession::receive(std::string_view encrypted, std::string& plain) {
  auto& self = *impl_;
  if (self.failure || self.ended) return self.failure;
  if (!self.startsLikeTls(encrypted)) {
    self.giveUp(failed(FailureKind::tls, "not TLS"));
    return self.failure;
  }
  // Not more than OpenSSL's int can say, at a time.
  while (!encrypted.empty() && !self.failure && !self.ended) {
    const auto piece = encrypted.substr(0, std::size_t{1} << 20);
    encrypted.remove_prefix(piece.size());
    if (BIO_write(self.in, piece.data(), static_cast<int>(piece.size())) <= 0) {
      self.giveUp(notMade("TLS: out of memory"));
      break;
    }
    if (!self.done) self.shakeHands();
    if (self.done && !self.failure) self.read(plain);
  }
  return self.failure;
}

std::string TlsSession::output() {
  char* bytes = nullptr;
  const auto size = BIO_get_mem_data(impl_->out, &bytes);
  if (size <= 0) return {};
  std::string taken(bytes, static_cast<std::size_t>(size));
  BIO_reset(impl_->out);
  return taken;
}

bool TlsSession::ended() const {
  return impl_->ended;
}

bool TlsSession::handshakeDone() const {
  return impl_->done;
}

std::string TlsSession::warning() const {
  if (!impl_->done) return {};
  const OwnErrors errors;
  const auto days = impl_->shared.tls.warnDays;
  const auto* peer = SSL_get0_peer_certificate(impl_->ssl.get());
  if (peer != nullptr && expiresWithin(*peer, days)) return "certificate " + describeExpiry(*peer);
  const auto* own = SSL_get_certificate(impl_->ssl.get());
  if (own != nullptr && expiresWithin(*own, days)) {
    return "this node's certificate " + describeExpiry(*own);
  }
  return {};
}

}  // namespace l4ward::healthcheck
