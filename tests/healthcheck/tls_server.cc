#include "tests/healthcheck/tls_server.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <stdexcept>

namespace l4ward::healthcheck {
namespace {

void require(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(what);
}

std::string take(BIO* bio) {
  char* bytes = nullptr;
  const auto size = BIO_get_mem_data(bio, &bytes);
  std::string taken(bytes, static_cast<std::size_t>(size));
  BIO_reset(bio);
  return taken;
}

void addExtension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  auto* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  require(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1, "extension");
  X509_EXTENSION_free(extension);
}

int chooseProtocol(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in,
                   unsigned inSize, void* known) {
  const auto& name = *static_cast<const std::string*>(known);
  if (name.empty()) return SSL_TLSEXT_ERR_NOACK;
  const std::string_view offered(reinterpret_cast<const char*>(in), inSize);
  const auto at = offered.find(static_cast<char>(name.size()) + name);
  if (at == offered.npos) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = in + at + 1;
  *size = static_cast<unsigned char>(name.size());
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

Identity Identity::make(const CertificateOptions& options, const Identity* issuer) {
  static long serial = 0;
  Identity made{TlsPtr<X509>(X509_new()), TlsPtr<EVP_PKEY>(EVP_EC_gen("P-256"))};
  auto* certificate = made.certificate.get();
  require(certificate != nullptr && made.key != nullptr, "key");
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), options.fromSeconds);
  X509_gmtime_adj(X509_getm_notAfter(certificate), options.untilSeconds);
  X509_set_pubkey(certificate, made.key.get());
  const auto* text = reinterpret_cast<const unsigned char*>(options.commonName.data());
  X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate), NID_commonName, MBSTRING_UTF8,
                             const_cast<unsigned char*>(text),
                             static_cast<int>(options.commonName.size()), -1, 0);
  X509_set_issuer_name(certificate,
                       X509_get_subject_name(issuer ? issuer->certificate.get() : certificate));
  addExtension(certificate, NID_basic_constraints,
               options.authority ? "critical,CA:TRUE" : "CA:FALSE");
  if (!options.names.empty()) addExtension(certificate, NID_subject_alt_name, options.names);
  auto* signer = issuer ? issuer->key.get() : made.key.get();
  require(X509_sign(certificate, signer, EVP_sha256()) != 0, "sign");
  return made;
}

std::string Identity::certificatePem() const {
  auto* bio = BIO_new(BIO_s_mem());
  require(PEM_write_bio_X509(bio, certificate.get()) == 1, "PEM");
  auto text = take(bio);
  BIO_free(bio);
  return text;
}

std::string Identity::keyPem(const char* password) const {
  auto* bio = BIO_new(BIO_s_mem());
  require(PEM_write_bio_PKCS8PrivateKey(bio, key.get(), password ? EVP_aes_128_cbc() : nullptr,
                                        nullptr, 0, nullptr, const_cast<char*>(password)) == 1,
          "PEM");
  auto text = take(bio);
  BIO_free(bio);
  return text;
}

TlsServer::TlsServer(const ServerOptions& options)
    : alpn_(options.alpn), ctx_(SSL_CTX_new(TLS_server_method())) {
  auto* ctx = ctx_.get();
  SSL_CTX_set_security_level(ctx, 0);  // for old versions
  SSL_CTX_set_min_proto_version(ctx, options.version);
  SSL_CTX_set_max_proto_version(ctx, options.version);
  SSL_CTX_set_session_id_context(ctx, reinterpret_cast<const unsigned char*>("test"), 4);
  if (!options.ciphers.empty()) {
    require(SSL_CTX_set_cipher_list(ctx, options.ciphers.c_str()) == 1, "ciphers");
  }
  require(SSL_CTX_use_certificate(ctx, options.identity->certificate.get()) == 1 &&
              SSL_CTX_use_PrivateKey(ctx, options.identity->key.get()) == 1,
          "identity");
  if (options.between) SSL_CTX_add1_chain_cert(ctx, options.between->certificate.get());
  if (options.clientAuthority) {
    auto* authority = options.clientAuthority->certificate.get();
    X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), authority);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  SSL_CTX_set_alpn_select_cb(ctx, chooseProtocol, &alpn_);
}

TlsServerSession::TlsServerSession(TlsServer& server) : ssl_(SSL_new(server.ctx())) {
  SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_accept_state(ssl_.get());
}

TlsServerSession::~TlsServerSession() {
  SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

void TlsServerSession::receive(std::string_view encrypted) {
  if (encrypted.empty()) return;
  BIO_write(SSL_get_rbio(ssl_.get()), encrypted.data(), static_cast<int>(encrypted.size()));
  char buffer[20000];
  std::size_t got = 0;
  while (SSL_read_ex(ssl_.get(), buffer, sizeof buffer, &got) == 1) received_.append(buffer, got);
  ERR_clear_error();
}

void TlsServerSession::send(std::string_view plain) {
  std::size_t sent = 0;
  require(SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &sent) == 1, "send");
}

void TlsServerSession::close() {
  SSL_shutdown(ssl_.get());
}

std::string TlsServerSession::output() {
  return take(SSL_get_wbio(ssl_.get()));
}

std::string TlsServerSession::serverName() const {
  const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
  return name != nullptr ? name : "";
}

std::string TlsServerSession::protocol() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

}  // namespace l4ward::healthcheck
