// What OpenSSL says about certificates and broken sessions, in an operator's words.
#pragma once

#include <openssl/err.h>
#include <openssl/types.h>

#include <string>

namespace l4ward::healthcheck {

// OpenSSL's queue of errors belongs to the thread: what one call left there must not be taken for
// the reason of another's failure.
class OwnErrors {
 public:
  OwnErrors() { ERR_clear_error(); }
  ~OwnErrors() { ERR_clear_error(); }
  OwnErrors(const OwnErrors&) = delete;
  OwnErrors& operator=(const OwnErrors&) = delete;
};

// Why a chain of certificates was refused. `error`: X509_V_ERR_...; `depth`: 0 for the server's own
// certificate; `wanted`: the name or address it should be for.
// "certificate is for other.example, not www.example.org"
std::string describeRefusal(int error, int depth, const X509* certificate,
                            const std::string& wanted);

// "expired 3 days ago", "expires in 6 days"
std::string describeExpiry(const X509& certificate);
bool hasExpired(const X509& certificate);
// Within so many days, or before now. 0 days: never.
bool expiresWithin(const X509& certificate, unsigned days);

// The error in OpenSSL's queue that tells most; 0 if there is none.
unsigned long tellingError();
// Of such an error: whether the other side said it (an alert), or this node lacks memory.
bool isAlert(unsigned long error);
bool isOutOfMemory(unsigned long error);
// "alert: handshake failure", "TLS error: wrong signature type"
std::string describeError(unsigned long error);
// Why `what` could not be got from a file: "/etc/ca.pem: No such file or directory",
// "own.pem: no usable certificate in PEM: no start line". Leaves OpenSSL's queue as it is.
std::string describeFileError(const std::string& path, const std::string& what);

}  // namespace l4ward::healthcheck
