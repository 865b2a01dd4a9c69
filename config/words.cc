#include "config/words.h"

#include <algorithm>
#include <charconv>

#include "base/ip.h"

namespace l4ward::config {
namespace {

bool isAlnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// `text` has 1 to `max` bytes, all of them letters, digits or of `others`.
bool consistsOf(std::string_view text, std::size_t max, std::string_view others) {
  return !text.empty() && text.size() <= max && std::all_of(text.begin(), text.end(), [&](char c) {
    return isAlnum(c) || others.find(c) != others.npos;
  });
}

// `text` has 1 to `max` bytes of printable ASCII, no blanks and none of `without`.
bool isPrintable(std::string_view text, std::size_t max, std::string_view without) {
  return !text.empty() && text.size() <= max && std::all_of(text.begin(), text.end(), [&](char c) {
    return c > 0x20 && c < 0x7f && without.find(c) == without.npos;
  });
}

}  // namespace

std::optional<std::uint32_t> parsePlainNumber(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool leadingZero = text.size() > 1 && text[0] == '0';
  if (ec != std::errc() || end != text.data() + text.size() || leadingZero) return std::nullopt;
  return value;
}

bool isName(std::string_view text) {
  return consistsOf(text, 64, "._-");
}

bool isInterfaceName(std::string_view text) {
  return isPrintable(text, 15, "/:") && text != "." && text != "..";
}

bool isHost(std::string_view text) {
  return consistsOf(text, 255, "._:[]-");
}

bool isHttpPath(std::string_view text) {
  return text.starts_with('/') && isPrintable(text, 1024, "#");
}

bool isHttpMethod(std::string_view text) {
  return !text.empty() && text.size() <= 32 && text != "CONNECT" &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool isHeaderValue(std::string_view text) {
  if (text.empty()) return true;
  return text.size() <= 1024 && text.front() != ' ' && text.back() != ' ' &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

bool isDomainName(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.size() > 253) return false;
  for (;;) {
    const auto dot = text.find('.');
    if (!consistsOf(text.substr(0, dot), 63, "_-")) return false;
    if (dot == text.npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool isServerName(std::string_view text) {
  return IpAddress::parse(text).has_value() || (isDomainName(text) && !text.ends_with('.'));
}

bool isAlpn(std::string_view text) {
  return isPrintable(text, 255, "");
}

bool isGrpcService(std::string_view text) {
  return isPrintable(text, 255, "");
}

bool isUserName(std::string_view text) {
  return consistsOf(text, 32, "._-") && text.front() != '-';
}

bool isArgument(std::string_view text) {
  return text.find('\0') == text.npos;
}

bool isFile(std::string_view text) {
  return isPrintable(text, 1024, "\"'`\\");
}

bool isAbsoluteFile(std::string_view text) {
  return text.starts_with('/') && isFile(text);
}

bool isSysctlKey(std::string_view text) {
  const auto isPart = [](std::string_view part) { return consistsOf(part, 64, "_-"); };
  if (text.starts_with("net.ipv4.vs.")) return isPart(text.substr(12));
  if (!text.starts_with("net.ipv4.conf.") && !text.starts_with("net.ipv6.conf.")) return false;
  text.remove_prefix(14);
  const auto dot = text.find('.');
  return dot != text.npos && isPart(text.substr(0, dot)) && isPart(text.substr(dot + 1));
}

bool isSysctlValue(std::string_view text) {
  return consistsOf(text, 64, " ,-") && text.front() != ' ' && text.back() != ' ';
}

std::optional<std::string> unescape(std::string_view text) {
  static constexpr std::string_view kLetters = "rnt\\";
  static constexpr std::string_view kBytes = "\r\n\t\\";
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      bytes += text[i];
      continue;
    }
    if (++i == text.size()) return std::nullopt;
    if (const auto letter = kLetters.find(text[i]); letter != kLetters.npos) {
      bytes += kBytes[letter];
      continue;
    }
    const auto digits = text.substr(i).substr(0, 3).substr(1);
    std::uint8_t byte = 0;
    const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (text[i] != 'x' || digits.size() < 2 || ec != std::errc() || end != digits.data() + 2) {
      return std::nullopt;
    }
    bytes += static_cast<char>(byte);
    i += 2;
  }
  return bytes;
}

}  // namespace l4ward::config
