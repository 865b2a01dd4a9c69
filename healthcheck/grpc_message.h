// The two messages of grpc.health.v1.Health/Check, and gRPC's framing of them. Pure.
// https://github.com/grpc/grpc/blob/master/doc/health-checking.md
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
// https://protobuf.dev/programming-guides/encoding/
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace l4ward::healthcheck {

// HealthCheckRequest with this service, in a frame.
std::string encodeHealthRequest(std::string_view service);

// HealthCheckResponse.ServingStatus; any number may come.
enum class ServingStatus : std::int32_t {
  unknown = 0,
  serving = 1,
  notServing = 2,
  serviceUnknown = 3
};

// All that a stream carried: one frame, not compressed. An error says what is wrong with it.
Result<ServingStatus> decodeHealthResponse(std::string_view stream);

// "UNAVAILABLE" for 14; "code 99" for a number that gRPC does not know.
std::string grpcStatusName(unsigned code);

// The text of a grpc-message, whose bytes outside printable ASCII are percent-encoded. What is no
// such encoding stays as it is.
std::string decodeGrpcText(std::string_view text);

}  // namespace l4ward::healthcheck
