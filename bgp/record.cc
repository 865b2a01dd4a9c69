#include "bgp/record.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "bgp/route_json.h"

namespace l4ward::bgp {
namespace {

using Json = nlohmann::json;

constexpr int kRecordVersion = 1;

Status readRoutes(const Json& json, const char* key, RouteSet& into) {
  const auto found = json.find(key);
  if (found == json.end()) return fail(std::string("record: no \"") + key + "\"");
  auto routes = routesFromJson(*found);
  if (!routes) return tl::unexpected(routes.error());
  into = std::move(*routes);
  return {};
}

Status readTimes(const Json& json, RelayRecord& record) {
  const auto hold = json.find("hold_ms");
  const auto heard = json.find("heard_ms");
  if (hold == json.end() || !hold->is_number_integer() || heard == json.end() ||
      !heard->is_number_integer()) {
    return fail("record: no times");
  }
  record.hold = Millis(hold->get<std::int64_t>());
  record.heard = TimePoint(std::chrono::duration_cast<Clock::duration>(
      Millis(heard->get<std::int64_t>() % (std::int64_t{1} << 42))));
  return {};
}

}  // namespace

std::string encodeRecord(const RelayRecord& record) {
  const auto heard = std::chrono::duration_cast<Millis>(record.heard.time_since_epoch());
  Json json = {{"version", kRecordVersion},
               {"instance", record.instance},
               {"hold_ms", record.hold.count()},
               {"heard_ms", heard.count()},
               {"doubtful", toJson(record.doubtful)}};
  if (record.wanted) json["wanted"] = toJson(*record.wanted);
  // Mostly they are the same, and of thousands of routes one list is enough.
  json["standing"] = record.standing == record.wanted ? Json("wanted") : toJson(record.standing);
  return json.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

Result<RelayRecord> decodeRecord(std::string_view bytes) {
  const Json json = Json::parse(bytes, nullptr, false);
  if (!json.is_object()) return fail("record: not a JSON object");
  const auto version = json.find("version");
  if (version == json.end() || *version != kRecordVersion) return fail("record: unknown version");
  const auto instance = json.find("instance");
  if (instance == json.end() || !instance->is_string()) return fail("record: no instance");
  RelayRecord record;
  record.instance = instance->get<std::string>();
  Status read = readTimes(json, record);
  if (read) read = readRoutes(json, "doubtful", record.doubtful);
  if (read && json.contains("wanted")) read = readRoutes(json, "wanted", record.wanted.emplace());
  const auto standing = json.find("standing");
  if (read && record.wanted && standing != json.end() && *standing == "wanted") {
    record.standing = *record.wanted;
  } else if (read) {
    read = readRoutes(json, "standing", record.standing);
  }
  if (!read) return tl::unexpected(read.error());
  return record;
}

}  // namespace l4ward::bgp
