// A job's TLS settings as OpenSSL's, and what keeps OpenSSL's own objects in order.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "base/result.h"
#include "healthcheck/job.h"

namespace l4ward::healthcheck {

struct FreeOpenSsl {
  void operator()(SSL_CTX* ctx) const { SSL_CTX_free(ctx); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};
template <typename T>
using OpenSslPtr = std::unique_ptr<T, FreeOpenSsl>;

struct ClientContext {
  OpenSslPtr<SSL_CTX> ctx;
  std::shared_ptr<X509_STORE> authorities;  // held for others to find
};

// For clients that expect a certificate for `name`, a host's name or an address. Reads the files
// that `tls` names; an error says which and why. Whether the chain is verified is for the caller
// to set.
Result<ClientContext> makeClientContext(const Tls& tls, const std::string& name);

}  // namespace l4ward::healthcheck
