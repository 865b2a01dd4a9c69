#include "control/ctl/command_line.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <set>
#include <string_view>

#include "base/netns.h"
#include "config/diagnostics.h"
#include "config/words.h"
#include "control/ctl/command_table.h"
#include "control/ctl/paths.h"

namespace l4ward::ctl {
namespace {

namespace po = boost::program_options;
using control::Refusal;
using control::Subject;
using Arguments = std::vector<std::string>;

constexpr std::uint32_t kMaxLast = 100'000;

// What ends parsing: caught in parseCommandLine.
struct Mistake {
  Refusal refusal;
};
[[noreturn]] void mistake(std::string message, std::string next = "l4wardctl help") {
  throw Mistake{{"usage", std::move(message), std::move(next)}};
}
// Of one command: its help is what to read next.
[[noreturn]] void mistakeOf(const std::string& command, std::string message) {
  mistake(std::move(message), "l4wardctl help" + (command.empty() ? "" : " " + command));
}
[[noreturn]] void unexpected(const std::string& command, const std::string& what,
                             const std::string& found, const std::string& expected) {
  mistakeOf(command, what + ": found " + config::inQuotes(found) + ", expected " + expected);
}

void describe(po::options_description& into, const OptionInfo& option) {
  if (option.value.empty()) {
    into.add_options()(option.name.c_str(), option.help.c_str());
  } else {
    into.add_options()(option.name.c_str(), po::value<std::string>(), option.help.c_str());
  }
}

std::vector<std::string> optionNames(const CommandInfo* command) {
  std::vector<std::string> names;
  for (const auto& option : globalOptions()) names.push_back("--" + option.name);
  if (command != nullptr) {
    for (const auto& option : command->options) names.push_back("--" + option);
  }
  return names;
}

// The first argument that is no option nor an option's value; the end if there is none. Only
// options of all commands can come before it: which others there are, the command tells.
Arguments::const_iterator findCommandWord(const Arguments& arguments) {
  auto at = arguments.begin();
  for (; at != arguments.end() && at->starts_with('-'); ++at) {
    const auto name = at->substr(0, at->find('='));
    const auto& known = globalOptions();
    const auto option = std::find_if(
        known.begin(), known.end(), [&](const OptionInfo& one) { return name == "--" + one.name; });
    if (option == known.end()) {
      mistake("unknown option " + config::inQuotes(name) + " before the command" +
              config::didYouMean(name, optionNames(nullptr)) +
              ": options of a command stand behind it");
    }
    const bool valueFollows = !option->value.empty() && name == *at;
    if (valueFollows && std::next(at) != arguments.end()) ++at;
  }
  return at;
}

std::vector<std::string> commandNames() {
  std::vector<std::string> names;
  for (const auto& command : commands()) {
    if (!command.hidden) names.push_back(command.name);
  }
  return names;
}

po::variables_map parseOptions(const CommandInfo* command, const Arguments& arguments,
                               Arguments& positional) {
  po::options_description options;
  for (const auto& option : globalOptions()) describe(options, option);
  if (command != nullptr) {
    for (const auto& option : command->options) describe(options, optionInfo(option));
  }
  options.add_options()("arguments", po::value<Arguments>());
  po::positional_options_description words;
  words.add("arguments", -1);
  po::variables_map given;
  const auto name = command == nullptr ? "" : command->name;
  try {
    const auto style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    po::store(
        po::command_line_parser(arguments).options(options).positional(words).style(style).run(),
        given);
  } catch (const po::unknown_option& unknown) {
    const auto& option = unknown.get_option_name();
    const auto of = command == nullptr ? "" : " of '" + name + "'";
    mistakeOf(name, "unknown option " + config::inQuotes(option) + of +
                        config::didYouMean(option, optionNames(command)));
  } catch (const po::error& problem) {
    mistakeOf(name, problem.what());
  }
  if (given.count("arguments")) positional = given["arguments"].as<Arguments>();
  return given;
}

// Reads the values of options into the command line.
class Values {
 public:
  Values(const po::variables_map& given, std::string command)
      : given_(given), command_(std::move(command)) {}

  bool has(const char* name) const { return given_.count(name) > 0; }
  void flag(const char* name, bool& into) const { into = has(name); }
  void text(const char* name, std::string& into) const {
    if (has(name)) into = given_[name].as<std::string>();
  }
  void word(const char* name, std::string& into, const std::vector<std::string>& known,
            const std::string& expected) const {
    text(name, into);
    if (has(name) && std::find(known.begin(), known.end(), into) == known.end()) {
      unexpected(command_, std::string("--") + name, into,
                 expected + config::didYouMean(into, known));
    }
  }
  std::optional<Millis> duration(const char* name, Millis least) const {
    if (!has(name)) return std::nullopt;
    const auto& found = given_[name].as<std::string>();
    // parseDuration wants a first character.
    const auto duration = parseDuration(found.empty() ? "?" : found);
    if (!duration) mistakeOf(command_, std::string("--") + name + ": " + duration.error().message);
    if (*duration < least)
      unexpected(command_, std::string("--") + name, found, "at least " + formatDuration(least));
    return *duration;
  }
  std::optional<std::size_t> number(const char* name) const {
    if (!has(name)) return std::nullopt;
    const auto& found = given_[name].as<std::string>();
    const auto value = config::parsePlainNumber(found);
    if (!value || *value == 0 || *value > kMaxLast) {
      unexpected(command_, std::string("--") + name, found, "a number from 1 to 100000");
    }
    return *value;
  }

 private:
  const po::variables_map& given_;
  std::string command_;
};

void readGlobal(const Values& values, CommandLine& line) {
  if (values.has("socket") && values.has("netns")) {
    mistake("--socket and --netns exclude each other");
  }
  std::string netns;
  values.text("netns", netns);
  if (values.has("netns") && !isNetnsName(netns)) {
    unexpected("", "--netns", netns, "a name that 'ip netns' lists");
  }
  line.socket = defaultSocket(netns);
  values.text("socket", line.socket);
  values.flag("json", line.json);
  values.flag("help", line.help);
  values.flag("version", line.version);
  std::string colour = "auto";
  values.word("color", colour, {"auto", "always", "never"}, "auto, always or never");
  line.colour = colour == "auto"     ? When::automatic
                : colour == "always" ? When::always
                                     : When::never;
  line.timeout = values.duration("timeout", Millis{100}).value_or(line.timeout);
}

void readOwn(const Values& values, CommandLine& line) {
  values.flag("all", line.all);
  values.flag("down", line.down);
  values.flag("failing", line.failing);
  values.flag("verbose", line.verbose);
  values.flag("follow", line.follow);
  values.flag("force", line.force);
  values.flag("wait", line.wait);
  values.text("pool", line.pool);
  values.text("service", line.service);
  values.text("server", line.server);
  values.text("reason", line.reason);
  values.text("config-id", line.configId);
  values.word("level", line.level, {"info", "warning", "error"}, "info, warning or error");
  values.word("protocol", line.protocol, {"tcp", "udp", "sctp"}, "tcp, udp or sctp");
  line.last = values.number("last");
  line.forTime = values.duration("for", Millis{1000});
  line.limit = values.duration("limit", Millis{1000}).value_or(line.limit);
  if (values.has("limit") && !line.wait) mistakeOf(line.command, "--limit is of use with --wait");
  if (line.reason.size() > control::kMaxReason) {
    mistakeOf(line.command, "--reason: found " + std::to_string(line.reason.size()) +
                                " bytes, expected at most " + std::to_string(control::kMaxReason));
  }
}

Subject readSubject(const CommandLine& line) {
  std::string words;
  for (const auto& argument : line.arguments) words += (words.empty() ? "" : " ") + argument;
  const auto subject = Subject::parse(words);
  if (subject) return *subject;
  static const std::vector<std::string> kKinds{"node", "vip", "service", "server"};
  const auto& kind = line.arguments.front();
  const bool known = std::find(kKinds.begin(), kKinds.end(), kind) != kKinds.end();
  if (known) mistakeOf(line.command, subject.error().message);
  const auto slip = config::didYouMean(kind, kKinds);
  const bool one = line.arguments.size() == 1;
  const auto hint = !slip.empty() ? slip : one ? " (did you mean 'server " + kind + "'?)" : "";
  mistakeOf(line.command, subject.error().message + hint);
}

Endpoint readEndpoint(const CommandLine& line, std::size_t at, const char* name) {
  const auto& text = line.arguments[at];
  if (const auto endpoint = Endpoint::parse(text)) return *endpoint;
  const bool bare = IpAddress::parse(text).has_value();
  unexpected(line.command, name, text,
             bare ? "a port, too: 192.0.2.1:443 or '[2001:db8::1]:443'"
                  : "an address and a port: 192.0.2.1:443 or '[2001:db8::1]:443'");
}

void readArguments(const CommandInfo& info, CommandLine& line) {
  const auto count = line.arguments.size();
  if (count < info.least) {
    mistakeOf(info.name, "'" + info.name + "' needs " + info.arguments);
  }
  if (count > info.most) {
    mistakeOf(info.name,
              "'" + info.name + "' does not take " + config::inQuotes(line.arguments[info.most]));
  }
  if (info.name == "drain" || info.name == "disable" || info.name == "enable") {
    line.subject = readSubject(line);
  }
  if (info.name == "lookup") {
    line.client = readEndpoint(line, 0, "CLIENT");
    line.vip = readEndpoint(line, 1, "VIP");
  }
  if (info.name == "watch" && line.json) {
    mistake("'watch' has no JSON", "l4wardctl status --json");
  }
}

CommandLine parse(const Arguments& arguments) {
  CommandLine line;
  const auto word = findCommandWord(arguments);
  const CommandInfo* info = nullptr;
  Arguments rest(arguments.begin(), word);
  if (word != arguments.end()) {
    info = findCommand(*word);
    if (info == nullptr) {
      mistake("unknown command " + config::inQuotes(*word) +
              config::didYouMean(*word, commandNames()));
    }
    rest.insert(rest.end(), std::next(word), arguments.end());
    line.command = info->name;
  }
  const auto given = parseOptions(info, rest, line.arguments);
  const Values values(given, line.command);
  readGlobal(values, line);
  if (line.help || line.version) return line;
  if (info == nullptr) mistake("a command is missing");
  readOwn(values, line);
  readArguments(*info, line);
  return line;
}

}  // namespace

tl::expected<CommandLine, Refusal> parseCommandLine(const Arguments& arguments) {
  try {
    return parse(arguments);
  } catch (const Mistake& found) {
    return tl::unexpected(found.refusal);
  }
}

bool wantsJson(const Arguments& arguments) {
  return std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
}

}  // namespace l4ward::ctl
