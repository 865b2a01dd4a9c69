// UDP_CHECK and MISC_CHECK.
#include <algorithm>
#include <array>
#include <cctype>

#include "config/words.h"
#include "import/checks.h"

namespace l4ward::keepalived {
namespace {

using namespace healthcheck;

constexpr std::size_t kMaxProbeText = 1024;
constexpr std::size_t kMaxArguments = 64;
constexpr std::size_t kMaxArgument = 4096;  // bytes of a value in a site file
constexpr std::uint32_t kMaxRepeat = 1000;  // of RE2's x{n,m}

// One or two hexadecimal digits a byte: an odd one at the end of a group stands for itself.
struct HexByte {
  char high = '0';
  char low = '0';
};

bool isDigit(char c, bool wildcards) {
  return std::isxdigit(static_cast<unsigned char>(c)) != 0 || (wildcards && (c == 'x' || c == 'X'));
}

// "Ab12f 3 456" is AB 12 0F 03 45 06.
std::optional<std::vector<HexByte>> parseHex(const Node& node, bool wildcards) {
  std::vector<HexByte> bytes;
  for (std::size_t i = 1; i < node.words.size(); ++i) {
    const auto& word = node.words[i];
    for (std::size_t at = 0; at < word.size(); at += 2) {
      if (!isDigit(word[at], wildcards)) return std::nullopt;
      const bool two = at + 1 < word.size();
      if (two && !isDigit(word[at + 1], wildcards)) return std::nullopt;
      bytes.push_back(two ? HexByte{word[at], word[at + 1]} : HexByte{'0', word[at]});
    }
  }
  if (bytes.empty()) return std::nullopt;
  return bytes;
}

unsigned valueOf(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<unsigned>(digit - '0');
  return static_cast<unsigned>(std::tolower(static_cast<unsigned char>(digit)) - 'a' + 10);
}

std::string bytesOf(const std::vector<HexByte>& digits) {
  std::string bytes;
  for (const auto& [high, low] : digits) {
    bytes += static_cast<char>(valueOf(high) << 4U | valueOf(low));
  }
  return bytes;
}

bool isWild(char digit) {
  return digit == 'x' || digit == 'X';
}

// A pattern of one byte whose digits may be wildcards.
std::string patternOf(const HexByte& byte) {
  if (isWild(byte.high) && isWild(byte.low)) return "(?s:.)";
  constexpr char digits[] = "0123456789abcdef";
  if (!isWild(byte.high) && !isWild(byte.low)) return std::string("\\x") + byte.high + byte.low;
  if (isWild(byte.low)) {
    return std::string("[\\x") + byte.high + "0-\\x" + byte.high + "f]";
  }
  std::string set = "[";
  for (int i = 0; i < 16; ++i) set += std::string("\\x") + digits[i] + byte.low;
  return set + "]";
}

std::string sendOf(const Section& checker) {
  auto* payload = checker.last("payload");
  const auto bytes = payload == nullptr ? std::nullopt : parseHex(*payload, false);
  if (bytes && bytes->size() <= kMaxProbeText) return bytesOf(*bytes);
  if (payload != nullptr) {
    sayInvalid(*payload, "1 to 1024 bytes in hexadecimal", checker.report());
  }
  checker.report().add(checker.block(), {Level::changed,
                                         "a zero byte is sent in place of random "
                                         "ones",
                                         "set `send` to what the servers answer to"});
  return std::string(1, '\0');
}

// The lengths of answers that Keepalived takes. RE2 counts to 1000.
std::string lengthPattern(const Section& checker) {
  const auto least = checker.number("min_reply_length", 0, 65535);
  const auto most = checker.number("max_reply_length", 0, 65535);
  const std::uint32_t min = least ? least->value : 0;
  const std::uint32_t max = most ? most->value : 255;
  if (min <= max && max <= kMaxRepeat) {
    return "^(?s:.{" + std::to_string(min) + "," + std::to_string(max) + "})$";
  }
  for (const auto& given : {least, most}) {
    if (!given) continue;
    checker.report().add(*given->node, {Level::lost,
                                        "a pattern cannot count beyond 1000, nor up "
                                        "to less than it begins with",
                                        "look for a text: `expect`"});
  }
  return "";
}

std::optional<Expectation> expectOf(const Section& checker, Node& reply) {
  const auto length = lengthPattern(checker);
  if (reply.words.size() == 1) {
    return length.empty() ? std::nullopt : std::optional(Expectation{length, true});
  }
  const auto bytes = parseHex(reply, true);
  std::string pattern = "^";
  if (bytes) {
    for (const auto& byte : *bytes) pattern += patternOf(byte);
  }
  if (!bytes || pattern.size() > kMaxProbeText) {
    checker.report().add(reply, {Level::lost,
                                 "no hexadecimal text that fits a pattern of 1024 "
                                 "bytes",
                                 "set `expect`"});
    return std::nullopt;
  }
  checker.report().add(reply, {Level::changed,
                               "an answer must have all these bytes, and may have "
                               "any length",
                               "set `expect` if that matters"});
  return Expectation{pattern, true};
}

bool isPlain(std::string_view text) {
  return text.size() <= kMaxArgument &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

// The command as a shell would take it apart, without the keyword.
std::optional<Words> commandOf(const Node& path) {
  const auto behind = trim(std::string_view(path.raw).substr(
      std::min(path.raw.size(), path.raw.find_first_of(" \t\"'"))));
  auto words = splitCommand(behind);
  if (!words || words->empty() || words->size() > kMaxArguments) return std::nullopt;
  if (!config::isAbsoluteFile(words->front()) ||
      !std::all_of(words->begin(), words->end(), isPlain)) {
    return std::nullopt;
  }
  return words;
}

}  // namespace

std::optional<How> readUdpHow(const Section& checker) {
  auto* reply = checker.last("require_reply");
  if (reply != nullptr) {
    auto send = sendOf(checker);
    return UdpProbe{std::move(send), expectOf(checker, *reply)};
  }
  for (auto* node : checker.all({"payload", "min_reply_length", "max_reply_length"})) {
    checker.report().add(*node, {Level::lost, "the check has become an echo request (icmp)",
                                 "a check of type udp, if the servers answer to it"});
  }
  checker.report().add(checker.block(),
                       {Level::changed,
                        "type udp needs an answer, so this is an echo request "
                        "(icmp), which does not see a closed port",
                        "a check of type udp or dns, with something that the servers answer to"});
  return IcmpProbe();
}

std::optional<How> readMiscHow(const Section& checker, const CheckedServer& server) {
  auto& report = checker.report();
  ExecProbe probe;
  auto* path = checker.last("misc_path");
  const auto command = path == nullptr ? std::nullopt : commandOf(*path);
  probe.user = server.scriptUser;
  if (auto* user = checker.last("user")) {
    probe.user = user->word(1);
    if (!config::isUserName(probe.user)) {
      sayInvalid(*user, "the name of a user", report);
      probe.user.clear();
    } else if (user->words.size() > 2) {
      report.add(*user, {Level::changed, "a program has its user's own group",
                         "make that group the user's"});
    }
  }
  if (auto* dynamic = checker.last("misc_dynamic")) {
    report.add(*dynamic, {Level::lost,
                          "a program's exit status changes no weight: 2 means drain, "
                          "3 and above that the program is broken",
                          "a check of type agent, and `agent_weight: true`"});
  }
  if (!command) {
    report.add(path == nullptr ? checker.block() : *path,
               {Level::lost,
                "no absolute path with arguments of printable characters; this check "
                "is left out",
                "a check of type exec"});
    return std::nullopt;
  }
  report.add(checker.block(), {Level::changed,
                               "exit status 1 is down, 2 drain, and others say that the program is "
                               "broken; it runs without l4ward's privileges",
                               "see that it exits with 1 if the server is down"});
  probe.command = *command;
  return probe;
}

}  // namespace l4ward::keepalived
