#include <utility>

#include "config/diagnostics.h"
#include "control/json_text.h"
#include "control/request.h"

namespace l4ward::control {
namespace {

using Json = nlohmann::json;
using config::inQuotes;

std::string textOf(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

bool isOurs(const Json& json) {
  const auto version = json.find("version");
  return version != json.end() && version->is_number() && *version == kProtocolVersion;
}

tl::unexpected<Refusal> badReply(std::string message) {
  return tl::unexpected(Refusal{"bad-reply", std::move(message), ""});
}

}  // namespace

std::string encodeResult(std::string_view json) {
  std::string text =
      "{\"version\":" + std::to_string(kProtocolVersion) + ",\"ok\":true,\"result\":";
  text += json;
  return text += '}';
}

std::string encode(const Reply& reply) {
  if (reply) return encodeResult(dump(*reply));
  return dump({{"version", kProtocolVersion},
               {"ok", false},
               {"error",
                {{"code", reply.error().code},
                 {"message", reply.error().message},
                 {"next", reply.error().next}}}});
}

Reply parseReply(std::string_view line) {
  auto json = parseJson(line);
  if (!json || !json->is_object()) return badReply("not a JSON object: " + inQuotes(line));
  if (!isOurs(*json)) {
    return badReply("the agent speaks another version of the protocol than " +
                    std::to_string(kProtocolVersion));
  }
  const auto ok = json->find("ok");
  if (ok == json->end() || !ok->is_boolean()) return badReply("'ok' is missing");
  if (ok->get<bool>()) {
    const auto result = json->find("result");
    if (result == json->end()) return badReply("'result' is missing");
    return std::move(*result);
  }
  const auto error = json->find("error");
  if (error == json->end() || !error->is_object() || textOf(*error, "code").empty()) {
    return badReply("'error' is missing");
  }
  return tl::unexpected(
      Refusal{textOf(*error, "code"), textOf(*error, "message"), textOf(*error, "next")});
}

}  // namespace l4ward::control
