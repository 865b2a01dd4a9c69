// Mistakes in what each type of check has of its own.
#include "site_text.h"

namespace l4ward::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A check, with '@' where the error stands, and the error without file, place and "checks.c".
struct Wrong {
  std::string check;
  std::string error;
};

void PrintTo(const Wrong& wrong, std::ostream* out) {
  *out << wrong.check;
}

void expectWrong(const Wrong& wrong) {
  auto text = "checks: {c: " + wrong.check + "}\nservices: {}\n";
  const auto column = text.find('@');
  ASSERT_NE(column, text.npos);
  text.erase(column, 1);
  EXPECT_THAT(errorsOf(text),
              ElementsAre("f:1:" + std::to_string(column + 1) + ": checks.c" + wrong.error));
}

class Keys : public testing::TestWithParam<Wrong> {};
class Streams : public testing::TestWithParam<Wrong> {};
class Http : public testing::TestWithParam<Wrong> {};
class Others : public testing::TestWithParam<Wrong> {};
class TlsKeys : public testing::TestWithParam<Wrong> {};

TEST_P(Keys, IsOneError) {
  expectWrong(GetParam());
}
TEST_P(Streams, IsOneError) {
  expectWrong(GetParam());
}
TEST_P(Http, IsOneError) {
  expectWrong(GetParam());
}
TEST_P(Others, IsOneError) {
  expectWrong(GetParam());
}
TEST_P(TlsKeys, IsOneError) {
  expectWrong(GetParam());
}

// Every key that only some types have, in a check of another type; what it holds does not matter.
struct Owned {
  std::string key;
  std::string owners;
  std::vector<std::string> foreign;  // checks that would be right without the key
};

const std::string kTcp = "type: tcp";
const std::string kHttp = "type: http";
const std::string kHttps = "type: https";
const std::string kDns = "type: dns, name: a.example";
const std::string kUdp = "type: udp, send: x";
const std::string kIcmp = "type: icmp";
const std::string kGrpc = "type: grpc";
const std::string kExec = "type: exec, command: [/bin/true]";
const std::string kFile = "type: file, path: /run/state";
const std::string kAgent = "type: agent, port: 9777";

TEST(LoadProbes, KeysOfOtherTypes) {
  const std::vector<Owned> keys{
      {"port", "tcp, http, https, dns, udp, grpc, exec or agent", {kIcmp, kFile}},
      {"source", "tcp, http, https, dns, udp, icmp, grpc or agent", {kExec, kFile}},
      {"via", "tcp, http, https, dns, udp or grpc", {kIcmp, kExec, kFile, kAgent}},
      {"full_size", "http or https", {kTcp, kDns, kUdp, kIcmp, kGrpc, kExec, kFile, kAgent}},
      {"tls", "tcp, https, dns or grpc", {kHttp, kUdp, kIcmp, kExec, kFile, kAgent}},
      {"send", "tcp, udp or agent", {kHttp, kHttps, kDns, kIcmp, kGrpc, kExec, kFile}},
      {"expect", "tcp or udp", {kHttp, kHttps, kDns, kIcmp, kGrpc, kExec, kFile, kAgent}},
      {"path", "http, https or file", {kTcp, kDns, kUdp, kIcmp, kGrpc, kExec, kAgent}},
      {"name", "dns", {kTcp, kHttp, kHttps, kUdp, kIcmp, kGrpc, kExec, kFile, kAgent}},
      {"query", "dns", {kTcp, kHttp, kHttps, kUdp, kIcmp, kGrpc, kExec, kFile, kAgent}},
      {"answers", "dns", {kTcp, kHttp, kHttps, kUdp, kIcmp, kGrpc, kExec, kFile, kAgent}},
      {"transport", "dns", {kTcp, kHttp, kHttps, kUdp, kIcmp, kGrpc, kExec, kFile, kAgent}},
      {"service", "grpc", {kTcp, kHttp, kHttps, kDns, kUdp, kIcmp, kExec, kFile, kAgent}},
      {"authority", "grpc", {kTcp, kHttp, kHttps, kDns, kUdp, kIcmp, kExec, kFile, kAgent}},
      {"command", "exec", {kTcp, kHttp, kHttps, kDns, kUdp, kIcmp, kGrpc, kFile, kAgent}},
      {"user", "exec", {kTcp, kHttp, kHttps, kDns, kUdp, kIcmp, kGrpc, kFile, kAgent}},
  };
  for (const auto& key : keys) {
    for (const auto& check : key.foreign) {
      const auto type = check.substr(6, check.find(',') - 6);
      SCOPED_TRACE(key.key + " in " + type);
      expectWrong({"{" + check + ", " + key.key + ": @[[]]}",
                   "." + key.key + ": found this key in a check of type " + type +
                       ", expected it only with type " + key.owners});
    }
  }
  for (const auto* key :
       {"method", "host", "headers", "version", "status", "drain_status", "body"}) {
    for (const auto& check : {kTcp, kDns, kUdp, kIcmp, kGrpc, kExec, kFile, kAgent}) {
      const auto type = check.substr(6, check.find(',') - 6);
      SCOPED_TRACE(key + (" in " + type));
      expectWrong({"{" + check + ", " + key + ": @[[]]}",
                   "." + std::string(key) + ": found this key in a check of type " + type +
                       ", expected it only with type http or https"});
    }
  }
}

TEST(LoadProbes, TheLeastOfEachTypeIsRight) {
  for (const auto& check : {kTcp, kHttp, kHttps, kDns, kUdp, kIcmp, kGrpc, kExec, kFile, kAgent}) {
    EXPECT_THAT(errorsOf("checks: {c: {" + check + "}}\nservices: {}\n"), IsEmpty()) << check;
  }
}

INSTANTIATE_TEST_SUITE_P(
    LoadProbes, Keys,
    testing::Values(
        Wrong{"@{type: udp}", ".send: found no such key, expected what servers answer to"},
        Wrong{"@{type: dns}", ".name: found no such key, expected the domain name to ask for"},
        Wrong{"@{type: exec}",
              ".command: found no such key, expected a list: a program's path and arguments"},
        Wrong{"@{type: file}",
              ".path: found no such key, expected the file that says up, drain or down"},
        Wrong{"@{type: agent}",
              ".port: found no such key, expected the port where the agents "
              "listen"},
        Wrong{"{type: agent, port: @65536}",
              ".port: found '65536', expected a whole number from 1 to 65535"},
        Wrong{"{type: tcp, via: @tunnels}",
              ".via: found 'tunnels', expected direct or tunnel (did you mean 'tunnel'?)"},
        Wrong{"{type: https, full_size: @yes}", ".full_size: found 'yes', expected true or false"},
        Wrong{"{type: https, full_size: @true}",
              ".full_size: found 'true', expected it only with `via: tunnel`"},
        Wrong{"{type: http, via: direct, full_size: @true}",
              ".full_size: found 'true', expected it only with `via: tunnel`"},
        Wrong{"{type: tcp, source: @'::'}",
              ".source: found '::', expected an address of this "
              "node"}));

const std::string kSend =
    ", expected 1 to 1024 bytes, with backslashes only as \\r, \\n, \\t, "
    "\\\\ or \\xHH";
const std::string kExpect = ", expected 1 to 1024 bytes, or a map with `text` or `pattern`";
const std::string kLong(1025, 'x');
const std::string kShown = "'" + std::string(81, 'x') + "…'";

INSTANTIATE_TEST_SUITE_P(
    LoadProbes, Streams,
    testing::Values(
        Wrong{"{type: tcp, send: @''}", ".send: found ''" + kSend},
        Wrong{"{type: tcp, send: @" + kLong + "}", ".send: found " + kShown + kSend},
        Wrong{"{type: udp, send: @[x]}", ".send: found a list" + kSend},
        Wrong{"{type: agent, port: 1, send: @{}}", ".send: found a map" + kSend},
        Wrong{R"({type: udp, send: @'a\b'})", R"(.send: found 'a\b')" + kSend},
        Wrong{R"({type: udp, send: @a\})", R"(.send: found 'a\')" + kSend},
        Wrong{R"({type: udp, send: @\x0})", R"(.send: found '\x0')" + kSend},
        Wrong{R"({type: udp, send: @\x0g})", R"(.send: found '\x0g')" + kSend},
        Wrong{R"({type: udp, send: @\x-1})", R"(.send: found '\x-1')" + kSend},
        Wrong{R"({type: udp, send: @\N})", R"(.send: found '\N')" + kSend},
        Wrong{"{type: tcp, expect: @''}", ".expect: found ''" + kExpect},
        Wrong{"{type: tcp, expect: @" + kLong + "}", ".expect: found " + kShown + kExpect},
        Wrong{"{type: tcp, expect: @[a]}", ".expect: found a list" + kExpect},
        Wrong{"{type: udp, send: x, expect: @{}}",
              ".expect: found an empty map, expected `text` or `pattern`"},
        Wrong{"{type: tcp, expect: {text: a, pattern: @b}}",
              ".expect.pattern: found this key beside `text`, expected one of the two"},
        Wrong{"{type: tcp, expect: {@patern: b}}",
              ".expect.patern: found the key 'patern', expected a key that is known here (did you "
              "mean 'pattern'?)"},
        Wrong{"{type: tcp, expect: {text: @''}}",
              ".expect.text: found '', expected 1 to 1024 bytes"},
        Wrong{"{type: tcp, expect: {pattern: @" + kLong + "}}",
              ".expect.pattern: found " + kShown +
                  ", expected a regular expression of 1 to 1024 bytes"},
        Wrong{"{type: tcp, expect: {pattern: @''}}",
              ".expect.pattern: found '', expected a regular expression of 1 to 1024 bytes"},
        Wrong{"{type: tcp, expect: {pattern: @'[a'}}",
              ".expect.pattern: found '[a', expected a regular expression; RE2 says 'missing ]: "
              "[a'"},
        Wrong{"{type: http, body: {pattern: @(up}}",
              ".body.pattern: found '(up', expected a regular expression; RE2 says 'missing ): "
              "(up'"},
        // Back references need more than linear time; RE2 has none.
        Wrong{R"({type: tcp, expect: {pattern: @'(a)\1'}})",
              R"(.expect.pattern: found '(a)\1', expected a regular expression; RE2 says 'invalid )"
              R"(escape sequence: \1')"},
        Wrong{"{type: tcp, expect: {pattern: @'(((a{100}){100}){100})'}}",
              ".expect.pattern: found '(((a{100}){100}){100})', expected a regular expression; RE2 "
              "says 'invalid repetition size: {100}'"}));

// Small in the file, but not in memory.
TEST(LoadProbes, PatternsThatNeedTooMuchMemory) {
  std::string pattern;
  for (int i = 0; i < 10; ++i) pattern += "a{1000}";
  EXPECT_THAT(
      errorsOf("checks: {c: {type: tcp, expect: {pattern: '" + pattern + "'}}}\nservices: {}\n"),
      IsEmpty());
  for (int i = 0; i < 90; ++i) pattern += "a{1000}";
  expectWrong({"{type: tcp, expect: {pattern: @'" + pattern + "'}}",
               ".expect.pattern: found '" + pattern.substr(0, 81) +
                   "…', expected a regular expression; RE2 says 'pattern too large - compile "
                   "failed'"});
}

const std::string kMethod = ", expected a method: 1 to 32 capital letters, not CONNECT";
const std::string kValue =
    ", expected at most 1024 printable ASCII characters that do not begin "
    "or end with a blank";

INSTANTIATE_TEST_SUITE_P(
    LoadProbes, Http,
    testing::Values(
        Wrong{"{type: http, method: @get}", ".method: found 'get'" + kMethod},
        Wrong{"{type: http, method: @''}", ".method: found ''" + kMethod},
        Wrong{"{type: http, method: @CONNECT}", ".method: found 'CONNECT'" + kMethod},
        Wrong{"{type: http, method: @'GET /'}", ".method: found 'GET /'" + kMethod},
        Wrong{"{type: http, version: @1}", ".version: found '1', expected 1.0 or 1.1"},
        Wrong{"{type: http, version: @2.0}",
              ".version: found '2.0', expected 1.0 or 1.1 (did you mean '1.0'?)"},
        Wrong{"{type: https, path: @up}",
              ".path: found 'up', expected a path that begins with '/', at most 1024 printable "
              "ASCII characters without blanks or '#'"},
        Wrong{"{type: https, status: @[]}", ".status: found an empty list, expected 1 to 64 items"},
        Wrong{"{type: http, headers: @[a]}", ".headers: found a list, expected a map"},
        Wrong{"{type: http, headers: {host: @a}}",
              ".headers.host: found the header 'host', which l4ward sends by itself, expected the "
              "key `host`"},
        Wrong{"{type: http, headers: {Connection: @close}}",
              ".headers.Connection: found the header 'Connection', which l4ward sends by itself, "
              "expected other headers"},
        Wrong{"{type: http, headers: {content-LENGTH: @'5'}}",
              ".headers.content-LENGTH: found the header 'content-LENGTH', which l4ward sends by "
              "itself, expected other headers"},
        Wrong{"{type: http, headers: {Transfer-Encoding: @chunked}}",
              ".headers.Transfer-Encoding: found the header 'Transfer-Encoding', which l4ward "
              "sends by itself, expected other headers"},
        Wrong{"{type: http, headers: {@'X Y': z}}",
              ".headers[\"X Y\"]: found the name 'X Y', expected 1 to 64 letters, digits, '.', '_' "
              "or '-'"},
        Wrong{"{type: http, headers: {X: a, x: @b}}",
              ".headers.x: found the header 'x' a second time, expected it once"},
        Wrong{"{type: http, headers: {X: @\"a\\r\\nY: b\"}}",
              ".headers.X: found 'a??Y: b'" + kValue},
        Wrong{"{type: http, headers: {X: @é}}", ".headers.X: found 'é'" + kValue},
        Wrong{"{type: http, headers: {X: @' a'}}", ".headers.X: found ' a'" + kValue},
        Wrong{"{type: http, headers: {X: @" + kLong + "}}", ".headers.X: found " + kShown + kValue},
        Wrong{"{type: http, headers: {X: @[a]}}", ".headers.X: found a list" + kValue},
        Wrong{"{type: http, body: @''}", ".body: found ''" + kExpect},
        Wrong{"{type: http, method: HEAD, body: @up}",
              ".body: found this key in a check with `method: HEAD`, expected a method whose "
              "answer has a body"}));

TEST(LoadProbes, MoreHeadersThanAllowed) {
  std::string headers;
  for (int i = 0; i < 33; ++i) headers += "X" + std::to_string(i) + ": a, ";
  expectWrong({"{type: http, headers: @{" + headers + "}}",
               ".headers: found a map of 33, expected at most 32 entries"});
}

const std::string kDomain =
    ", expected a domain name: labels of 1 to 63 letters, digits, '-' or "
    "'_', together at most 253 characters";
const std::string kLongLabel(64, 'a');
const std::string kLongName = std::string(63, 'a') + "." + std::string(63, 'b') + "." +
                              std::string(63, 'c') + "." + std::string(62, 'd');
const std::string kPath = ", expected an absolute path without blanks or quotes";
const std::string kUser = ", expected the name of a user, 1 to 32 letters, digits, '.', '_' or '-'";
const std::string kService = ", expected 1 to 255 printable ASCII characters without blanks";

INSTANTIATE_TEST_SUITE_P(
    LoadProbes, Others,
    testing::Values(
        Wrong{"{type: dns, name: @''}", ".name: found ''" + kDomain},
        Wrong{"{type: dns, name: @a..b}", ".name: found 'a..b'" + kDomain},
        Wrong{"{type: dns, name: @.a}", ".name: found '.a'" + kDomain},
        Wrong{"{type: dns, name: @'a b'}", ".name: found 'a b'" + kDomain},
        Wrong{"{type: dns, name: @ä.example}", ".name: found 'ä.example'" + kDomain},
        Wrong{"{type: dns, name: @" + kLongLabel + "}",
              ".name: found '" + kLongLabel + "'" + kDomain},
        Wrong{"{type: dns, name: @" + kLongName + "}",
              ".name: found '" + kLongName.substr(0, 81) + "…'" + kDomain},
        Wrong{"{type: dns, name: a, query: @any}",
              ".query: found 'any', expected a, aaaa, ns, cname, soa, ptr, mx, txt or srv"},
        Wrong{"{type: dns, name: a, query: @[a]}",
              ".query: found a list, expected a, aaaa, ns, cname, soa, ptr, mx, txt or srv"},
        Wrong{"{type: dns, name: a, transport: @tls}",
              ".transport: found 'tls', expected udp or tcp"},
        Wrong{"{type: dns, name: a, answers: @192.0.2.1}",
              ".answers: found '192.0.2.1', expected a list"},
        Wrong{"{type: dns, name: a, answers: [@www]}",
              ".answers[0]: found 'www', expected an IPv4 address"},
        Wrong{"{type: dns, name: a, query: AAAA, answers: [@192.0.2.1]}",
              ".answers[0]: found '192.0.2.1', expected an IPv6 address"},
        Wrong{"{type: dns, name: a, query: mx, answers: [@'']}",
              ".answers[0]: found '', expected a record's text of 1 to 1024 bytes"},
        Wrong{"{type: dns, name: a, query: mx, answers: [10 a., @10 a.]}",
              ".answers[1]: found '10 a.' a second time, expected each answer once"},
        Wrong{"{type: dns, name: a, query: aaaa, answers: ['2001:db8::1', @'2001:DB8:0::1']}",
              ".answers[1]: found '2001:DB8:0::1' a second time, expected each answer once"},
        Wrong{"{type: dns, name: a, query: txt, answers: @[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,"
              "17]}",
              ".answers: found a list of 17, expected at most 16 items"},
        Wrong{"{type: grpc, service: @'a b'}", ".service: found 'a b'" + kService},
        Wrong{"{type: grpc, service: @''}", ".service: found ''" + kService},
        Wrong{"{type: grpc, authority: @a/b}",
              ".authority: found 'a/b', expected a host name or address, with a port if need be"},
        Wrong{"{type: exec, command: @/bin/true}", ".command: found '/bin/true', expected a list"},
        Wrong{"{type: exec, command: @[]}",
              ".command: found an empty list, expected 1 to 64 items"},
        Wrong{"{type: exec, command: [@true, x]}", ".command[0]: found 'true'" + kPath},
        Wrong{"{type: exec, command: [/bin/a, @[x]]}",
              ".command[1]: found a list, expected text without a NUL character"},
        Wrong{"{type: exec, command: [/bin/a, @\"a\\0b\"]}",
              ".command[1]: found 'a?b', expected text without a NUL character"},
        Wrong{"{type: exec, command: [/bin/a], user: @-x}", ".user: found '-x'" + kUser},
        Wrong{"{type: exec, command: [/bin/a], user: @''}", ".user: found ''" + kUser},
        Wrong{"{type: exec, command: [/bin/a], user: @" + std::string(33, 'u') + "}",
              ".user: found '" + std::string(33, 'u') + "'" + kUser},
        Wrong{"{type: file, path: @run/x}", ".path: found 'run/x'" + kPath}));

TEST(LoadProbes, MoreArgumentsThanAllowed) {
  std::string command = "/bin/a";
  for (int i = 0; i < 64; ++i) command += ", a";
  expectWrong({"{type: exec, command: @[" + command + "]}",
               ".command: found a list of 65, expected 1 to 64 items"});
}

const std::string kServerName = ", expected a host name without a dot at its end, or an address";
const std::string kWarning = ", expected a duration such as 500ms, 2s or 5m, from 0s to 8760h";

INSTANTIATE_TEST_SUITE_P(
    LoadProbes, TlsKeys,
    testing::Values(
        Wrong{"{type: tcp, tls: @false}", ".tls: found 'false', expected true, or a map"},
        Wrong{"{type: https, tls: @[]}", ".tls: found a list, expected true, or a map"},
        Wrong{"{type: https, @tls: }", ".tls: found nothing, expected true, or a map"},
        Wrong{"{type: dns, name: a, tls: @true}",
              ".tls: found this key in a check over UDP, expected it only with `transport: tcp`"},
        Wrong{"{type: dns, name: a, transport: udp, tls: @{}}",
              ".tls: found this key in a check over UDP, expected it only with `transport: tcp`"},
        Wrong{"{type: tcp, tls: {@sni: a}}",
              ".tls.sni: found the key 'sni', expected a key that is known here: server_name "
              "verify ca "
              "certificate key min_version alpn expiry_warning"},
        Wrong{"{type: tcp, tls: {server_name: @''}}", ".tls.server_name: found ''" + kServerName},
        Wrong{"{type: tcp, tls: {server_name: @'a:443'}}",
              ".tls.server_name: found 'a:443'" + kServerName},
        Wrong{"{type: tcp, tls: {server_name: @a.example.}}",
              ".tls.server_name: found 'a.example.'" + kServerName},
        Wrong{"{type: tcp, tls: {verify: @no}}", ".tls.verify: found 'no', expected true or false"},
        Wrong{"{type: tcp, tls: {ca: @ca.pem}}", ".tls.ca: found 'ca.pem'" + kPath},
        Wrong{"{type: tcp, tls: {certificate: @/a}}",
              ".tls.certificate: found a certificate without `key`, expected both or none"},
        Wrong{"{type: tcp, tls: {key: @/a}}",
              ".tls.key: found a key without `certificate`, expected both or none"},
        Wrong{"{type: tcp, tls: {certificate: /a, key: @b}}", ".tls.key: found 'b'" + kPath},
        Wrong{"{type: tcp, tls: {certificate: @a, key: /b}}",
              ".tls.certificate: found 'a'" + kPath},
        Wrong{"{type: grpc, tls: {min_version: @1.1}}",
              ".tls.min_version: found '1.1', expected 1.2 or 1.3 (did you mean '1.2'?)"},
        Wrong{"{type: grpc, tls: {alpn: @h2}}", ".tls.alpn: found 'h2', expected a list"},
        Wrong{"{type: grpc, tls: {alpn: [h2, @h2]}}",
              ".tls.alpn[1]: found 'h2' a second time, expected each protocol once"},
        Wrong{"{type: grpc, tls: {alpn: [@'']}}", ".tls.alpn[0]: found ''" + kService},
        Wrong{"{type: grpc, tls: {alpn: [@" + std::string(256, 'x') + "]}}",
              ".tls.alpn[0]: found " + kShown + kService},
        Wrong{"{type: grpc, tls: {alpn: @[a, b, c, d, e, f, g, h, i]}}",
              ".tls.alpn: found a list of 9, expected at most 8 items"},
        Wrong{"{type: https, tls: {expiry_warning: @14d}}",
              ".tls.expiry_warning: found '14d'" + kWarning},
        Wrong{"{type: https, tls: {expiry_warning: @8761h}}",
              ".tls.expiry_warning: found '8761h'" + kWarning},
        Wrong{"{type: https, tls: {expiry_warning: @25h}}",
              ".tls.expiry_warning: found '25h', expected whole days, as 336h"}));

}  // namespace
}  // namespace l4ward::config
