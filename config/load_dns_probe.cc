#include <algorithm>
#include <array>
#include <cctype>

#include "config/probes.h"
#include "config/words.h"

namespace l4ward::config {
namespace {

using healthcheck::DnsProbe;
using healthcheck::DnsType;

constexpr std::size_t kMaxAnswers = 16;
constexpr std::size_t kMaxAnswer = 1024;

constexpr std::array kTypes{DnsType::a,   DnsType::aaaa, DnsType::ns,  DnsType::cname, DnsType::soa,
                            DnsType::ptr, DnsType::mx,   DnsType::txt, DnsType::srv};

std::string readName(const Value& value) {
  auto name = value.text([](std::string_view text) { return text == "." || isDomainName(text); },
                         "a domain name: labels of 1 to 63 letters, digits, '-' or '_', together "
                         "at most 253 characters");
  if (name && name->ends_with('.')) name->pop_back();
  return name.value_or("");
}

DnsType readType(const Value& value) {
  static const std::vector<std::string> names{"a",   "aaaa", "ns",  "cname", "soa",
                                              "ptr", "mx",   "txt", "srv"};
  std::string text = value.isScalar() ? value.node().text : "";
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto found = std::find(names.begin(), names.end(), text);
  if (found != names.end()) return kTypes[static_cast<std::size_t>(found - names.begin())];
  return value.choice(names), DnsType::a;  // for the error
}

// Addresses in the text that they have everywhere here, others as they stand.
std::optional<std::string> readAnswer(const Value& value, DnsType type) {
  if (type != DnsType::a && type != DnsType::aaaa) {
    return value.text(
        [](std::string_view text) { return !text.empty() && text.size() <= kMaxAnswer; },
        "a record's text of 1 to 1024 bytes");
  }
  const auto family = type == DnsType::a ? Family::v4 : Family::v6;
  const auto address = IpAddress::parse(value.isScalar() ? value.node().text : "");
  if (address && address->family() == family) return address->str();
  value.error("an " + std::string(toString(family)) + " address");
  return std::nullopt;
}

std::vector<std::string> readAnswers(const Value& value, DnsType type) {
  std::vector<std::string> answers;
  for (const auto& item : value.list({0, kMaxAnswers})) {
    const auto answer = readAnswer(item, type);
    if (!answer) continue;
    if (std::find(answers.begin(), answers.end(), *answer) != answers.end()) {
      item.error(item.describe() + " a second time", "each answer once");
    } else {
      answers.push_back(*answer);
    }
  }
  return answers;
}

}  // namespace

DnsProbe readDns(const Record& record) {
  DnsProbe probe;
  if (const auto name = record.require("name", "the domain name to ask for")) {
    probe.name = readName(*name);
  }
  if (const auto query = record.find("query")) probe.type = readType(*query);
  if (const auto answers = record.find("answers")) {
    probe.answers = readAnswers(*answers, probe.type);
  }
  probe.overTcp = record.choice("transport", {"udp", "tcp"}, 0) == 1;
  return probe;
}

}  // namespace l4ward::config
