#include "healthcheck/grpc_answer.h"

#include <charconv>
#include <utility>

#include "healthcheck/clean_text.h"
#include "healthcheck/grpc_message.h"

namespace l4ward::healthcheck {
namespace {

constexpr std::size_t maxQuotedBytes = 100;

constexpr unsigned notFound = 5;
constexpr unsigned unimplemented = 12;

std::optional<unsigned> parseNumber(std::string_view text) {
  unsigned number = 0;
  const auto* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

std::string quoted(std::string_view text) {
  return "'" + cleanText(text, maxQuotedBytes) + "'";
}

Judgement bad(std::string reason) {
  return failed(FailureKind::badResponse, std::move(reason));
}

Judgement judgeServing(ServingStatus status) {
  switch (status) {
    case ServingStatus::serving:
      return passed("SERVING");
    case ServingStatus::notServing:
      return failed(FailureKind::reported, "NOT_SERVING");
    case ServingStatus::unknown:
      return failed(FailureKind::reported, "UNKNOWN");
    case ServingStatus::serviceUnknown:
      return failed(FailureKind::reported, "SERVICE_UNKNOWN");
  }
  return bad("serving status " + std::to_string(static_cast<std::int32_t>(status)) +
             " is not known");
}

Judgement judgeError(unsigned code, const GrpcAnswer& answer, std::string_view service) {
  const std::string name = grpcStatusName(code);
  if (code == notFound && service.empty()) {
    return bad("the server has no status for itself as a whole (" + name + ")");
  }
  if (code == notFound) {
    return bad("service " + quoted(service) + " is unknown to the server (" + name + ")");
  }
  if (code == unimplemented) return bad("no health service (" + name + ")");
  const auto text = cleanText(decodeGrpcText(answer.statusText), maxQuotedBytes);
  return bad("gRPC error " + name + (text.empty() ? "" : ": " + text));
}

}  // namespace

void GrpcAnswer::addField(std::string_view name, std::string_view value) {
  if (name == ":status") {
    httpStatus = parseNumber(value).value_or(0);
  } else if (name == "content-type") {
    contentType = value;
  } else if (name == "grpc-status") {
    status = value;
  } else if (name == "grpc-message") {
    statusText = value;
  }
}

std::optional<Judgement> judgeGrpcHeaders(const GrpcAnswer& answer) {
  if (answer.httpStatus / 100 == 1) return std::nullopt;  // the answer proper follows
  if (answer.httpStatus != 200) {
    return failed(FailureKind::badStatus,
                  "HTTP status " + std::to_string(answer.httpStatus) + ", expected 200");
  }
  if (answer.contentType && !answer.contentType->starts_with("application/grpc")) {
    return bad("content-type " + quoted(*answer.contentType) + " is not gRPC");
  }
  return std::nullopt;
}

Judgement judgeGrpcAnswer(const GrpcAnswer& answer, std::string_view service) {
  if (!answer.status) return bad("no grpc-status in the answer");
  const auto code = parseNumber(*answer.status);
  if (!code) return bad("grpc-status " + quoted(*answer.status) + " is not a number");
  if (*code != 0) return judgeError(*code, answer, service);
  const auto serving = decodeHealthResponse(answer.stream);
  if (!serving) return bad(serving.error().message);
  return judgeServing(*serving);
}

}  // namespace l4ward::healthcheck
