#include <algorithm>

#include "config/probes.h"
#include "config/words.h"

namespace l4ward::config {
namespace {

using namespace std::chrono_literals;
using healthcheck::Tls;

constexpr DurationRange kWarning{0s, 8760h};
constexpr std::size_t kMaxAlpn = 8;

// RFC 7301: a protocol's name has 1 to 255 bytes.
std::vector<std::string> readAlpn(const Value& value) {
  std::vector<std::string> names;
  for (const auto& item : value.list({0, kMaxAlpn})) {
    const auto name = item.text(isAlpn, "1 to 255 printable ASCII characters without blanks");
    if (!name) continue;
    if (std::find(names.begin(), names.end(), *name) != names.end()) {
      item.error(item.describe() + " a second time", "each protocol once");
    } else {
      names.push_back(*name);
    }
  }
  return names;
}

void readCertificate(const Record& record, Tls& tls) {
  const auto certificate = record.find("certificate");
  const auto key = record.find("key");
  if (certificate) tls.certificate = readAbsoluteFile(*certificate);
  if (key) tls.key = readAbsoluteFile(*key);
  if (certificate && !key) certificate->error("a certificate without `key`", "both or none");
  if (key && !certificate) key->error("a key without `certificate`", "both or none");
}

unsigned readWarning(const Value& value, unsigned otherwise) {
  const auto time = value.duration(kWarning);
  if (!time) return otherwise;
  if (*time % 24h == Millis::zero()) return static_cast<unsigned>(*time / 24h);
  value.error("whole days, as 336h");
  return otherwise;
}

}  // namespace

Tls readTls(const Value& value) {
  Tls tls;
  if (value.node().kind != Node::Kind::map) {
    if (!value.isScalar() || value.node().text != "true") value.error("true, or a map");
    return tls;
  }
  const Record record(value, {"server_name", "verify", "ca", "certificate", "key", "min_version",
                              "alpn", "expiry_warning"});
  if (const auto name = record.find("server_name")) {
    tls.serverName = name->text(isServerName, "a host name without a dot at its end, or an address")
                         .value_or("");
  }
  tls.verify = record.boolean("verify", tls.verify);
  if (const auto ca = record.find("ca")) tls.caFile = readAbsoluteFile(*ca);
  readCertificate(record, tls);
  tls.tls13 = record.choice("min_version", {"1.2", "1.3"}, 0) == 1;
  if (const auto alpn = record.find("alpn")) tls.alpn = readAlpn(*alpn);
  if (const auto warning = record.find("expiry_warning")) {
    tls.warnDays = readWarning(*warning, tls.warnDays);
  }
  return tls;
}

}  // namespace l4ward::config
