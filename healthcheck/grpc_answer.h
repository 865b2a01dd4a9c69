// What a server answered to a call of grpc.health.v1.Health/Check, and what that means. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "healthcheck/judgement.h"

namespace l4ward::healthcheck {

// The longest message taken; a HealthCheckResponse has two bytes.
inline constexpr std::size_t maxGrpcMessageBytes = std::size_t{4} * 1024;

struct GrpcAnswer {
  unsigned httpStatus = 0;
  std::optional<std::string> contentType;
  std::optional<std::string> status;  // grpc-status, of headers or trailers
  std::string statusText;             // grpc-message, as received
  std::string stream;                 // messages in their frames

  // One field of the headers or trailers, or the pseudo-header ":status".
  void addField(std::string_view name, std::string_view value);
};

// When the headers are complete: the judgement if no gRPC can follow.
std::optional<Judgement> judgeGrpcHeaders(const GrpcAnswer& answer);
// When all is there, for the service that was asked about.
Judgement judgeGrpcAnswer(const GrpcAnswer& answer, std::string_view service);

}  // namespace l4ward::healthcheck
