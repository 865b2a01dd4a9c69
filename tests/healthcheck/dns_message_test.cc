#include "healthcheck/dns_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/healthcheck/dns_answers.h"

namespace l4ward::healthcheck {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::string_literals;

constexpr DnsType allTypes[] = {DnsType::a,   DnsType::ns,   DnsType::cname,
                                DnsType::soa, DnsType::ptr,  DnsType::mx,
                                DnsType::txt, DnsType::aaaa, DnsType::srv};

std::string query(DnsType type, std::string_view name = "www.example") {
  return encodeDnsQuery(0x1234, name, type).value();
}

unsigned code(DnsType type) {
  return static_cast<unsigned>(type);
}

tl::expected<DnsAnswer, DnsUnusable> parse(DnsType type, const AnswerParts& parts) {
  const auto asked = query(type);
  return parseDnsAnswer(answerTo(asked, parts), asked);
}

// Of one record with this data.
std::vector<std::string> texts(DnsType type, const std::string& data) {
  const auto answer = parse(type, {.records = {record(code(type), data)}});
  return answer ? answer->records : std::vector<std::string>{"malformed"};
}

TEST(DnsQuery, HasOneQuestion) {
  EXPECT_EQ(query(DnsType::aaaa),
            "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
            "\3www\7example\0\x00\x1c\x00\x01"s);
  EXPECT_EQ(query(DnsType::ns, "").substr(12), "\0\x00\x02\x00\x01"s);
}

TEST(DnsQuery, RefusesWhatIsNoName) {
  const std::string label(63, 'a');
  const auto longest = label + "." + label + "." + label + "." + label.substr(2);
  EXPECT_TRUE(encodeDnsQuery(1, longest, DnsType::a));
  for (const auto& name : {longest + "a", label + "a", "."s, "a..b"s, ".a"s, "a."s}) {
    EXPECT_FALSE(encodeDnsQuery(1, name, DnsType::a)) << name;
  }
}

TEST(DnsAnswer, RecordsInTheirUsualText) {
  const auto mail = wireName("mx1.example");
  const auto timers = be32(2026013101) + be32(7200) + be32(900) + be32(1209600) + be32(4294967295);
  const struct {
    DnsType type;
    std::string data;
    std::string text;
  } cases[] = {
      {DnsType::a, "\xc0\x00\x02\x01"s, "192.0.2.1"},
      {DnsType::aaaa, "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\1", "2001:db8::1"},
      {DnsType::ns, mail, "mx1.example"},
      {DnsType::cname, pointer(questionName), "www.example"},
      {DnsType::cname, "\3ftp"s + pointer(questionName + 4), "ftp.example"},
      {DnsType::ptr, wireName(""), "."},
      {DnsType::ptr, "\5a.b\\ \1\xff\0"s, R"(a\.b\\\032.\255)"},
      {DnsType::mx, be16(10) + mail, "10 mx1.example"},
      {DnsType::mx, be16(0) + wireName(""), "0 ."},
      {DnsType::srv, be16(1) + be16(65535) + be16(443) + mail, "1 65535 443 mx1.example"},
      {DnsType::txt, "\6v=spf1\5 -all"s, "v=spf1 -all"},
      {DnsType::txt, "\0"s, ""},
      {DnsType::txt, "\3a\0b"s, "a\0b"s},
      {DnsType::soa, mail + wireName("root.example") + timers,
       "mx1.example root.example 2026013101 7200 900 1209600 4294967295"},
  };
  for (const auto& [type, data, text] : cases) {
    EXPECT_THAT(texts(type, data), ElementsAre(text)) << toString(type);
  }
}

TEST(DnsAnswer, RecordsOfAnyOwnerBehindACname) {
  const auto target = wireName("host.cdn.example");
  const auto answer =
      parse(DnsType::a, {.records = {record(5, target), record(1, "\xc0\x00\x02\x01"s, 1, target),
                                     record(1, "\xc0\x00\x02\x02"s, 1, target)}});
  ASSERT_TRUE(answer);
  EXPECT_THAT(answer->records, ElementsAre("192.0.2.1", "192.0.2.2"));
  EXPECT_EQ(answer->responseCode, 0U);
  EXPECT_FALSE(answer->truncated);
}

TEST(DnsAnswer, RecordsOfOtherTypesAndClassesAreSkipped) {
  const auto answer =
      parse(DnsType::a,
            {.records = {record(28, "anything"), record(46, ""), record(1, "\x7f\0\0\1"s, 3)}});
  ASSERT_TRUE(answer);
  EXPECT_THAT(answer->records, IsEmpty());
}

TEST(DnsAnswer, ReadsTheFlags) {
  EXPECT_EQ(parse(DnsType::a, {.flags = 0x8183})->responseCode, 3U);
  EXPECT_TRUE(parse(DnsType::a, {.flags = 0x8380})->truncated);
}

TEST(DnsAnswer, NamesAreComparedWithoutCase) {
  const auto answer = answerTo(query(DnsType::a, "WWW.eXample"), {.flags = 0x8180});
  EXPECT_TRUE(parseDnsAnswer(answer, query(DnsType::a, "www.Example")));
}

TEST(DnsAnswer, ToAnotherQueryIsNone) {
  const auto asked = query(DnsType::a);
  const auto good = answerTo(asked, {});
  ASSERT_TRUE(parseDnsAnswer(good, asked));
  auto otherClass = good;
  otherClass.back() = 3;
  auto noQuestion = good;
  noQuestion[5] = 0;
  const std::string others[] = {
      asked,  // not an answer
      answerTo(encodeDnsQuery(0x1235, "www.example", DnsType::a).value(), {}),
      answerTo(query(DnsType::aaaa), {}),
      answerTo(query(DnsType::a, "www.examplf"), {}),
      answerTo(query(DnsType::a, "www.example.org"), {}),
      answerTo(query(DnsType::a, ""), {}),
      otherClass,
      noQuestion,
      good.substr(0, good.size() - 1),
      good.substr(0, 11),
      "",
  };
  for (const auto& other : others) {
    const auto parsed = parseDnsAnswer(other, asked);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error(), DnsUnusable::notTheAnswer);
  }
}

TEST(DnsAnswer, AnErrorNeedsNoQuestion) {
  const auto answer = parseDnsAnswer("\x12\x34\x81\x01"s + std::string(8, '\0'), query(DnsType::a));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->responseCode, 1U);
}

TEST(DnsAnswer, DamagedRecordsAreMalformed) {
  const auto name = wireName("mx1.example");
  const struct {
    const char* what;
    DnsType type;
    std::string data;
  } cases[] = {
      {"short address", DnsType::a, "\x7f\0\0"s},
      {"long address", DnsType::a, "\x7f\0\0\1\0"s},
      {"short IPv6 address", DnsType::aaaa, "\x7f\0\0\1"s},
      {"name cut", DnsType::ns, name.substr(0, 8)},
      {"bytes behind a name", DnsType::ns, name + "x"},
      {"pointer to itself", DnsType::ns, pointer(12 + 17 + 12)},
      {"pointer forward", DnsType::ns, pointer(12 + 17 + 14) + wireName("a")},
      {"pointer into a loop", DnsType::ns, "\1a"s + pointer(12 + 17 + 12)},
      {"pointer into the header", DnsType::ns, pointer(5)},
      {"half a pointer", DnsType::ns, "\xc0"},
      {"reserved kind of label", DnsType::ns, "\x41" + std::string(65, 'a') + '\0'},
      {"no priority", DnsType::mx, "\0"s},
      {"no name", DnsType::mx, be16(10)},
      {"no port", DnsType::srv, be32(1)},
      {"no mailbox", DnsType::soa, name},
      {"timers cut", DnsType::soa, name + name + be32(1)},
      {"text cut", DnsType::txt, "\5abc"},
  };
  for (const auto& [what, type, data] : cases) {
    EXPECT_THAT(texts(type, data), ElementsAre("malformed")) << what;
  }
}

TEST(DnsAnswer, NamesAreNoLongerThan255Bytes) {
  const auto label = "\x3f" + std::string(63, 'a');
  const auto tail = label + label + label;
  EXPECT_EQ(texts(DnsType::ns, tail + "\x3d" + std::string(61, 'a') + '\0').front().size(), 253U);
  EXPECT_THAT(texts(DnsType::ns, tail + label + '\0'), ElementsAre("malformed"));
}

TEST(DnsAnswer, FewerRecordsThanPromisedAreMalformedUnlessTruncated) {
  const auto asked = query(DnsType::a);
  for (const bool truncated : {false, true}) {
    const auto whole =
        answerTo(asked, {.flags = truncated ? 0x8380U : 0x8180U,
                         .records = {record(1, "\x7f\0\0\1"s), record(1, "\x7f\0\0\2"s)}});
    for (std::size_t cut = 1; cut <= 16; ++cut) {
      const auto parsed = parseDnsAnswer(whole.substr(0, whole.size() - cut), asked);
      ASSERT_EQ(parsed.has_value(), truncated);
      if (truncated) {
        EXPECT_THAT(parsed->records, ElementsAre("127.0.0.1"));
      } else {
        EXPECT_EQ(parsed.error(), DnsUnusable::malformed);
      }
    }
  }
}

// Each pointer leads back to the pointer before it.
TEST(DnsAnswer, ChainsOfPointersAreBounded) {
  const auto asked = query(DnsType::ns);
  for (const unsigned links : {100U, 2000U}) {
    std::string chain = wireName("a");
    const auto start = static_cast<unsigned>(asked.size()) + 12;
    for (unsigned i = 0; i < links; ++i) chain += pointer(start + (i == 0 ? 0 : 3 + 2 * (i - 1)));
    const auto last = start + 3 + 2 * (links - 1);
    const auto message =
        answerTo(asked, {.records = {record(10, chain), record(2, pointer(last))}});
    EXPECT_EQ(parseDnsAnswer(message, asked).has_value(), links == 100) << links;
  }
}

TEST(DnsAnswer, KeepsABoundedNumberOfRecords) {
  AnswerParts parts;
  parts.records.assign(maxDnsRecords + 1, record(1, "\x7f\0\0\1"s));
  EXPECT_EQ(parse(DnsType::a, parts)->records.size(), maxDnsRecords);
}

TEST(DnsAnswer, LargerThanAMessageCanBeIsMalformed) {
  const auto asked = query(DnsType::a);
  const auto answer = answerTo(asked, {});
  EXPECT_TRUE(parseDnsAnswer(answer + std::string(maxDnsMessageBytes - answer.size(), 'x'), asked));
  EXPECT_FALSE(parseDnsAnswer(answer + std::string(maxDnsMessageBytes, 'x'), asked));
}

TEST(DnsAnswer, EveryCutEnds) {
  for (const auto type : allTypes) {
    const auto asked = query(type);
    const auto whole = answerTo(asked, {.records = {record(code(type), wireName("a.example"))}});
    for (std::size_t size = 0; size <= whole.size(); ++size) {
      const auto own = std::make_unique<char[]>(size);  // so that a sanitizer sees a byte too far
      std::copy_n(whole.begin(), size, own.get());
      static_cast<void>(parseDnsAnswer({own.get(), size}, asked));
    }
  }
}

TEST(DnsNames, OfResponseCodes) {
  EXPECT_EQ(dnsResponseCodeName(2), "SERVFAIL");
  EXPECT_EQ(dnsResponseCodeName(3), "NXDOMAIN");
  EXPECT_EQ(dnsResponseCodeName(5), "REFUSED");
  EXPECT_EQ(dnsResponseCodeName(10), "NOTZONE");
  EXPECT_EQ(dnsResponseCodeName(15), "RCODE 15");
}

}  // namespace
}  // namespace l4ward::healthcheck
