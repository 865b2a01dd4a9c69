#include "healthcheck/grpc_message.h"

#include <array>
#include <charconv>
#include <optional>

namespace l4ward::healthcheck {
namespace {

constexpr std::size_t framePrefix = 5;  // compressed or not, length in network order

enum WireType : unsigned { varint = 0, fixed64 = 1, lengthDelimited = 2, fixed32 = 5 };

void appendVarint(std::string& to, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) to += static_cast<char>(0x80 | (value & 0x7f));
  to += static_cast<char>(value);
}

// Taken away from `from`; nothing if it is cut short or longer than ten bytes.
std::optional<std::uint64_t> takeVarint(std::string_view& from) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < from.size() && i < 10; ++i) {
    const auto byte = static_cast<unsigned char>(from[i]);
    value |= std::uint64_t{byte & 0x7fU} << (7 * i);
    if (byte < 0x80) {
      from.remove_prefix(i + 1);
      return value;
    }
  }
  return std::nullopt;
}

bool skip(std::string_view& from, std::uint64_t length) {
  if (length > from.size()) return false;
  from.remove_prefix(static_cast<std::size_t>(length));
  return true;
}

// False for the wire types of groups, too, which proto3 does not have.
bool skipField(std::string_view& from, unsigned wireType) {
  switch (wireType) {
    case varint:
      return takeVarint(from).has_value();
    case fixed64:
      return skip(from, 8);
    case lengthDelimited: {
      const auto length = takeVarint(from);
      return length && skip(from, *length);
    }
    case fixed32:
      return skip(from, 4);
    default:
      return false;
  }
}

// Field 1 as an enum; other fields, and a field 1 of another type, are skipped.
std::optional<ServingStatus> parseResponse(std::string_view message) {
  std::uint64_t status = 0;
  while (!message.empty()) {
    const auto tag = takeVarint(message);
    if (!tag || *tag >> 3 == 0) return std::nullopt;
    const auto wireType = static_cast<unsigned>(*tag & 7);
    if (*tag >> 3 != 1 || wireType != varint) {
      if (!skipField(message, wireType)) return std::nullopt;
      continue;
    }
    const auto value = takeVarint(message);
    if (!value) return std::nullopt;
    status = *value;
  }
  // An enum has 32 bits; a parser cuts off the rest.
  return static_cast<ServingStatus>(static_cast<std::int32_t>(static_cast<std::uint32_t>(status)));
}

}  // namespace

std::string encodeHealthRequest(std::string_view service) {
  std::string message;
  if (!service.empty()) {
    appendVarint(message, 1U << 3 | lengthDelimited);
    appendVarint(message, service.size());
    message += service;
  }
  std::string frame(1, '\0');
  for (const int shift : {24, 16, 8, 0}) frame += static_cast<char>(message.size() >> shift);
  return frame + message;
}

Result<ServingStatus> decodeHealthResponse(std::string_view stream) {
  if (stream.empty()) return fail("no message in the answer");
  if (stream.size() < framePrefix) return fail("the message is cut short");
  if (stream[0] != 0) return fail("the message is compressed, which nobody asked for");
  std::uint64_t length = 0;
  for (std::size_t i = 1; i < framePrefix; ++i) {
    length = length << 8 | static_cast<unsigned char>(stream[i]);
  }
  stream.remove_prefix(framePrefix);
  if (stream.size() < length) return fail("the message is cut short");
  if (stream.size() > length) return fail("more than one message in the answer");
  const auto status = parseResponse(stream);
  if (!status) return fail("the message is no HealthCheckResponse");
  return *status;
}

std::string grpcStatusName(unsigned code) {
  static constexpr std::array<std::string_view, 17> names = {"OK",
                                                             "CANCELLED",
                                                             "UNKNOWN",
                                                             "INVALID_ARGUMENT",
                                                             "DEADLINE_EXCEEDED",
                                                             "NOT_FOUND",
                                                             "ALREADY_EXISTS",
                                                             "PERMISSION_DENIED",
                                                             "RESOURCE_EXHAUSTED",
                                                             "FAILED_PRECONDITION",
                                                             "ABORTED",
                                                             "OUT_OF_RANGE",
                                                             "UNIMPLEMENTED",
                                                             "INTERNAL",
                                                             "UNAVAILABLE",
                                                             "DATA_LOSS",
                                                             "UNAUTHENTICATED"};
  if (code < names.size()) return std::string(names[code]);
  return "code " + std::to_string(code);
}

std::string decodeGrpcText(std::string_view text) {
  std::string decoded;
  while (!text.empty()) {
    unsigned char byte = 0;
    const char* const digits = text.data() + 1;
    if (text[0] == '%' && text.size() >= 3 &&
        std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      decoded += static_cast<char>(byte);
      text.remove_prefix(3);
    } else {
      decoded += text[0];
      text.remove_prefix(1);
    }
  }
  return decoded;
}

}  // namespace l4ward::healthcheck
