#include "control/ctl/session.h"

#include <algorithm>
#include <iostream>
#include <map>
#include <string_view>

#include "base/file.h"
#include "base/version.h"
#include "control/ctl/command_table.h"
#include "control/ctl/fleet_fetch.h"
#include "control/ctl/screens.h"
#include "control/ctl/watch.h"
#include "control/status_json.h"

namespace l4ward::ctl {

using control::Refusal;
using nlohmann::json;

namespace {

constexpr std::size_t kMaxPlanFile = 4 << 20;
constexpr std::size_t kStatusRows = 12;  // of each kind, so that status fits a screen
constexpr Millis kFleetTimeout{10'000};

std::string dump(const json& value, int indent) {
  return value.dump(indent, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace

Result<std::string> readInput(const std::string& path, std::size_t most) {
  if (path != "-") return readFile(path, most);
  std::string text(most + 1, '\0');
  std::cin.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::cin.gcount()));
  if (text.size() > most) return fail("standard input has more than 4 MiB");
  return text;
}

int tellRefusal(const Refusal& refusal, bool asJson, Terminal& terminal) {
  if (asJson) {
    terminal.out << dump(toJson(refusal), 2);
    return exitOf(refusal);
  }
  terminal.err << "l4wardctl: ";
  std::string_view left = refusal.message;  // may have several lines: a site file's mistakes
  for (auto end = left.find('\n'); end != left.npos; end = left.find('\n')) {
    terminal.err << clean(left.substr(0, end)) << "\n";
    left.remove_prefix(end + 1);
  }
  if (!left.empty()) terminal.err << clean(left) << "\n";
  if (!refusal.next.empty()) terminal.err << "  -> " << clean(refusal.next) << "\n";
  return exitOf(refusal);
}

Session::Session(const CommandLine& line, Terminal& terminal)
    : line_(line), terminal_(terminal), options_{line.socket, line.timeout, -1} {
  style_.width = terminal.width;
  style_.colour =
      line.colour == When::always || (line.colour == When::automatic && terminal.colours);
}

control::Reply Session::ask(const control::Request& request) const {
  return askOnce(options_, request);
}

void Session::print(const json& value) {
  terminal_.out << dump(value, 2);
}

int Session::refuse(const Refusal& refusal) {
  return tellRefusal(refusal, line_.json, terminal_);
}

int Session::badInput(const std::string& message, const std::string& next) {
  return refuse({"usage", message, next});
}

int Session::run() {
  static const std::map<std::string, int (Session::*)()> kCommands{
      {"events", &Session::events},     {"watch", &Session::watch},
      {"lookup", &Session::lookup},     {"plan", &Session::plan},
      {"import", &Session::importSite}, {"fleet", &Session::fleet},
      {"version", &Session::version},   {"help", &Session::help},
      {"complete", &Session::complete}, {"enable", &Session::clearOverride},
      {"reload", &Session::reload}};
  const auto& command = line_.command;
  if (command == "drain") return setOverride(control::Action::drain);
  if (command == "disable") return setOverride(control::Action::disable);
  if (command == "resync") return showText(control::ResyncRequest{}, "done\n");
  if (command == "config") return showText(control::ConfigRequest{}, "");
  const auto found = kCommands.find(command);
  return found == kCommands.end() ? showStatus() : (this->*found->second)();
}

std::string Session::screenOf(const control::NodeStatus& status) const {
  const auto& command = line_.command;
  if (command == "services") return servicesScreen(status, style_);
  if (command == "vips") return vipsScreen(status, style_);
  if (command == "bgp") return bgpScreen(status, style_);
  if (command == "overrides") return overridesScreen(status, style_);
  if (command == "digest") return digestScreen(status, style_);
  if (command == "servers") {
    return serversScreen(status, {{line_.pool, line_.service, line_.down}, line_.verbose}, style_);
  }
  if (command == "checks") {
    return checksScreen(status, {{line_.server, line_.failing}, line_.verbose}, style_);
  }
  return statusScreen(status, style_, line_.all ? 0 : kStatusRows);
}

int Session::showStatus() {
  const auto reply = ask(control::StatusRequest{});
  if (!reply) return refuse(reply.error());
  const auto status = readStatus(*reply);
  if (!status) return refuse(status.error());
  if (const auto refusal = checkNames(*status, line_)) return refuse(*refusal);
  if (line_.json) {
    print(partOf(*reply, *status, line_));
  } else {
    terminal_.out << screenOf(*status);
  }
  if (line_.command != "status") return kWell;
  const bool critical =
      std::any_of(status->alarms.begin(), status->alarms.end(),
                  [](const control::Alarm& alarm) { return alarm.severity == "critical"; });
  return critical ? kWrong : kWell;
}

int Session::showText(const control::Request& request, const char* ifEmpty) {
  const auto reply = ask(request);
  if (!reply) return refuse(reply.error());
  if (line_.json) {
    print(*reply);
    return kWell;
  }
  const auto text = reply->is_null() || reply->empty() ? "" : readText(*reply);
  terminal_.out << (text.empty() ? ifEmpty : text);
  return kWell;
}

int Session::planOfObserver() {
  const auto reply = ask(control::StatusRequest{});
  const auto status = reply ? readStatus(*reply) : tl::unexpected(reply.error());
  if (!status) return refuse(status.error());
  if (status->node.phase != "observing") {
    return badInput(
        "the agent is " + status->node.phase + ": 'plan' without FILE is for one that observes",
        "l4wardctl plan FILE");
  }
  if (line_.json) {
    print(status->differences);
  } else {
    terminal_.out << differencesScreen(*status, style_);
  }
  return kWell;
}

int Session::plan() {
  if (line_.arguments.empty()) return planOfObserver();
  const auto& file = line_.arguments[0];
  const auto text = readInput(file, kMaxPlanFile);
  if (!text) return badInput(text.error().message);
  return showText(control::PlanRequest{file, *text}, "nothing would change\n");
}

int Session::lookup() {
  const auto reply = ask(control::LookupRequest{line_.client, line_.vip, line_.protocol});
  if (!reply) return refuse(reply.error());
  if (line_.json) {
    print(*reply);
    return kWell;
  }
  try {
    terminal_.out << lookupScreen(reply->get<control::Lookup>(), style_);
    return kWell;
  } catch (const json::exception& problem) {
    return refuse({kBadReply, problem.what(), "l4wardctl version"});
  }
}

int Session::watch() {
  const auto done = ctl::watch(options_, style_.colour);
  return done ? kWell : badInput(done.error().message, "l4wardctl status");
}

int Session::fleet() {
  std::vector<NodeUrl> urls;
  for (const auto& text : line_.arguments) {
    const auto url = NodeUrl::parse(text);
    if (!url) return badInput(url.error().message, "l4wardctl help fleet");
    urls.push_back(*url);
  }
  const auto answers = fetchAll(urls, std::min(line_.timeout, kFleetTimeout));
  if (line_.json) {
    print(fleetJson(answers));
  } else {
    terminal_.out << fleetScreen(answers, style_);
  }
  return compare(answers).agree() ? kWell : kWrong;
}

int Session::version() {
  const auto reply = ask(control::VersionRequest{});
  if (line_.json) {
    if (!reply) return refuse(reply.error());
    print({{"l4wardctl", kVersion}, {"agent", *reply}});
    return kWell;
  }
  terminal_.out << "l4wardctl " << kVersion << '\n';
  if (!reply) return refuse(reply.error());
  const auto version = reply->is_object() ? reply->value("version", json("?")) : *reply;
  terminal_.out << "l4ward "
                << clean(version.is_string() ? version.get<std::string>() : version.dump()) << "\n";
  return kWell;
}

int Session::help() {
  if (line_.arguments.empty()) {
    terminal_.out << helpText();
    return kWell;
  }
  const auto* command = findCommand(line_.arguments[0]);
  if (command == nullptr)
    return badInput("unknown command '" + clean(line_.arguments[0]) + "'", "l4wardctl help");
  terminal_.out << helpText(*command);
  return kWell;
}

// One word a line. Silent when there is nothing to say: it runs while somebody types.
int Session::complete() {
  const auto& kind = line_.arguments[0];
  const auto say = [&](const std::string& word) { terminal_.out << word << "\n"; };
  if (kind == "commands") {
    for (const auto& command : commands()) {
      if (!command.hidden) say(command.name);
    }
    return kWell;
  }
  if (kind == "options") {
    for (const auto& option : globalOptions()) say("--" + option.name);
    const auto* command = line_.arguments.size() > 1 ? findCommand(line_.arguments[1]) : nullptr;
    if (command == nullptr) return kWell;
    for (const auto& option : command->options) say("--" + option);
    return kWell;
  }
  const auto reply = ask(control::StatusRequest{});
  const auto status = reply ? readStatus(*reply) : tl::unexpected(reply.error());
  if (!status) return kNoAgent;
  for (const auto& word : candidates(*status, kind)) say(clean(word));
  return kWell;
}

int run(const std::vector<std::string>& arguments, Terminal terminal) {
  const auto line = parseCommandLine(arguments);
  if (!line) return tellRefusal(line.error(), wantsJson(arguments), terminal);
  if (line->help) {
    const auto* command = findCommand(line->command);
    terminal.out << (command == nullptr ? helpText() : helpText(*command));
    return kWell;
  }
  if (line->version) {
    terminal.out << "l4wardctl " << kVersion << '\n';
    return kWell;
  }
  return Session(*line, terminal).run();
}

}  // namespace l4ward::ctl
