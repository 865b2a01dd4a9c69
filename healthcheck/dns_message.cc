#include "healthcheck/dns_message.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <span>

namespace l4ward::healthcheck {
namespace {

constexpr std::size_t headerBytes = 12;
constexpr std::size_t maxNameBytes = 255;
constexpr std::size_t maxLabelBytes = 63;
constexpr unsigned maxPointers = 127;  // a name has no more labels than that
constexpr unsigned classIn = 1;

constexpr unsigned flagResponse = 0x8000;
constexpr unsigned flagTruncated = 0x0200;
constexpr unsigned flagRecursionDesired = 0x0100;

void append16(std::string& out, unsigned value) {
  out += static_cast<char>(value >> 8 & 0xff);
  out += static_cast<char>(value & 0xff);
}

// Numbers and names at a position of a message. What lies beyond the end is nothing.
class Reader {
 public:
  Reader(std::string_view message, std::size_t at) : message_(message), at_(at) {}

  std::size_t at() const { return at_; }
  std::size_t left() const { return message_.size() - at_; }

  std::optional<std::string_view> bytes(std::size_t count) {
    if (count > left()) return std::nullopt;
    at_ += count;
    return message_.substr(at_ - count, count);
  }

  template <typename Number>
  std::optional<Number> number() {
    const auto raw = bytes(sizeof(Number));
    if (!raw) return std::nullopt;
    Number value = 0;
    for (const char c : *raw)
      value = static_cast<Number>(value << 8 | static_cast<std::uint8_t>(c));
    return value;
  }
  std::optional<std::uint8_t> u8() { return number<std::uint8_t>(); }
  std::optional<std::uint16_t> u16() { return number<std::uint16_t>(); }
  std::optional<std::uint32_t> u32() { return number<std::uint32_t>(); }

  std::optional<std::string> name();
  bool skipName();

 private:
  std::string_view message_;
  std::size_t at_;  // <= message_.size()
};

void appendLabel(std::string& text, std::string_view label) {
  for (const char c : label) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (c == '.' || c == '\\') {
      text.append({'\\', c});
    } else if (byte > ' ' && byte < 0x7f) {
      text += c;
    } else {
      char escaped[5];
      std::snprintf(escaped, sizeof escaped, "\\%03u", static_cast<unsigned>(byte));
      text += escaped;
    }
  }
}

// A pointer leads to before the piece of the name that it ends, so that no name goes in circles.
std::optional<std::string> Reader::name() {
  std::string text;
  std::size_t size = 1;
  std::size_t pieceStart = at_;
  std::optional<std::size_t> end;  // of what stands here
  for (unsigned pointers = 0; pointers <= maxPointers;) {
    const auto length = u8();
    if (!length) return std::nullopt;
    if (*length == 0) {
      at_ = end.value_or(at_);
      return text.empty() ? "." : text;
    }
    if ((*length & 0xc0) == 0xc0) {
      const auto low = u8();
      if (!low) return std::nullopt;
      const std::size_t target = (*length & 0x3fU) << 8 | *low;
      if (target >= pieceStart || target < headerBytes) return std::nullopt;
      if (!end) end = at_;
      at_ = pieceStart = target;
      ++pointers;
      continue;
    }
    const auto label = *length <= maxLabelBytes ? bytes(*length) : std::nullopt;
    size += *length + std::size_t{1};
    if (!label || size > maxNameBytes) return std::nullopt;
    if (!text.empty()) text += '.';
    appendLabel(text, *label);
  }
  return std::nullopt;
}

bool Reader::skipName() {
  while (const auto length = u8()) {
    if (*length == 0) return true;
    if ((*length & 0xc0) == 0xc0) return u8().has_value();
    if (*length > maxLabelBytes || !bytes(*length)) return false;
  }
  return false;
}

// The next `count` numbers, each followed by a blank.
template <typename Number>
std::optional<std::string> numbers(Reader& reader, unsigned count) {
  std::string text;
  for (unsigned i = 0; i < count; ++i) {
    const auto value = reader.number<Number>();
    if (!value) return std::nullopt;
    text += std::to_string(*value) + " ";
  }
  return text;
}

std::optional<std::string> numbersAndName(Reader& reader, unsigned count) {
  auto text = numbers<std::uint16_t>(reader, count);
  const auto name = reader.name();
  if (!text || !name) return std::nullopt;
  return *text + *name;
}

std::optional<std::string> address(Reader& reader, std::size_t size) {
  const auto raw = reader.bytes(size);
  if (!raw) return std::nullopt;
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(raw->data()), raw->size());
  return IpAddress::fromBytes(bytes).value().str();
}

std::optional<std::string> startOfAuthority(Reader& reader) {
  const auto server = reader.name();
  const auto mailbox = server ? reader.name() : std::nullopt;
  auto timers = mailbox ? numbers<std::uint32_t>(reader, 5) : std::nullopt;
  if (!timers) return std::nullopt;
  timers->pop_back();
  return *server + " " + *mailbox + " " + *timers;
}

std::optional<std::string> joinedText(Reader& reader) {
  std::string text;
  while (reader.left() != 0) {
    const auto part = reader.bytes(reader.u8().value_or(0));
    if (!part) return std::nullopt;
    text += *part;
  }
  return text;
}

std::optional<std::string> recordText(Reader& reader, DnsType type) {
  switch (type) {
    case DnsType::a:
      return address(reader, 4);
    case DnsType::aaaa:
      return address(reader, 16);
    case DnsType::ns:
    case DnsType::cname:
    case DnsType::ptr:
      return reader.name();
    case DnsType::mx:
      return numbersAndName(reader, 1);
    case DnsType::srv:
      return numbersAndName(reader, 3);
    case DnsType::soa:
      return startOfAuthority(reader);
    case DnsType::txt:
      return joinedText(reader);
  }
  return std::nullopt;
}

// False when it does not have the form of a record. Appends its text if it was asked for.
bool readRecord(Reader& reader, std::string_view message, DnsType wanted,
                std::vector<std::string>& records) {
  if (!reader.skipName()) return false;
  const auto type = reader.u16();
  const auto recordClass = reader.u16();
  const auto timeToLive = reader.u32();
  const auto length = reader.u16();
  if (!type || !recordClass || !timeToLive || !length) return false;
  const auto start = reader.at();
  if (!reader.bytes(*length)) return false;
  if (*type != static_cast<std::uint16_t>(wanted) || *recordClass != classIn) return true;
  // Names refer to what stands before; nothing may reach beyond the record.
  Reader data(message.substr(0, reader.at()), start);
  auto text = recordText(data, wanted);
  if (!text || data.left() != 0) return false;
  records.push_back(std::move(*text));
  return true;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// As bytes: a name's lengths are below 'A', and the first name of a message is never compressed.
bool sameQuestion(std::string_view one, std::string_view other) {
  const auto name = [](std::string_view question) {
    return question.substr(0, question.size() - 4);
  };
  return one.size() == other.size() && one.size() > 4 &&
         one.substr(one.size() - 4) == other.substr(other.size() - 4) &&
         std::ranges::equal(name(one), name(other), {}, lower, lower);
}

}  // namespace

std::string_view toString(DnsType type) {
  switch (type) {
    case DnsType::a:
      return "A";
    case DnsType::ns:
      return "NS";
    case DnsType::cname:
      return "CNAME";
    case DnsType::soa:
      return "SOA";
    case DnsType::ptr:
      return "PTR";
    case DnsType::mx:
      return "MX";
    case DnsType::txt:
      return "TXT";
    case DnsType::aaaa:
      return "AAAA";
    case DnsType::srv:
      return "SRV";
  }
  return "?";
}

std::string dnsResponseCodeName(unsigned code) {
  static constexpr std::array names{"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN",
                                    "NOTIMP",  "REFUSED", "YXDOMAIN", "YXRRSET",
                                    "NXRRSET", "NOTAUTH", "NOTZONE"};
  return code < names.size() ? names[code] : "RCODE " + std::to_string(code);
}

Result<std::string> encodeDnsQuery(std::uint16_t id, std::string_view name, DnsType type) {
  std::string query;
  append16(query, id);
  append16(query, flagRecursionDesired);
  for (const unsigned count : {1U, 0U, 0U, 0U}) append16(query, count);
  for (auto rest = name; !name.empty();) {
    const auto label = rest.substr(0, rest.find('.'));
    if (label.empty() || label.size() > maxLabelBytes) {
      return fail("not a domain name: labels have 1 to 63 bytes");
    }
    query += static_cast<char>(label.size());
    query += label;
    if (label.size() == rest.size()) break;
    rest.remove_prefix(label.size() + 1);
  }
  query += '\0';
  if (query.size() > headerBytes + maxNameBytes) {
    return fail("not a domain name: more than 255 bytes");
  }
  append16(query, static_cast<unsigned>(type));
  append16(query, classIn);
  return query;
}

tl::expected<DnsAnswer, DnsUnusable> parseDnsAnswer(std::string_view message,
                                                    std::string_view query) {
  constexpr auto notTheAnswer = tl::unexpected(DnsUnusable::notTheAnswer);
  constexpr auto malformed = tl::unexpected(DnsUnusable::malformed);
  if (message.size() < headerBytes || query.size() < headerBytes + 5) return notTheAnswer;
  Reader reader(message, 0);
  const auto id = *reader.u16();
  const auto flags = *reader.u16();
  const auto questions = *reader.u16();
  const auto answers = *reader.u16();
  if (id != *Reader(query, 0).u16() || (flags & flagResponse) == 0) return notTheAnswer;
  DnsAnswer answer{flags & 0xfU, (flags & flagTruncated) != 0, {}};
  if (questions == 0 && answer.responseCode != 0) return answer;
  const auto question = query.substr(headerBytes);
  if (questions != 1 || !sameQuestion(message.substr(headerBytes, question.size()), question)) {
    return notTheAnswer;
  }
  if (message.size() > maxDnsMessageBytes) return malformed;

  const auto wanted = static_cast<DnsType>(*Reader(query, query.size() - 4).u16());
  Reader records(message, query.size());
  for (unsigned i = 0; i < answers && answer.records.size() < maxDnsRecords; ++i) {
    if (readRecord(records, message, wanted, answer.records)) continue;
    if (answer.truncated) break;
    return malformed;
  }
  return answer;
}

}  // namespace l4ward::healthcheck
