// What TLS's tests have in common: a folder of files, authorities, a client that talks to a server.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "healthcheck/tls.h"
#include "tests/base/temporary_folder.h"
#include "tests/healthcheck/tls_server.h"

namespace l4ward::healthcheck {

struct Conversation {
  TlsSession client;
  TlsServerSession server;
  std::string plain;
  std::optional<Judgement> judgement;

  Conversation(TlsContext& context, TlsServer& with, TimePoint now = Clock::now())
      : client(context, now), server(with) {}

  void feed(std::string_view bytes, std::size_t piece = std::string::npos) {
    while (!bytes.empty() && !judgement) {
      const auto part = bytes.substr(0, piece);
      bytes.remove_prefix(part.size());
      judgement = client.receive(part, plain);
    }
  }

  // Until neither has more to say.
  void run(std::size_t piece = std::string::npos) {
    for (;;) {
      const auto up = client.output();
      server.receive(up);
      const auto down = server.output();
      if (up.empty() && down.empty()) return;
      feed(down, piece);
    }
  }
};

class TlsTest : public testing::Test, protected TemporaryFolder {
 protected:
  static constexpr long day = 86400;

  Identity authority = Identity::make({.commonName = "Test CA", .authority = true});
  Identity otherAuthority = Identity::make({.commonName = "Other CA", .authority = true});
  Identity identity = Identity::make({.names = "DNS:www.example.org"}, &authority);
  IpAddress target = IpAddress::parse("192.0.2.1").value();

  void SetUp() override { write("ca.pem", authority.certificatePem()); }

  Tls tls() const {
    Tls settings;
    settings.serverName = "www.example.org";
    settings.caFile = path("ca.pem");
    return settings;
  }
  Tls tlsWith(const Identity& own) const {
    write("own.pem", own.certificatePem());
    write("own.key", own.keyPem());
    auto settings = tls();
    settings.certificate = path("own.pem");
    settings.key = path("own.key");
    return settings;
  }
  // Keeps it for the rest of the test.
  TlsContext* makeContext(const Tls& settings) {
    auto made = TlsContext::make(settings, target);
    if (!made) throw std::runtime_error(made.error().message);
    contexts_.push_back(std::move(*made));
    return contexts_.back().get();
  }
  ServerOptions serverOptions(int version) const {
    return {.version = version, .identity = &identity};
  }
  static std::optional<Judgement> verdict(TlsContext& context, TlsServer& server,
                                          TimePoint now = Clock::now()) {
    Conversation talk(context, server, now);
    talk.run();
    return talk.judgement;
  }

 private:
  std::vector<std::unique_ptr<TlsContext>> contexts_;
};

}  // namespace l4ward::healthcheck
