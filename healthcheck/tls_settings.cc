#include "healthcheck/tls_settings.h"

#include <openssl/x509v3.h>

#include <utility>

#include "healthcheck/tls_authorities.h"
#include "healthcheck/tls_reason.h"

namespace l4ward::healthcheck {
namespace {

auto failFile(const std::string& path, const std::string& what) {
  return fail(describeFileError(path, what));
}

Status useOwnCertificate(SSL_CTX* ctx, const Tls& tls) {
  if (tls.certificate.empty() && tls.key.empty()) return {};
  if (tls.certificate.empty()) return fail(tls.key + ": a key without a certificate");
  if (tls.key.empty()) return fail(tls.certificate + ": a certificate without a key");
  // OpenSSL's own way to get a password is to ask on the terminal.
  SSL_CTX_set_default_passwd_cb(ctx, [](char*, int, int, void*) { return -1; });
  if (SSL_CTX_use_certificate_chain_file(ctx, tls.certificate.c_str()) != 1) {
    return failFile(tls.certificate, "certificate");
  }
  const bool read = SSL_CTX_use_PrivateKey_file(ctx, tls.key.c_str(), SSL_FILETYPE_PEM) == 1;
  // A key of another kind than the certificate's is read, one of the same kind compared at once.
  if (read ? SSL_CTX_check_private_key(ctx) != 1 : ERR_GET_LIB(ERR_peek_error()) == ERR_LIB_X509) {
    return fail(tls.key + ": not the key of " + tls.certificate);
  }
  if (!read) return failFile(tls.key, "unencrypted key");
  return {};
}

Status offerProtocols(SSL_CTX* ctx, const Tls& tls) {
  if (tls.alpn.empty()) return {};
  std::string list;  // RFC 7301: each with its length before it
  for (const auto& name : tls.alpn) {
    if (name.empty() || name.size() > 255) return fail("ALPN: '" + name + "' is no protocol");
    list += static_cast<char>(name.size());
    list += name;
  }
  const auto* bytes = reinterpret_cast<const unsigned char*>(list.data());
  // Unlike its siblings it returns 0 for success.
  if (SSL_CTX_set_alpn_protos(ctx, bytes, static_cast<unsigned>(list.size())) != 0) {
    return fail("ALPN: too many protocols");
  }
  return {};
}

// What the certificate must be for.
Status expectName(SSL_CTX* ctx, const std::string& name) {
  auto* param = SSL_CTX_get0_param(ctx);
  if (const auto address = IpAddress::parse(name)) {
    if (X509_VERIFY_PARAM_set1_ip_asc(param, address->str().c_str()) == 1) return {};
  } else if (name.size() <= TLSEXT_MAXLEN_host_name) {
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (X509_VERIFY_PARAM_set1_host(param, name.data(), name.size()) == 1) return {};
  }
  return fail("'" + name + "' is no server's name");
}

Status trustAuthorities(ClientContext& made, const Tls& tls) {
  if (!tls.verify) return {};
  auto store = authorities(tls.caFile);
  if (!store) return tl::unexpected(store.error());
  made.authorities = std::move(*store);
  SSL_CTX_set1_cert_store(made.ctx.get(), made.authorities.get());
  // What somebody put into a file is meant, be it an authority below another one.
  if (!tls.caFile.empty()) {
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(made.ctx.get()), X509_V_FLAG_PARTIAL_CHAIN);
  }
  return {};
}

}  // namespace

Result<ClientContext> makeClientContext(const Tls& tls, const std::string& name) {
  const OwnErrors errors;
  ClientContext made{OpenSslPtr<SSL_CTX>(SSL_CTX_new(TLS_client_method())), nullptr};
  auto* ctx = made.ctx.get();
  if (ctx == nullptr) return fail("TLS: " + describeError(tellingError()));
  const int oldest = tls.tls13 ? TLS1_3_VERSION : TLS1_2_VERSION;
  if (SSL_CTX_set_min_proto_version(ctx, oldest) != 1) {
    return fail("TLS: " + describeError(tellingError()));
  }
  // An end of the connection never reaches OpenSSL, so that SSL_OP_IGNORE_UNEXPECTED_EOF would
  // change nothing: it is the caller who tells a cut (ended() is false) from a proper end.
  SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(ctx, SSL_MODE_AUTO_RETRY | SSL_MODE_RELEASE_BUFFERS);
  auto status = expectName(ctx, name);
  if (status) status = trustAuthorities(made, tls);
  if (status) status = useOwnCertificate(ctx, tls);
  if (status) status = offerProtocols(ctx, tls);
  if (!status) return tl::unexpected(status.error());
  return made;
}

}  // namespace l4ward::healthcheck
