// DNS probes: one query, by a datagram or over a stream.
#include <algorithm>
#include <random>

#include "healthcheck/dns_message.h"
#include "healthcheck/protocol.h"

namespace l4ward::healthcheck {
namespace {

constexpr std::size_t maxListedRecords = 4;
constexpr std::size_t maxListedBytes = 64;  // of each

bool isAddress(DnsType type) {
  return type == DnsType::a || type == DnsType::aaaa;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// What makes two texts of a record equal: names are compared without case and the dot at their end.
std::string comparable(std::string_view text, DnsType type) {
  if (type == DnsType::txt) return std::string(text);
  std::string result;
  while (!text.empty()) {
    auto word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (word.empty()) continue;
    if (word.size() > 1 && word.ends_with('.')) word.remove_suffix(1);
    if (!result.empty()) result += ' ';
    std::ranges::transform(word, std::back_inserter(result), lower);
  }
  return result;
}

// Addresses have many texts, of which answers only have the shortest.
Result<std::string> expected(const std::string& text, DnsType type) {
  if (!isAddress(type)) return text;
  const auto address = IpAddress::parse(text);
  if (!address || address->isV4() != (type == DnsType::a)) {
    return fail("'" + text + "' is not the text of a record of type " +
                std::string(toString(type)));
  }
  return address->str();
}

// One line, bounded, whatever a server sends.
std::string listed(std::string_view record, DnsType type) {
  std::string text;
  for (const char c : record.substr(0, maxListedBytes)) text += c >= ' ' && c < 0x7f ? c : '?';
  if (record.size() > maxListedBytes) text += "...";
  return type == DnsType::txt ? "'" + text + "'" : text;
}

std::string list(const std::vector<std::string>& records, DnsType type) {
  std::string text;
  for (std::size_t i = 0; i < std::min(records.size(), maxListedRecords); ++i) {
    if (i != 0) text += ", ";
    text += listed(records[i], type);
  }
  if (records.size() > maxListedRecords) {
    text += " and " + std::to_string(records.size() - maxListedRecords) + " more";
  }
  return text;
}

Judgement missing(const DnsAnswer& answer, const std::string& text, bool overTcp) {
  if (answer.truncated && !overTcp) {
    return failed(FailureKind::badResponse, "answer truncated: use tcp");
  }
  return failed(FailureKind::mismatch, text);
}

Judgement judgeAnswer(const DnsAnswer& answer, const DnsProbe& probe) {
  if (answer.responseCode != 0) {
    return failed(FailureKind::badResponse, dnsResponseCodeName(answer.responseCode));
  }
  if (answer.records.empty()) {
    return missing(answer, "no " + std::string(toString(probe.type)) + " record", probe.overTcp);
  }
  for (const auto& wanted : probe.answers) {
    const auto isWanted = [&, text = comparable(wanted, probe.type)](const auto& record) {
      return comparable(record, probe.type) == text;
    };
    if (std::ranges::any_of(answer.records, isWanted)) continue;
    return missing(
        answer, "no " + listed(wanted, probe.type) + " among " + list(answer.records, probe.type),
        probe.overTcp);
  }
  return passed(list(answer.records, probe.type));
}

class DnsDialog : public Dialog {
 public:
  DnsDialog(const DnsProbe& probe, std::string query) : probe_(probe), query_(std::move(query)) {
    if (probe.overTcp)
      opening_ = {static_cast<char>(query_.size() >> 8), static_cast<char>(query_.size() & 0xff)};
    opening_ += query_;
  }

  std::string_view opening() override { return opening_; }

  std::optional<Judgement> receive(std::string_view bytes) override {
    received_ += bytes.size();
    return probe_.overTcp ? receivePiece(bytes) : receiveDatagram(bytes);
  }

  Judgement end() override {
    if (received_ == 0) return failed(FailureKind::closed, "closed without an answer");
    return failed(FailureKind::closed,
                  "closed after " + std::to_string(received_) + " bytes of an incomplete answer");
  }

  std::size_t received() const override { return received_; }

 private:
  // What does not answer the query may be forged; the true answer may still come.
  std::optional<Judgement> receiveDatagram(std::string_view datagram) const {
    const auto answer = parseDnsAnswer(datagram, query_);
    if (!answer && answer.error() == DnsUnusable::notTheAnswer) return std::nullopt;
    return judge(answer);
  }

  // RFC 1035, 4.2.2: two bytes of length before the message.
  std::optional<Judgement> receivePiece(std::string_view bytes) {
    answer_.append(bytes.substr(0, 2 + maxDnsMessageBytes - answer_.size()));
    if (answer_.size() < 2) return std::nullopt;
    const std::size_t size = static_cast<std::size_t>(static_cast<std::uint8_t>(answer_[0])) << 8 |
                             static_cast<std::uint8_t>(answer_[1]);
    if (answer_.size() < 2 + size) return std::nullopt;
    return judge(parseDnsAnswer(std::string_view(answer_).substr(2, size), query_));
  }

  Judgement judge(const tl::expected<DnsAnswer, DnsUnusable>& answer) const {
    if (answer) return judgeAnswer(*answer, probe_);
    return failed(FailureKind::badResponse, answer.error() == DnsUnusable::malformed
                                                ? "malformed DNS answer"
                                                : "not an answer to the DNS query");
  }

  const DnsProbe& probe_;
  std::string query_;
  std::string opening_;
  std::string answer_;  // of a stream: the length and what has come of the message
  std::size_t received_ = 0;
};

class DnsProtocol : public Protocol {
 public:
  explicit DnsProtocol(DnsProbe probe) : probe_(std::move(probe)) {}

  // The id must not be foreseeable: it is what tells answers from forged ones.
  std::unique_ptr<Dialog> begin() const override {
    const auto id = static_cast<std::uint16_t>(std::random_device()());
    return std::make_unique<DnsDialog>(probe_,
                                       encodeDnsQuery(id, probe_.name, probe_.type).value());
  }

 private:
  DnsProbe probe_;
};

}  // namespace

Result<std::unique_ptr<Protocol>> dnsProtocol(const DnsProbe& probe) {
  if (const auto query = encodeDnsQuery(0, probe.name, probe.type); !query) {
    return tl::unexpected(query.error());
  }
  DnsProbe prepared = probe;
  for (auto& answer : prepared.answers) {
    auto text = expected(answer, probe.type);
    if (!text) return tl::unexpected(text.error());
    answer = std::move(*text);
  }
  return std::make_unique<DnsProtocol>(std::move(prepared));
}

}  // namespace l4ward::healthcheck
