// Whose certificates are believed, for how long, and what is said of the others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <thread>

#include "healthcheck/tls_authorities.h"
#include "tests/healthcheck/tls_fixture.h"

namespace l4ward::healthcheck {
namespace {

class TlsCertificates : public TlsTest, public testing::WithParamInterface<int> {
 protected:
  // What a client that expects `serverName` says of this certificate.
  std::optional<Judgement> judge(const Identity& shown, const std::string& serverName,
                                 bool verify = true, const Identity* between = nullptr) {
    auto options = serverOptions(GetParam());
    options.identity = &shown;
    options.between = between;
    TlsServer server(options);
    auto settings = tls();
    settings.serverName = serverName;
    settings.verify = verify;
    return verdict(*makeContext(settings), server);
  }
  bool talksResumed(TlsContext& context, TlsServer& server, TimePoint now = Clock::now()) {
    Conversation talk(context, server, now);
    talk.run();
    EXPECT_EQ(talk.judgement, std::nullopt);
    EXPECT_TRUE(talk.client.handshakeDone());
    return talk.server.reused();
  }
};
INSTANTIATE_TEST_SUITE_P(Tls, TlsCertificates, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& version) {
                           return version.param == TLS1_2_VERSION ? "v12" : "v13";
                         });

std::optional<Judgement> refused(const std::string& reason) {
  return failed(FailureKind::tls, reason);
}

TEST_P(TlsCertificates, AreForANameOrAnAddress) {
  struct Case {
    std::string shown, wanted;
    const char* reason;  // nullptr: accepted
  };
  const Case cases[] = {
      {"DNS:www.example.org", "www.example.org", nullptr},
      {"DNS:www.example.org", "WWW.example.org", nullptr},
      {"DNS:a.example,DNS:www.example.org", "www.example.org", nullptr},
      {"DNS:*.example.org", "www.example.org", nullptr},
      {"", "www.example.org", nullptr},  // the common name
      {"IP:192.0.2.1", "", nullptr},     // the target
      {"IP:192.0.2.7", "192.0.2.7", nullptr},
      {"IP:2001:db8::1", "2001:db8::1", nullptr},
      {"DNS:other.example", "www.example.org",
       "certificate is for other.example, not www.example.org"},
      {"DNS:*.example.org", "a.b.example.org",
       "certificate is for *.example.org, not a.b.example.org"},
      {"DNS:w*.example.org", "www.example.org",
       "certificate is for w*.example.org, not www.example.org"},
      {"DNS:a.example,IP:2001:DB8::5,DNS:b.example,DNS:c.example,DNS:d.example", "www.example.org",
       "certificate is for a.example, 2001:db8::5, b.example and 2 more, not www.example.org"},
      {"", "other.example", "certificate is for www.example.org, not other.example"},
      {"IP:192.0.2.2", "", "certificate is for 192.0.2.2, not 192.0.2.1"},
      {"DNS:www.example.org", "", "certificate is for www.example.org, not 192.0.2.1"},
      {"DNS:192.0.2.1", "", "certificate is for 192.0.2.1, not 192.0.2.1"},
      {"email:www.example.org", "other.example",
       "certificate is for www.example.org, not other.example"},
  };
  for (const auto& [shown, wanted, reason] : cases) {
    const auto made = Identity::make({.commonName = "www.example.org", .names = shown}, &authority);
    EXPECT_EQ(judge(made, wanted), reason ? refused(reason) : std::nullopt) << shown << wanted;
    EXPECT_EQ(judge(made, wanted, false), std::nullopt) << shown << wanted;
  }
}

TEST_P(TlsCertificates, StrangeNamesAreMadePrintable) {
  const auto made = Identity::make({.commonName = "a\n\x1b[31m\xc3\xa9"}, &authority);
  EXPECT_EQ(judge(made, "www.example.org"),
            refused("certificate is for a??[31m??, not www.example.org"));
  const auto longOne =
      Identity::make({.names = "DNS:" + std::string(5000, 'a') + ".example"}, &authority);
  EXPECT_EQ(judge(longOne, "www.example.org"),
            refused("certificate is for " + std::string(64, 'a') + "..., not www.example.org"));
}

TEST_P(TlsCertificates, AreValidForATime) {
  const struct {
    long from, until;
    std::string reason;
  } cases[] = {
      {-9 * day, -3 * day - 60, "certificate expired 3 days ago"},
      {-9 * day, -1 * day - 60, "certificate expired 1 day ago"},
      {-9 * day, -5 * 3600 - 60, "certificate expired 5 hours ago"},
      {-9 * day, -60, "certificate expired less than an hour ago"},
      {60, 9 * day, "certificate not yet valid, only in less than an hour"},
      {2 * day + 60, 9 * day, "certificate not yet valid, only in 2 days"},
  };
  for (const auto& [from, until, reason] : cases) {
    const auto made = Identity::make(
        {.names = "DNS:www.example.org", .fromSeconds = from, .untilSeconds = until}, &authority);
    EXPECT_EQ(judge(made, "www.example.org"), refused(reason));
    EXPECT_EQ(judge(made, "www.example.org", false), std::nullopt);
  }
}

TEST_P(TlsCertificates, AreOfAKnownAuthority) {
  const CertificateOptions right{.names = "DNS:www.example.org"};
  const auto stranger = Identity::make(right, &otherAuthority);
  EXPECT_EQ(judge(stranger, "www.example.org"),
            refused("certificate of an unknown authority (Other CA)"));
  EXPECT_EQ(judge(stranger, "www.example.org", false), std::nullopt);
  const auto alone = Identity::make(right);
  EXPECT_EQ(judge(alone, "www.example.org"),
            refused("certificate of an unknown authority (signed by itself)"));
  EXPECT_EQ(judge(alone, "www.example.org", false), std::nullopt);
  write("ca.pem", alone.certificatePem());
  EXPECT_EQ(judge(alone, "www.example.org"), std::nullopt);
}

TEST_P(TlsCertificates, AChainGoesUpToWhatIsTrusted) {
  const auto between = Identity::make({.commonName = "Between CA", .authority = true}, &authority);
  const auto leaf = Identity::make({.names = "DNS:www.example.org"}, &between);
  EXPECT_EQ(judge(leaf, "www.example.org", true, &between), std::nullopt);
  EXPECT_EQ(judge(leaf, "www.example.org"),
            refused("certificate of an unknown authority (Between CA)"));
  write("ca.pem", between.certificatePem());
  EXPECT_EQ(judge(leaf, "www.example.org"), std::nullopt);
}

TEST_P(TlsCertificates, AnAuthorityExpiresToo) {
  const auto between = Identity::make({.commonName = "Between CA",
                                       .fromSeconds = -9 * day,
                                       .untilSeconds = -2 * day - 60,
                                       .authority = true},
                                      &authority);
  const auto leaf = Identity::make({.names = "DNS:www.example.org"}, &between);
  EXPECT_EQ(judge(leaf, "www.example.org", true, &between),
            refused("certificate of Between CA expired 2 days ago"));
}

TEST_P(TlsCertificates, TheServerHearsOfARefusal) {
  const auto made = Identity::make({.names = "DNS:other.example"}, &authority);
  auto options = serverOptions(GetParam());
  options.identity = &made;
  TlsServer server(options);
  Conversation talk(*makeContext(tls()), server);
  talk.run();
  EXPECT_TRUE(talk.judgement);
  EXPECT_FALSE(talk.client.handshakeDone());
  // OpenSSL notes a fatal alert as the end of a session.
  EXPECT_NE(SSL_get_shutdown(talk.server.ssl()) & SSL_RECEIVED_SHUTDOWN, 0);
}

TEST_P(TlsCertificates, AWarningPrecedesTheirEnd) {
  const struct {
    long until;
    unsigned days;
    std::string warning;
  } cases[] = {
      {6 * day + 60, 14, "certificate expires in 6 days"},
      {6 * day + 60, 7, "certificate expires in 6 days"},
      {6 * day + 60, 6, ""},
      {6 * day + 60, 0, ""},
      {5 * 3600 + 60, 1, "certificate expires in 5 hours"},
      {-2 * day - 60, 14, "certificate expired 2 days ago"},  // not verified
  };
  for (const auto& [until, days, warning] : cases) {
    const auto made = Identity::make(
        {.names = "DNS:www.example.org", .fromSeconds = -9 * day, .untilSeconds = until},
        &authority);
    auto options = serverOptions(GetParam());
    options.identity = &made;
    TlsServer server(options);
    auto settings = tls();
    settings.warnDays = days;
    settings.verify = until > 0;
    const auto context = makeContext(settings);
    for (const bool again : {false, true}) {
      Conversation talk(*context, server);
      EXPECT_EQ(talk.client.warning(), "");
      talk.run();
      EXPECT_EQ(talk.judgement, std::nullopt);
      EXPECT_EQ(talk.server.reused(), again && until > 0);
      EXPECT_EQ(talk.client.warning(), warning);
    }
  }
}

TEST_P(TlsCertificates, SessionsAreResumed) {
  TlsServer server(serverOptions(GetParam()));
  const auto context = makeContext(tls());
  EXPECT_FALSE(talksResumed(*context, server));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(talksResumed(*context, server));
  EXPECT_FALSE(talksResumed(*makeContext(tls()), server));  // another job
  TlsServer restarted(serverOptions(GetParam()));
  EXPECT_FALSE(talksResumed(*context, restarted));
  EXPECT_TRUE(talksResumed(*context, restarted));
}

TEST_P(TlsCertificates, AreLookedAtAnewAfterATime) {
  TlsServer server(serverOptions(GetParam()));
  const auto context = makeContext(tls());
  const auto start = Clock::now();
  EXPECT_FALSE(talksResumed(*context, server, start));
  EXPECT_TRUE(talksResumed(*context, server, start + maxSessionAge / 2));
  EXPECT_TRUE(talksResumed(*context, server, start + maxSessionAge - Millis(1)));
  EXPECT_FALSE(talksResumed(*context, server, start + maxSessionAge));
  EXPECT_TRUE(talksResumed(*context, server, start + maxSessionAge * 3 / 2));
}

TEST_P(TlsCertificates, AreNotResumedOnceExpired) {
  const auto made = Identity::make({.names = "DNS:www.example.org", .untilSeconds = 3}, &authority);
  const auto end = std::time(nullptr) + 3;
  auto options = serverOptions(GetParam());
  options.identity = &made;
  TlsServer server(options);
  const auto context = makeContext(tls());
  EXPECT_FALSE(talksResumed(*context, server));
  while (std::time(nullptr) <= end) std::this_thread::sleep_for(Millis(50));
  EXPECT_EQ(verdict(*context, server), refused("certificate expired less than an hour ago"));
}

TEST_P(TlsCertificates, NothingIsResumedAfterAFailure) {
  TlsServer server(serverOptions(GetParam()));
  const auto context = makeContext(tls());
  EXPECT_FALSE(talksResumed(*context, server));
  {
    TlsSession broken(*context);
    std::string plain;
    EXPECT_TRUE(broken.receive("HTTP/1.1 400", plain));
  }
  EXPECT_FALSE(talksResumed(*context, server));
}

TEST_F(TlsTest, AuthoritiesAreReadOnceWhileTheyAreTheSame) {
  const auto first = authorities(path("ca.pem")).value();
  EXPECT_EQ(authorities(path("ca.pem")).value(), first);
  write("other.pem", authority.certificatePem());
  EXPECT_NE(authorities(path("other.pem")).value(), first);

  write("new.pem", otherAuthority.certificatePem() + authority.certificatePem());
  std::filesystem::rename(path("new.pem"), path("ca.pem"));
  const auto changed = authorities(path("ca.pem")).value();
  EXPECT_NE(changed, first);
  EXPECT_EQ(authorities(path("ca.pem")).value(), changed);

  std::filesystem::remove(path("ca.pem"));
  EXPECT_EQ(authorities(path("ca.pem")).error().message,
            path("ca.pem") + ": No such file or directory");
}

class Environment {
 public:
  Environment(const char* name, const std::string& value) : name_(name) {
    ::setenv(name, value.c_str(), 1);
  }
  ~Environment() { ::unsetenv(name_); }

 private:
  const char* name_;
};

TEST_P(TlsCertificates, TheSystemsAuthoritiesAreTheOthers) {
  const Environment noFolder("SSL_CERT_DIR", path("none"));
  auto settings = tls();
  settings.caFile.clear();
  {
    const Environment file("SSL_CERT_FILE", path("ca.pem"));
    TlsServer server(serverOptions(GetParam()));
    EXPECT_EQ(verdict(*makeContext(settings), server), std::nullopt);
  }
  const Environment noFile("SSL_CERT_FILE", path("none"));
  const auto context = TlsContext::make(settings, target);
  ASSERT_FALSE(context);
  EXPECT_THAT(context.error().message, testing::HasSubstr("no certificates of authorities"));
  settings.verify = false;
  EXPECT_TRUE(TlsContext::make(settings, target));
}

}  // namespace
}  // namespace l4ward::healthcheck
