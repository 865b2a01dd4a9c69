#include "healthcheck/tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>

#include <ctime>
#include <random>

#include "tests/healthcheck/tls_fixture.h"

namespace l4ward::healthcheck {
namespace {

using ::testing::StartsWith;

const std::size_t pieces[] = {1, 2, 7, 1000, 1 << 20};

class TlsVersions : public TlsTest, public testing::WithParamInterface<int> {};
INSTANTIATE_TEST_SUITE_P(Tls, TlsVersions, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& version) {
                           return version.param == TLS1_2_VERSION ? "v12" : "v13";
                         });

TEST_P(TlsVersions, CarriesBothDirectionsAndEnds) {
  TlsServer server(serverOptions(GetParam()));
  for (const auto piece : pieces) {
    Conversation talk(*makeContext(tls()), server);
    EXPECT_FALSE(talk.client.handshakeDone());
    talk.client.write("GET ");
    talk.run(piece);
    EXPECT_TRUE(talk.client.handshakeDone());
    talk.client.write("/");
    talk.run(piece);
    EXPECT_EQ(talk.server.received(), "GET /");
    EXPECT_EQ(talk.server.serverName(), "www.example.org");

    talk.server.send("200 OK");
    talk.run(piece);
    EXPECT_EQ(talk.plain, "200 OK");
    EXPECT_FALSE(talk.client.ended());
    talk.server.close();
    talk.run(piece);
    EXPECT_TRUE(talk.client.ended());
    EXPECT_EQ(talk.judgement, std::nullopt);
    EXPECT_EQ(talk.client.warning(), "");
  }
}

TEST_P(TlsVersions, MovesMuchMoreThanARecord) {
  TlsServer server(serverOptions(GetParam()));
  const auto context = makeContext(tls());
  std::string much(3 << 20, '\0');
  std::mt19937 random(3);
  for (auto& c : much) c = static_cast<char>(random());
  for (const std::size_t piece : {999, 1 << 14, 1 << 30}) {
    Conversation talk(*context, server);
    talk.run();
    talk.client.write(much);
    talk.server.send(much);
    talk.run(piece);
    EXPECT_TRUE(talk.plain == much);
    EXPECT_TRUE(talk.server.received() == much);
  }
}

TEST_P(TlsVersions, WhatIsFedBoundsWhatComes) {
  TlsServer server(serverOptions(GetParam()));
  const auto context = makeContext(tls());
  Conversation talk(*context, server);
  talk.run();
  talk.server.send(std::string(100000, 'x'));
  const auto encrypted = talk.server.output();
  std::size_t fed = 0;
  for (const char byte : encrypted) {
    ++fed;
    ASSERT_EQ(talk.client.receive({&byte, 1}, talk.plain), std::nullopt);
    ASSERT_LT(talk.plain.size(), fed);
  }
  EXPECT_EQ(talk.plain.size(), 100000U);
}

TEST_P(TlsVersions, ACutIsNoEndAndNoVerdict) {
  TlsServer server(serverOptions(GetParam()));
  const auto context = makeContext(tls());
  Conversation whole(*context, server);
  whole.server.receive(whole.client.output());
  const auto size = whole.server.output().size();
  for (std::size_t cut = 0; cut < size; ++cut) {
    Conversation talk(*context, server);
    talk.server.receive(talk.client.output());
    ASSERT_EQ(talk.client.receive(talk.server.output().substr(0, cut), talk.plain), std::nullopt);
    ASSERT_FALSE(talk.client.ended());
  }
  Conversation talk(*context, server);
  talk.run();
  talk.server.send("incomplete");
  const auto record = talk.server.output();
  EXPECT_EQ(talk.client.receive(record.substr(0, record.size() - 1), talk.plain), std::nullopt);
  EXPECT_EQ(talk.plain, "");
  EXPECT_FALSE(talk.client.ended());
}

TEST_P(TlsVersions, WhatFollowsTheEndIsIgnored) {
  TlsServer server(serverOptions(GetParam()));
  const auto context = makeContext(tls());
  Conversation talk(*context, server);
  talk.run();
  talk.server.send("last");
  talk.server.close();
  EXPECT_EQ(talk.client.receive(talk.server.output() + "garbage", talk.plain), std::nullopt);
  EXPECT_EQ(talk.client.receive("more garbage", talk.plain), std::nullopt);
  EXPECT_EQ(talk.plain, "last");
  EXPECT_TRUE(talk.client.ended());
}

TEST_P(TlsVersions, WhatCameBeforeAFailureIsHandedOver) {
  TlsServer server(serverOptions(GetParam()));
  const auto context = makeContext(tls());
  Conversation talk(*context, server);
  talk.run();
  talk.server.send("200 OK");
  auto bytes = talk.server.output();
  talk.server.send("damaged");
  bytes += talk.server.output();
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  const auto judgement = talk.client.receive(bytes, talk.plain);
  EXPECT_EQ(talk.plain, "200 OK");
  EXPECT_EQ(judgement, failed(FailureKind::tls, "TLS error: decryption failed or bad record mac"));
  EXPECT_EQ(talk.client.receive("x", talk.plain), judgement);
  talk.client.write("not any more");
}

TEST_F(TlsTest, NewKeysAndTicketsMayComeAtAnyTime) {
  TlsServer server(serverOptions(TLS1_3_VERSION));
  const auto context = makeContext(tls());
  Conversation talk(*context, server);
  talk.run();
  for (int i = 0; i < 3; ++i) {
    SSL_key_update(talk.server.ssl(), SSL_KEY_UPDATE_REQUESTED);
    SSL_new_session_ticket(talk.server.ssl());
    talk.server.send("answer");
    talk.run();
    talk.client.write("question");
    talk.run();
  }
  EXPECT_EQ(talk.judgement, std::nullopt);
  EXPECT_EQ(talk.server.received(), "questionquestionquestion");
  EXPECT_EQ(talk.plain, "answeransweranswer");
}

TEST_F(TlsTest, RenegotiationIsDeclined) {
  TlsServer server(serverOptions(TLS1_2_VERSION));
  const auto context = makeContext(tls());
  Conversation talk(*context, server);
  talk.run();
  SSL_renegotiate(talk.server.ssl());
  SSL_do_handshake(talk.server.ssl());
  const auto wish = talk.server.output();
  ASSERT_NE(wish, "");
  EXPECT_EQ(talk.client.receive(wish, talk.plain), std::nullopt);
  EXPECT_THAT(talk.client.output(), StartsWith("\x15"));  // an alert, not a ClientHello
}

TEST_P(TlsVersions, ProtocolsAreOffered) {
  auto settings = tls();
  settings.alpn = {"h2", "http/1.1"};
  const auto context = makeContext(settings);
  for (const std::string known : {"h2", "http/1.1", ""}) {
    auto options = serverOptions(GetParam());
    options.alpn = known;
    TlsServer server(options);
    Conversation talk(*context, server);
    talk.run();
    EXPECT_EQ(talk.judgement, std::nullopt);
    EXPECT_EQ(talk.server.protocol(), known);
  }
  auto options = serverOptions(GetParam());
  options.alpn = "smtp";
  TlsServer server(options);
  EXPECT_EQ(verdict(*context, server), failed(FailureKind::tls, "alert: no application protocol"));
}

TEST_P(TlsVersions, AClientCertificateCanBeDemanded) {
  auto options = serverOptions(GetParam());
  options.clientAuthority = &authority;
  TlsServer server(options);

  const auto client = Identity::make({.commonName = "l4ward"}, &authority);
  Conversation talk(*makeContext(tlsWith(client)), server);
  talk.client.write("hello");
  talk.run();
  EXPECT_EQ(talk.judgement, std::nullopt);
  EXPECT_EQ(talk.server.received(), "hello");

  const auto missing = verdict(*makeContext(tls()), server);
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->kind, FailureKind::tls);
  EXPECT_EQ(missing->reason, GetParam() == TLS1_3_VERSION ? "alert: certificate required"
                                                          : "alert: handshake failure");

  const auto stranger = Identity::make({.commonName = "l4ward"}, &otherAuthority);
  EXPECT_EQ(verdict(*makeContext(tlsWith(stranger)), server),
            failed(FailureKind::tls, "alert: unknown CA (about this node's certificate)"));

  const auto expired = Identity::make(
      {.commonName = "l4ward", .fromSeconds = -9 * day, .untilSeconds = -3 * day - 60}, &authority);
  const auto context = makeContext(tlsWith(expired));
  EXPECT_EQ(verdict(*context, server),
            notMade(path("own.pem") + ": this node's certificate expired 3 days ago"));
}

TEST_P(TlsVersions, WarnsOfThisNodesCertificateToo) {
  auto options = serverOptions(GetParam());
  options.clientAuthority = &authority;
  TlsServer server(options);
  const auto client =
      Identity::make({.commonName = "l4ward", .untilSeconds = 2 * day + 60}, &authority);
  Conversation talk(*makeContext(tlsWith(client)), server);
  talk.run();
  EXPECT_EQ(talk.client.warning(), "this node's certificate expires in 2 days");
}

// Whatever is damaged, there is some judgement or a wait for more.
TEST_P(TlsVersions, SurvivesDamage) {
  TlsServer server(serverOptions(GetParam()));
  const auto context = makeContext(tls());
  std::mt19937 random(7);
  for (int i = 0; i < 500; ++i) {
    Conversation talk(*context, server);
    if (random() % 2) talk.run();
    talk.server.receive(talk.client.output());
    if (talk.client.handshakeDone()) talk.server.send("an answer");
    auto bytes = talk.server.output();
    for (auto damage = 1 + random() % 3; damage > 0; --damage) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    talk.feed(bytes, 1 + random() % 99);
    ASSERT_LE(talk.plain.size(), bytes.size());
    if (talk.judgement) {
      ASSERT_EQ(talk.judgement->kind, FailureKind::tls);
      ASSERT_NE(talk.judgement->reason, "");
    }
  }
}

TEST_F(TlsTest, SurvivesRandomBytes) {
  const auto context = makeContext(tls());
  std::mt19937 random(11);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes = i % 2 ? "\x16\x03\x03" : "\x15\x03\x01";
    bytes += static_cast<char>(random() % 8);
    while (bytes.size() < 10 + random() % 3000) bytes += static_cast<char>(random());
    TlsSession session(*context);
    std::string plain;
    std::optional<Judgement> judgement;
    while (!bytes.empty() && !judgement) {
      const auto piece = bytes.substr(0, 1 + random() % 500);
      bytes.erase(0, piece.size());
      judgement = session.receive(piece, plain);
    }
    ASSERT_EQ(plain, "");
    ASSERT_FALSE(session.handshakeDone());
    if (judgement) {
      ASSERT_EQ(judgement->kind, FailureKind::tls);
    }
  }
}

TEST_F(TlsTest, OtherProtocolsAreNotTls) {
  const auto context = makeContext(tls());
  for (const std::string answer :
       {"HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "220 mail ESMTP\r\n", "\r\n",
        "\x16\x02\x00", "\x17\x03\x03", "\x15HTTP"}) {
    for (const auto piece : pieces) {
      TlsSession session(*context);
      std::string plain;
      std::optional<Judgement> judgement;
      for (std::size_t at = 0; at < answer.size() && !judgement; at += piece) {
        judgement = session.receive(std::string_view(answer).substr(at, piece), plain);
      }
      EXPECT_EQ(judgement, failed(FailureKind::tls, "not TLS")) << answer;
    }
  }
}

TEST_F(TlsTest, NamesTheAlert) {
  auto options = serverOptions(TLS1_2_VERSION);
  options.ciphers = "RSA";  // its key is none of RSA
  TlsServer noCipher(options);
  TlsServer old(serverOptions(TLS1_1_VERSION));
  TlsServer current(serverOptions(TLS1_2_VERSION));
  const auto context = makeContext(tls());
  auto only13 = tls();
  only13.tls13 = true;
  EXPECT_EQ(verdict(*context, noCipher), failed(FailureKind::tls, "alert: handshake failure"));
  EXPECT_EQ(verdict(*context, old), failed(FailureKind::tls, "alert: protocol version"));
  EXPECT_EQ(verdict(*makeContext(only13), current),
            failed(FailureKind::tls, "alert: protocol version"));
  const std::pair<std::string, std::string> alerts[] = {
      {{2, 112}, "alert: unrecognized name"},
      {{2, 109}, "alert: missing extension"},
      {{2, static_cast<char>(251)}, "alert: number 251"},
      {{1, 0}, "alert: close notify during the handshake"},
  };
  for (const auto& [alert, reason] : alerts) {
    TlsSession session(*context);
    std::string plain;
    EXPECT_EQ(session.receive(std::string("\x15\x03\x03\0\x02", 5) + alert, plain),
              failed(FailureKind::tls, reason));
  }
}

TEST_F(TlsTest, AnOldVersionThatNobodyOfferedIsRefused) {
  std::string hello("\x16\x03\x01\0\x2a\x02\0\0\x26\x03\x01", 11);  // TLS 1.0
  hello += std::string(32, 'r') + std::string("\0\xc0\x2f\0", 4);
  TlsSession session(*makeContext(tls()));
  std::string plain;
  EXPECT_EQ(session.receive(hello, plain),
            failed(FailureKind::tls, "the server's TLS version is too old"));
}

TEST_F(TlsTest, OtherErrorsOfTheThreadAreNotItsOwn) {
  TlsServer server(serverOptions(TLS1_3_VERSION));
  const auto context = makeContext(tls());
  Conversation talk(*context, server);
  talk.run();
  talk.server.send("answer");
  const auto bytes = talk.server.output();
  ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
  EXPECT_EQ(talk.client.receive(bytes, talk.plain), std::nullopt);
  EXPECT_EQ(talk.plain, "answer");
  EXPECT_NE(talk.client.receive("garbage", talk.plain), std::nullopt);
  EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST_F(TlsTest, BadSettingsAreNamed) {
  const auto one = Identity::make({}, &authority);
  const auto two = Identity::make({}, &authority);
  const Identity rsa{nullptr, TlsPtr<EVP_PKEY>(EVP_RSA_gen(2048))};
  write("one.pem", one.certificatePem());
  write("one.key", one.keyPem());
  write("two.key", two.keyPem());
  write("secret.key", one.keyPem("secret"));
  write("rsa.key", rsa.keyPem());
  write("empty.pem", "");
  write("bad.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  const auto withOwn = [&](const std::string& certificate, const std::string& key) {
    auto settings = tls();
    settings.certificate = certificate.empty() ? "" : path(certificate);
    settings.key = key.empty() ? "" : path(key);
    return settings;
  };
  const auto with = [&](auto change) {
    auto settings = tls();
    change(settings);
    return settings;
  };
  const std::string none = ": No such file or directory";
  const std::string noCertificate = ": no usable certificate in PEM: ";
  const std::string noKey = ": no usable unencrypted key in PEM: ";
  const std::pair<Tls, std::string> cases[] = {
      {with([&](Tls& t) { t.caFile = path("none.pem"); }), path("none.pem") + none},
      {with([&](Tls& t) { t.caFile = path("empty.pem"); }), path("empty.pem") + noCertificate},
      {with([&](Tls& t) { t.caFile = path("one.key"); }), path("one.key") + noCertificate},
      {with([&](Tls& t) { t.caFile = path("bad.pem"); }), path("bad.pem") + noCertificate},
      {withOwn("none.pem", "one.key"), path("none.pem") + none},
      {withOwn("one.pem", "none.key"), path("none.key") + none},
      {withOwn("one.key", "one.key"), path("one.key") + noCertificate},
      {withOwn("bad.pem", "one.key"), path("bad.pem") + noCertificate},
      {withOwn("one.pem", "one.pem"), path("one.pem") + noKey},
      {withOwn("one.pem", "secret.key"), path("secret.key") + noKey},
      {withOwn("one.pem", "two.key"), path("two.key") + ": not the key of " + path("one.pem")},
      {withOwn("one.pem", "rsa.key"), path("rsa.key") + ": not the key of " + path("one.pem")},
      {withOwn("one.pem", ""), path("one.pem") + ": a certificate without a key"},
      {withOwn("", "one.key"), path("one.key") + ": a key without a certificate"},
      {with([](Tls& t) { t.alpn = {""}; }), "ALPN: '' is no protocol"},
      {with([](Tls& t) { t.alpn = {std::string(256, 'a')}; }), "ALPN: 'aaa"},
      {with([](Tls& t) { t.serverName = std::string(256, 'a'); }), "'aaa"},
  };
  for (const auto& [settings, start] : cases) {
    const auto context = TlsContext::make(settings, target);
    ASSERT_FALSE(context) << start;
    EXPECT_THAT(context.error().message, StartsWith(start));
    EXPECT_EQ(ERR_peek_error(), 0U);
  }
}

}  // namespace
}  // namespace l4ward::healthcheck
