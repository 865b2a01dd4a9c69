// The other side for TLS's tests: certificates as they are needed, and a server without sockets.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace l4ward::healthcheck {

struct FreeTls {
  void operator()(SSL_CTX* ctx) const { SSL_CTX_free(ctx); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
template <typename T>
using TlsPtr = std::unique_ptr<T, FreeTls>;

struct CertificateOptions {
  std::string commonName = "server";
  std::string names = {};  // of subjectAltName: "DNS:www.example.org,IP:192.0.2.1"
  long fromSeconds = -3600;
  long untilSeconds = 90L * 86400;
  bool authority = false;
};

// A certificate and its key.
struct Identity {
  TlsPtr<X509> certificate;
  TlsPtr<EVP_PKEY> key;

  // Without an issuer it is signed by itself.
  static Identity make(const CertificateOptions& options, const Identity* issuer = nullptr);
  std::string certificatePem() const;
  // Encrypted if there is a password.
  std::string keyPem(const char* password = nullptr) const;
};

struct ServerOptions {
  int version = TLS1_3_VERSION;  // this one only
  const Identity* identity = nullptr;
  const Identity* between = nullptr;          // an intermediate authority to send along
  const Identity* clientAuthority = nullptr;  // demand certificates of it
  std::string alpn = {};                      // the one it knows
  std::string ciphers = {};                   // of TLS 1.2
};

// What the sessions of one server share.
class TlsServer {
 public:
  explicit TlsServer(const ServerOptions& options);
  SSL_CTX* ctx() const { return ctx_.get(); }

 private:
  std::string alpn_;
  TlsPtr<SSL_CTX> ctx_;
};

class TlsServerSession {
 public:
  explicit TlsServerSession(TlsServer& server);
  ~TlsServerSession();
  TlsServerSession(const TlsServerSession&) = delete;
  TlsServerSession& operator=(const TlsServerSession&) = delete;

  void receive(std::string_view encrypted);
  void send(std::string_view plain);
  void close();  // close_notify
  std::string output();
  const std::string& received() const { return received_; }
  bool reused() const { return SSL_session_reused(ssl_.get()) == 1; }
  std::string serverName() const;  // SNI
  std::string protocol() const;    // ALPN
  SSL* ssl() const { return ssl_.get(); }

 private:
  TlsPtr<SSL> ssl_;
  std::string received_;
};

}  // namespace l4ward::healthcheck
