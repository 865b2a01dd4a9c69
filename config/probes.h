// What each type of check has of its own.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/reader.h"
#include "config/site.h"

namespace l4ward::config {

// In the order of checkTypes().
enum class CheckType { tcp, http, https, dns, udp, icmp, grpc, exec, file, agent };

const std::vector<std::string>& checkTypes();

// The keys that not every type has.
std::vector<std::string> keysOfProbes();
// Reports the keys of `record` that do not belong to this type, and forgets them.
void dropForeignKeys(Record& record, CheckType type);

// Reads what belongs to the type: how, port, tls, viaTunnel, fullSize and source.
void readProbe(const Record& record, CheckType type, Check& check);

// For readProbe, of the keys of a check or of one of their values. What is wrong is reported and
// left at its default.
healthcheck::HttpProbe readHttp(const Record& record);
healthcheck::DnsProbe readDns(const Record& record);
healthcheck::Tls readTls(const Value& value);  // a map, or `true` for the defaults
// A text that must stand in an answer, or a map with `text` or `pattern`.
std::optional<healthcheck::Expectation> readExpectation(const Value& value);
std::string readHost(const Value& value);
std::string readAbsoluteFile(const Value& value);

// Of a text to send, and of one that is looked for.
inline constexpr std::size_t kMaxProbeText = 1024;

}  // namespace l4ward::config
