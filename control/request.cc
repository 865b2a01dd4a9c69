#include "control/request.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "config/diagnostics.h"
#include "control/json_text.h"

namespace l4ward::control {
namespace {

using Json = nlohmann::json;
using config::didYouMean;
using config::inQuotes;

constexpr std::size_t kBeginning = 64;      // bytes of a line that tell what it asks for
constexpr std::size_t kMaxFileName = 4096;  // PATH_MAX
constexpr double kMinSeconds = 1;
constexpr double kMaxSeconds = 365.0 * 24 * 3600;

tl::unexpected<Refusal> bad(std::string message, std::string next = "") {
  return tl::unexpected(Refusal{"bad-request", std::move(message), std::move(next)});
}

// "the text 'abc'", "12", "a list"
std::string describe(const Json& json) {
  switch (json.type()) {
    case Json::value_t::string:
      return "the text " + inQuotes(json.get_ref<const std::string&>());
    case Json::value_t::array:
      return "a list";
    case Json::value_t::object:
      return "an object";
    default:
      return dump(json);  // null, true, false, a number
  }
}

// The fields of one request. Keeps the first mistake; what is read after it is of no use.
class Fields {
 public:
  Fields(const Json& json, std::span<const char* const> known) : json_(json) {
    for (const auto& item : json.items()) {
      const std::string& name = item.key();
      if (name == "version" || name == "command") continue;
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      mistake("unknown field " + inQuotes(name) + didYouMean(name, {known.begin(), known.end()}));
    }
  }

  bool flag(const char* name) {
    const Json* value = find(name);
    if (value == nullptr) return false;
    if (value->is_boolean()) return value->get<bool>();
    wrong(name, *value, "true or false");
    return false;
  }
  std::uint64_t number(const char* name) {
    const Json* value = find(name);
    if (value == nullptr) return 0;
    if (value->is_number_unsigned()) return value->get<std::uint64_t>();
    wrong(name, *value, "a whole number, 0 or more");
    return 0;
  }
  std::optional<double> seconds(const char* name) {
    const Json* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (value->is_number()) {
      const auto number = value->get<double>();
      if (number >= kMinSeconds && number <= kMaxSeconds) return number;
    }
    wrong(name, *value, "seconds, 1 to 31536000 (365 days)");
    return std::nullopt;
  }
  std::string text(const char* name, std::size_t limit, const std::string& fallback = "") {
    const Json* value = find(name);
    if (value == nullptr) return fallback;
    if (!value->is_string()) {
      wrong(name, *value, "a text");
      return fallback;
    }
    const auto& found = value->get_ref<const std::string&>();
    if (found.size() <= limit) return found;
    mistake(inQuotes(name) + " has " + std::to_string(found.size()) + " bytes, at most " +
            std::to_string(limit) + " are allowed");
    return fallback;
  }
  std::string line(const char* name, std::size_t limit) {
    auto found = text(name, limit);
    if (isOneLine(found)) return found;
    mistake(inQuotes(name) + " holds a line break or another control character");
    return "";
  }
  // As text, but it must be there. `expected`: for the message.
  std::string required(const char* name, std::size_t limit, const std::string& expected) {
    if (find(name) == nullptr) {
      mistake(inQuotes(name) + " is missing: expected " + expected);
      return "";
    }
    return text(name, limit);
  }
  void mistake(std::string message) {
    if (mistake_.empty()) mistake_ = std::move(message);
  }
  bool right() const { return mistake_.empty(); }
  const std::string& what() const { return mistake_; }

 private:
  // null stands for a field that is not there.
  const Json* find(const char* name) const {
    const auto found = json_.find(name);
    return found == json_.end() || found->is_null() ? nullptr : &*found;
  }
  void wrong(const char* name, const Json& found, const std::string& expected) {
    mistake(inQuotes(name) + ": found " + describe(found) + ", expected " + expected);
  }

  const Json& json_;
  std::string mistake_;
};

// --- one function for each sort of request

template <typename Plain>
Request plain(Fields&) {
  return Plain{};
}

Request events(Fields& fields) {
  return EventsRequest{fields.number("after"), fields.flag("follow")};
}

Request plan(Fields& fields) {
  PlanRequest request;
  request.file = fields.line("file", kMaxFileName);
  request.text = fields.required("text", kMaxPlanRequest, "a site file");
  return request;
}

Endpoint endpoint(Fields& fields, const char* name) {
  const auto text = fields.required(name, 64, "ADDRESS:PORT or [IPV6]:PORT");
  if (!fields.right()) return {};
  const auto parsed = Endpoint::parse(text);
  if (parsed) return *parsed;
  fields.mistake(inQuotes(name) + ": found " + inQuotes(text) +
                 ", expected ADDRESS:PORT or [IPV6]:PORT");
  return {};
}

Request lookup(Fields& fields) {
  LookupRequest request;
  request.client = endpoint(fields, "client");
  request.vip = endpoint(fields, "vip");
  request.protocol = fields.text("protocol", 16, "tcp");
  if (request.protocol != "tcp" && request.protocol != "udp" && request.protocol != "sctp") {
    fields.mistake("'protocol': found " + inQuotes(request.protocol) +
                   ", expected tcp, udp or sctp");
  }
  if (request.client.address.family() != request.vip.address.family()) {
    fields.mistake("client and virtual IP are of different families: " + request.client.str() +
                   " and " + request.vip.str());
  }
  return request;
}

Subject subject(Fields& fields) {
  static constexpr auto kExpected =
      "\"node\", \"vip ADDRESS\", \"service NAME\", \"server NAME\" or \"server POOL/NAME\"";
  const auto text = fields.required("subject", 256, kExpected);
  if (!fields.right()) return {};
  auto parsed = Subject::parse(text);
  if (parsed) return std::move(*parsed);
  fields.mistake("'subject': " + parsed.error().message);
  return {};
}

template <Action action>
Request set(Fields& fields) {
  SetRequest request;
  request.subject = subject(fields);
  request.action = action;
  request.seconds = fields.seconds("for");
  request.reason = fields.line("reason", kMaxReason);
  request.force = fields.flag("force");
  return request;
}

Request clear(Fields& fields) {
  return ClearRequest{subject(fields)};
}

struct Command {
  const char* name;
  Request (*read)(Fields&);
  std::span<const char* const> fields = {};
};

constexpr std::array kEventsFields = {"after", "follow"};
constexpr std::array kPlanFields = {"file", "text"};
constexpr std::array kLookupFields = {"client", "vip", "protocol"};
constexpr std::array kSetFields = {"subject", "for", "reason", "force"};
constexpr std::array kClearFields = {"subject"};

constexpr std::array kCommands = {
    Command{"status", plain<StatusRequest>},
    Command{"events", events, kEventsFields},
    Command{"reload", plain<ReloadRequest>},
    Command{"resync", plain<ResyncRequest>},
    Command{"plan", plan, kPlanFields},
    Command{"lookup", lookup, kLookupFields},
    Command{"drain", set<Action::drain>, kSetFields},
    Command{"disable", set<Action::disable>, kSetFields},
    Command{"enable", clear, kClearFields},
    Command{"config", plain<ConfigRequest>},
    Command{"version", plain<VersionRequest>},
};

tl::unexpected<Refusal> unknownCommand(const std::string& name) {
  std::vector<std::string> known;
  std::string list;
  for (const auto& command : kCommands) {
    known.emplace_back(command.name);
    list += (list.empty() ? "" : ", ") + known.back();
  }
  return bad("unknown command " + inQuotes(name) + didYouMean(name, known), "one of: " + list);
}

struct Writer {
  Json operator()(const StatusRequest&) const { return {{"command", "status"}}; }
  Json operator()(const EventsRequest& request) const {
    return {{"command", "events"}, {"after", request.after}, {"follow", request.follow}};
  }
  Json operator()(const ReloadRequest&) const { return {{"command", "reload"}}; }
  Json operator()(const ResyncRequest&) const { return {{"command", "resync"}}; }
  Json operator()(const PlanRequest& request) const {
    return {{"command", "plan"}, {"file", request.file}, {"text", request.text}};
  }
  Json operator()(const LookupRequest& request) const {
    return {{"command", "lookup"},
            {"client", request.client.str()},
            {"vip", request.vip.str()},
            {"protocol", request.protocol}};
  }
  Json operator()(const SetRequest& request) const {
    Json json = {{"command", toString(request.action)},
                 {"subject", request.subject.str()},
                 {"reason", request.reason},
                 {"force", request.force}};
    if (request.seconds) json["for"] = *request.seconds;
    return json;
  }
  Json operator()(const ClearRequest& request) const {
    return {{"command", "enable"}, {"subject", request.subject.str()}};
  }
  Json operator()(const ConfigRequest&) const { return {{"command", "config"}}; }
  Json operator()(const VersionRequest&) const { return {{"command", "version"}}; }
};

}  // namespace

std::size_t requestLimit(std::string_view beginning) {
  std::string dense;
  for (const char c : beginning.substr(0, kBeginning)) {
    if (c != ' ' && c != '\t') dense += c;
  }
  const bool isPlan = dense.find("\"command\":\"plan\"") != std::string::npos;
  return isPlan ? kMaxPlanRequest : kMaxRequest;
}

tl::expected<Request, Refusal> parseRequest(std::string_view line) {
  const auto limit = requestLimit(line);
  if (line.size() > limit) {
    return tl::unexpected(Refusal{"too-long",
                                  "the request has " + std::to_string(line.size()) +
                                      " bytes, at most " + std::to_string(limit) + " are allowed",
                                  ""});
  }
  const auto json = parseJson(line);
  if (!json) {
    return bad("the request is not JSON, found " + inQuotes(line),
               "one object a line, as {\"command\":\"status\"}");
  }
  if (!json->is_object()) return bad("found " + describe(*json) + ", expected an object");
  if (json->contains("version") && (*json)["version"] != kProtocolVersion) {
    return bad("'version': found " + describe((*json)["version"]) + ", expected " +
               std::to_string(kProtocolVersion));
  }
  const auto name = json->find("command");
  if (name == json->end()) return bad("'command' is missing");
  if (!name->is_string()) return bad("'command': found " + describe(*name) + ", expected a text");
  for (const auto& command : kCommands) {
    if (name->get_ref<const std::string&>() != command.name) continue;
    Fields fields(*json, command.fields);
    auto request = command.read(fields);
    if (!fields.right()) return bad(std::string(command.name) + ": " + fields.what());
    return request;
  }
  return unknownCommand(name->get<std::string>());
}

std::string encode(const Request& request) {
  Json json = std::visit(Writer{}, request);
  json["version"] = kProtocolVersion;
  return dump(json);
}

}  // namespace l4ward::control
