#include "bgp/exabgp_record.h"

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/hash.h"

namespace l4ward::bgp {
namespace {

using Json = nlohmann::json;

}  // namespace

std::string configFingerprint(std::string_view configText) {
  return std::to_string(fnv1a(configText));
}

std::optional<ExabgpRecord> readExabgpRecord(const std::string& path) {
  const auto bytes = readFile(path, 4096);
  if (!bytes) return std::nullopt;
  const Json json = Json::parse(*bytes, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto number = [&json](const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
  };
  const auto config = json.find("config");
  if (config == json.end() || !config->is_string()) return std::nullopt;
  const auto pid = number("pid");
  if (pid == 0 || pid > 0x7fffffff || number("start_time") == 0) return std::nullopt;
  return ExabgpRecord{{static_cast<pid_t>(pid), number("start_time")}, config->get<std::string>()};
}

std::optional<ExabgpRecord> findExabgp(const std::string& recordPath) {
  auto record = readExabgpRecord(recordPath);
  if (!record) return std::nullopt;
  const auto now = processId(record->id.pid);
  if (!now || *now != record->id) return std::nullopt;
  return record;
}

Status writeExabgpRecord(const std::string& path, const ExabgpRecord& record) {
  const Json json = {
      {"pid", record.id.pid}, {"start_time", record.id.startTime}, {"config", record.config}};
  return replaceFile(path, json.dump() + "\n", 0640);
}

}  // namespace l4ward::bgp
