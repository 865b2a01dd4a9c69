#include "healthcheck/tls_reason.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdlib>
#include <memory>
#include <string_view>
#include <system_error>

#include "base/ip.h"

namespace l4ward::healthcheck {
namespace {

constexpr std::size_t maxNameBytes = 64;
constexpr std::size_t maxNames = 3;

// Names are the server's choice: they must not break a line of the log, nor fill it.
std::string printable(const ASN1_STRING* text) {
  if (text == nullptr) return {};
  const std::string_view bytes(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                               static_cast<std::size_t>(ASN1_STRING_length(text)));
  std::string name(bytes.substr(0, maxNameBytes));
  for (auto& c : name) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  if (bytes.size() > maxNameBytes) name += "...";
  return name;
}

// Empty if there is none.
std::string commonName(const X509_NAME* name) {
  const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at < 0) return {};
  return printable(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
}

std::string nameOf(const GENERAL_NAME& name) {
  if (name.type == GEN_DNS) return printable(name.d.dNSName);
  if (name.type != GEN_IPADD) return {};
  const auto* bytes = ASN1_STRING_get0_data(name.d.iPAddress);
  const auto address =
      IpAddress::fromBytes({bytes, static_cast<std::size_t>(ASN1_STRING_length(name.d.iPAddress))});
  return address ? address->str() : std::string();
}

struct FreeNames {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

// "a.example, b.example and 7 more"
std::string namesOf(const X509& certificate) {
  std::string text;
  std::size_t found = 0;
  const std::unique_ptr<GENERAL_NAMES, FreeNames> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const auto name = nameOf(*sk_GENERAL_NAME_value(names.get(), i));
    if (name.empty() || ++found > maxNames) continue;
    text += (text.empty() ? "" : ", ") + name;
  }
  if (found > maxNames) text += " and " + std::to_string(found - maxNames) + " more";
  if (found == 0) text = commonName(X509_get_subject_name(&certificate));
  return text.empty() ? "nobody" : text;
}

std::string count(int number, std::string_view unit) {
  return std::to_string(number) + " " + std::string(unit) + (number == 1 ? "" : "s");
}

// From now to `time`, negative for the past.
struct Distance {
  int days = 0;
  int seconds = 0;
  // As OpenSSL: a certificate has expired in the second of its end.
  bool past() const { return days <= 0 && seconds <= 0; }
  std::string str() const {
    if (days != 0) return count(std::abs(days), "day");
    const int hours = std::abs(seconds) / 3600;
    return hours == 0 ? "less than an hour" : count(hours, "hour");
  }
};

Distance distanceTo(const ASN1_TIME* time) {
  Distance distance;
  // Fails for a malformed time only; OpenSSL refuses such a certificate if it verifies.
  ASN1_TIME_diff(&distance.days, &distance.seconds, nullptr, time);
  return distance;
}

std::string describeUnknownAuthority(const X509* certificate) {
  const std::string what = "certificate of an unknown authority";
  if (certificate == nullptr) return what;
  const auto issuer = commonName(X509_get_issuer_name(certificate));
  return issuer.empty() ? what : what + " (" + issuer + ")";
}

std::string describeAlert(int alert) {
  std::string text = SSL_alert_desc_string_long(alert);
  if (alert == SSL_AD_MISSING_EXTENSION) text = "missing extension";
  if (alert == SSL_AD_CERTIFICATE_REQUIRED) text = "certificate required";
  if (text == "unknown") text = "number " + std::to_string(alert);
  // Only a client's certificate can be what a server complains about.
  const bool ours = (alert >= SSL_AD_BAD_CERTIFICATE && alert <= SSL_AD_CERTIFICATE_UNKNOWN) ||
                    alert == SSL_AD_UNKNOWN_CA;
  return "alert: " + text + (ours ? " (about this node's certificate)" : "");
}

int alertOf(unsigned long error) {
  return ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) - SSL_AD_REASON_OFFSET : -1;
}

std::string reasonOf(unsigned long error) {
  if (ERR_SYSTEM_ERROR(error)) return std::generic_category().message(ERR_GET_REASON(error));
  const char* text = ERR_reason_error_string(error);
  return text != nullptr ? text : "error " + std::to_string(error);
}

}  // namespace

std::string describeRefusal(int error, int depth, const X509* certificate,
                            const std::string& wanted) {
  std::string what = "certificate";
  if (depth > 0 && certificate != nullptr) {
    what += " of " + commonName(X509_get_subject_name(certificate));
  }
  switch (error) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      if (certificate == nullptr) break;
      return what + " is for " + namesOf(*certificate) + ", not " + wanted;
    case X509_V_ERR_CERT_HAS_EXPIRED:
      if (certificate == nullptr) break;
      return what + " " + describeExpiry(*certificate);
    case X509_V_ERR_CERT_NOT_YET_VALID:
      if (certificate == nullptr) break;
      return what + " not yet valid, only in " + distanceTo(X509_get0_notBefore(certificate)).str();
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return "certificate of an unknown authority (signed by itself)";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return describeUnknownAuthority(certificate);
    default:
      break;
  }
  return what + " refused: " + X509_verify_cert_error_string(error);
}

std::string describeExpiry(const X509& certificate) {
  const auto distance = distanceTo(X509_get0_notAfter(&certificate));
  return distance.past() ? "expired " + distance.str() + " ago" : "expires in " + distance.str();
}

bool hasExpired(const X509& certificate) {
  return distanceTo(X509_get0_notAfter(&certificate)).past();
}

bool expiresWithin(const X509& certificate, unsigned days) {
  const auto distance = distanceTo(X509_get0_notAfter(&certificate));
  return days != 0 && (distance.past() || static_cast<unsigned>(distance.days) < days);
}

unsigned long tellingError() {
  unsigned long first = 0;
  // The first is the cause of the others, but other libraries' details tell less than TLS's.
  while (const auto error = ERR_get_error()) {
    if (ERR_GET_LIB(error) == ERR_LIB_SSL) return error;
    if (first == 0) first = error;
  }
  return first;
}

bool isAlert(unsigned long error) {
  return alertOf(error) >= 0 && alertOf(error) <= 255;
}

bool isOutOfMemory(unsigned long error) {
  return ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE;
}

std::string describeError(unsigned long error) {
  if (isAlert(error)) return describeAlert(alertOf(error));
  if (ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_UNSUPPORTED_PROTOCOL) {
    return "the server's TLS version is too old";
  }
  return "TLS error: " + reasonOf(error);
}

std::string describeFileError(const std::string& path, const std::string& what) {
  const auto error = ERR_peek_error();
  if (ERR_SYSTEM_ERROR(error)) return path + ": " + reasonOf(error);
  return path + ": no usable " + what + " in PEM: " + reasonOf(error);
}

}  // namespace l4ward::healthcheck
