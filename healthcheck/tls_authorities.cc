#include "healthcheck/tls_authorities.h"

#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <new>
#include <sstream>
#include <tuple>

#include "healthcheck/tls_reason.h"

namespace l4ward::healthcheck {
namespace {

std::string setting(const char* variable, const char* otherwise) {
  const char* value = secure_getenv(variable);  // as OpenSSL does
  return value != nullptr ? value : otherwise;
}

std::string systemFile() {
  return setting(X509_get_default_cert_file_env(), X509_get_default_cert_file());
}

// Without one every server would seem to have a certificate of an unknown authority.
bool hasSystemAuthorities() {
  std::error_code ignored;
  if (std::filesystem::is_regular_file(systemFile(), ignored)) return true;
  std::istringstream folders(setting(X509_get_default_cert_dir_env(), X509_get_default_cert_dir()));
  for (std::string folder; std::getline(folders, folder, ':');) {
    using Entries = std::filesystem::directory_iterator;
    if (Entries(folder, ignored) != Entries()) return true;
  }
  return false;
}

// A file at one point of its life: its path, and what changes whenever its content does.
using Key = std::tuple<std::string, dev_t, ino_t, off_t, std::time_t, long>;

Key keyOf(const std::string& caFile) {
  struct stat file {};  // remains zero if there is none
  ::stat(caFile.empty() ? systemFile().c_str() : caFile.c_str(), &file);
  return {caFile,       file.st_dev,         file.st_ino,
          file.st_size, file.st_mtim.tv_sec, file.st_mtim.tv_nsec};
}

Result<std::shared_ptr<X509_STORE>> read(const std::string& caFile) {
  const OwnErrors errors;
  const std::shared_ptr<X509_STORE> store(X509_STORE_new(), X509_STORE_free);
  if (!store) throw std::bad_alloc();
  if (!caFile.empty()) {
    if (X509_STORE_load_file(store.get(), caFile.c_str()) == 1) return store;
    return fail(describeFileError(caFile, "certificate"));
  }
  if (!hasSystemAuthorities()) {
    return fail("this node has no certificates of authorities (package ca-certificates)");
  }
  if (X509_STORE_set_default_paths(store.get()) == 1) return store;
  return fail("cannot use this node's certificates of authorities");
}

}  // namespace

Result<std::shared_ptr<X509_STORE>> authorities(const std::string& caFile) {
  thread_local std::map<Key, std::weak_ptr<X509_STORE>> known;
  const auto key = keyOf(caFile);
  if (const auto found = known.find(key); found != known.end()) {
    if (auto store = found->second.lock()) return store;
  }
  std::erase_if(known, [](const auto& entry) { return entry.second.expired(); });
  auto store = read(caFile);
  if (store) known[key] = *store;
  return store;
}

}  // namespace l4ward::healthcheck
