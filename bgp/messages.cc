#include "bgp/messages.h"

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "base/version.h"
#include "bgp/route_json.h"

namespace l4ward::bgp {
namespace {

using Json = nlohmann::json;

std::string line(const Json& message) {
  return message.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

struct Encoder {
  Json operator()(const Hello& hello) const {
    return {{"type", "hello"},
            {"version", kProtocolVersion},
            {"instance", hello.instance},
            {"standing", toJson(hello.standing)},
            {"record_lost", hello.recordLost},
            {"program", hello.program}};
  }
  Json operator()(const Synced& synced) const {
    return {{"type", "synced"}, {"generation", synced.generation}};
  }
  Json operator()(const SessionEvent& event) const {
    return {{"type", "session"},
            {"neighbor", event.neighbor.str()},
            {"state", event.state},
            {"reason", event.reason}};
  }
  Json operator()(const RelayError& error) const {
    return {{"type", "error"}, {"what", error.what}};
  }
  Json operator()(const Stuck& stuck) const { return {{"type", "stuck"}, {"what", stuck.what}}; }
  Json operator()(const Pong&) const { return {{"type", "pong"}}; }
  Json operator()(const Routes& routes) const {
    return {{"type", "routes"},
            {"version", kProtocolVersion},
            {"generation", routes.generation},
            {"hold_ms", routes.hold.count()},
            {"routes", toJson(routes.wanted)}};
  }
  Json operator()(const Alive&) const { return {{"type", "alive"}}; }
  Json operator()(const End&) const { return {{"type", "end"}}; }
};

std::string text(const Json& message, const char* key) {
  const auto found = message.find(key);
  return found != message.end() && found->is_string() ? found->get<std::string>() : "";
}

Result<std::uint64_t> number(const Json& message, const char* key) {
  const auto found = message.find(key);
  if (found == message.end() || !found->is_number_unsigned()) {
    return fail(std::string("message: \"") + key + "\" is missing or not a whole number");
  }
  return found->get<std::uint64_t>();
}

Result<Json> parse(std::string_view bytes) {
  if (bytes.size() > kMaxMessage) return fail("message: longer than 4 MiB");
  Json message = Json::parse(bytes, nullptr, false);
  if (!message.is_object()) return fail("message: not a JSON object");
  return message;
}

Status checkVersion(const Json& message) {
  const auto version = number(message, "version");
  if (!version) return tl::unexpected(version.error());
  if (*version == kProtocolVersion) return {};
  return fail("message: protocol version " + std::to_string(*version) + ", not " +
                  std::to_string(kProtocolVersion),
              EPROTO);
}

Result<RouteSet> routesAt(const Json& message, const char* key) {
  const auto found = message.find(key);
  if (found == message.end()) return fail(std::string("message: no \"") + key + "\"");
  return routesFromJson(*found);
}

Result<RelayMessage> hello(const Json& message) {
  if (const Status known = checkVersion(message); !known) return tl::unexpected(known.error());
  auto standing = routesAt(message, "standing");
  if (!standing) return tl::unexpected(standing.error());
  const auto lost = message.find("record_lost");
  return Hello{text(message, "instance"), std::move(*standing),
               lost != message.end() && lost->is_boolean() && lost->get<bool>(),
               text(message, "program")};
}

Result<RelayMessage> session(const Json& message) {
  const auto neighbor = IpAddress::parse(text(message, "neighbor"));
  if (!neighbor) return tl::unexpected(neighbor.error());
  return SessionEvent{*neighbor, text(message, "state"), text(message, "reason")};
}

Result<AgentMessage> routes(const Json& message) {
  if (const Status known = checkVersion(message); !known) return tl::unexpected(known.error());
  const auto generation = number(message, "generation");
  if (!generation) return tl::unexpected(generation.error());
  const auto hold = number(message, "hold_ms");
  if (!hold) return tl::unexpected(hold.error());
  auto wanted = routesAt(message, "routes");
  if (!wanted) return tl::unexpected(wanted.error());
  const auto most = static_cast<std::uint64_t>(kMaxHold.count());
  const Millis bounded{static_cast<Millis::rep>(std::min(*hold, most))};
  return Routes{*generation, std::max(bounded, kMinHold), std::move(*wanted)};
}

}  // namespace

std::string programVersion() {
  return kVersion;
}

std::string encode(const RelayMessage& message) {
  return line(std::visit(Encoder{}, message));
}

std::string encode(const AgentMessage& message) {
  return line(std::visit(Encoder{}, message));
}

Result<RelayMessage> decodeRelayMessage(std::string_view bytes) {
  const auto message = parse(bytes);
  if (!message) return tl::unexpected(message.error());
  const std::string type = text(*message, "type");
  if (type == "hello") return hello(*message);
  if (type == "session") return session(*message);
  if (type == "error") return RelayError{text(*message, "what")};
  if (type == "stuck") return Stuck{text(*message, "what")};
  if (type == "pong") return Pong{};
  if (type != "synced") return fail("message: unknown type \"" + type + "\" from the relay");
  const auto generation = number(*message, "generation");
  if (!generation) return tl::unexpected(generation.error());
  return Synced{*generation};
}

Result<AgentMessage> decodeAgentMessage(std::string_view bytes) {
  const auto message = parse(bytes);
  if (!message) return tl::unexpected(message.error());
  const std::string type = text(*message, "type");
  if (type == "alive") return Alive{};
  if (type == "end") return End{};
  if (type == "routes") return routes(*message);
  return fail("message: unknown type \"" + type + "\" from the agent");
}

}  // namespace l4ward::bgp
