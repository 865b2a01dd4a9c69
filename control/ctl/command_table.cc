#include "control/ctl/command_table.h"

#include <algorithm>
#include <stdexcept>

namespace l4ward::ctl {
namespace {

constexpr std::size_t kMany = 1000;

const char* const kSubjects =
    "SUBJECT is one of\n"
    "  server [POOL/]NAME   in one pool, or wherever it is\n"
    "  service NAME         all virtual IPs of it\n"
    "  vip ADDRESS\n"
    "  node\n";

std::vector<CommandInfo> makeCommands() {
  const std::string subjects = kSubjects;
  return {
      {"status",
       "",
       "the node on one screen, what is wrong on top",
       {"all"},
       0,
       0,
       "Exit status 1 if something critical is wrong.\n"},
      {"services", "", "IPVS services: servers that are up, quorum, traffic", {}, 0, 0, ""},
      {"servers",
       "",
       "servers: state, since when, why, weight, share, connections",
       {"pool", "service", "down", "verbose"},
       0,
       0,
       "SHARE is of the Maglev table's slots; it differs where a server's services do.\n"
       "ACTIVE and CLOSING are connections: CLOSING are those that are over, but that the kernel\n"
       "still knows, and all of UDP.\n"},
      {"checks",
       "",
       "health checks: what was asked, what came back",
       {"server", "failing", "verbose"},
       0,
       0,
       ""},
      {"bgp", "", "the relay, the neighbors, and who is told of which route", {}, 0, 0, ""},
      {"vips", "", "virtual IPs: announced or not, since when, why", {}, 0, 0, ""},
      {"overrides", "", "what was said by drain and disable, by whom, for how long", {}, 0, 0, ""},
      {"events",
       "",
       "what happened of late",
       {"follow", "last", "level"},
       0,
       0,
       "Events are those of the log; docs/events.md lists them. ^C ends --follow.\n"},
      {"watch",
       "",
       "the status, live",
       {},
       0,
       0,
       "Arrows, Page Up and Page Down scroll; q or ^C ends.\n"},
      {"lookup",
       "CLIENT VIP",
       "which server gets a client's connection, and why",
       {"protocol"},
       2,
       2,
       "Both are addresses with ports:\n"
       "  l4wardctl lookup 203.0.113.9:40000 198.51.100.1:443\n"
       "  l4wardctl lookup '[2001:db8:9::1]:40000' '[2001:db8::1]:443'\n"},
      {"drain",
       "SUBJECT",
       "no new connections; those that are there go on",
       {"for", "reason", "force", "wait", "limit"},
       1,
       2,
       subjects +
           "\nA server gets no new connections. Virtual IPs are announced as of a node that is\n"
           "about to stop. To take a server out of every pool and wait until it is unused:\n"
           "  l4wardctl drain server lb7-1 --for 2h --reason 'kernel update' --wait\n"
           "Exit status 1 if it is refused, or if connections are left at the limit of --wait.\n"},
      {"disable",
       "SUBJECT",
       "out, also as a last resort",
       {"for", "reason", "force", "wait", "limit"},
       1,
       2,
       subjects +
           "\nA server gets no new connections, in a panic neither. Virtual IPs are withdrawn.\n"},
      {"enable", "SUBJECT", "takes drain or disable back", {}, 1, 2, subjects},
      {"reload",
       "",
       "read the site file again",
       {},
       0,
       0,
       "A file with a mistake changes nothing; every mistake is told. Exit status 2 then.\n"},
      {"resync", "", "look at the kernel now, mend what others changed", {}, 0, 0, ""},
      {"plan",
       "[FILE]",
       "what a site file would change, changing nothing",
       {},
       0,
       1,
       "FILE has at most 4 MiB; - reads standard input. Without it: what an agent that only "
       "observes\n"
       "(l4ward --observe) would change, with the site file that it has.\n"},
      {"config", "", "the site file as it was loaded", {}, 0, 0, ""},
      {"import",
       "FILE",
       "make a site file of a keepalived.conf",
       {"config-id"},
       1,
       1,
       "The site file goes to standard output, the report of all that is not carried over exactly\n"
       "to standard error:\n"
       "  l4wardctl import /etc/keepalived/keepalived.conf > site.yaml\n"
       "FILE has at most 4 MiB with all that it includes; - reads standard input. No agent and no\n"
       "privileges are needed.\n"
       "Exit status 0 if everything is carried over as it is, 1 if the report names something "
       "that\n"
       "is lost or changed, 2 if FILE cannot be read as Keepalived's; then there is no site "
       "file.\n"},
      {"digest",
       "",
       "digests of the Maglev tables, to compare nodes",
       {},
       0,
       0,
       "The last line is one digest over all: equal on nodes that decide alike.\n"},
      {"fleet",
       "URL...",
       "compare several nodes",
       {},
       1,
       kMany,
       "Each URL is http://HOST:PORT or HOST[:PORT] (9119) of an agent's HTTP address.\n"
       "Exit status 1 if nodes disagree or one does not answer.\n"},
      {"version", "", "of this program and of the agent", {}, 0, 0, ""},
      {"help", "[COMMAND]", "this list, or more about one command", {}, 0, 1, ""},
      {"complete", "KIND", "", {}, 1, 2, "For shells' completion.\n", true},
  };
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(text.size() + 2, width), ' ');
  return text;
}

std::string optionLine(const OptionInfo& option) {
  const auto name = "  --" + option.name + (option.value.empty() ? "" : " " + option.value);
  return padded(name, 22) + option.help + "\n";
}

}  // namespace

const std::vector<CommandInfo>& commands() {
  static const auto list = makeCommands();
  return list;
}

const CommandInfo* findCommand(std::string_view name) {
  const auto& list = commands();
  const auto found = std::find_if(list.begin(), list.end(),
                                  [&](const CommandInfo& command) { return command.name == name; });
  return found == list.end() ? nullptr : &*found;
}

const std::vector<OptionInfo>& globalOptions() {
  static const std::vector<OptionInfo> list{
      {"socket", "PATH", "the agent's control socket (/run/l4ward/control.sock)"},
      {"netns", "NAME", "the agent of this network namespace"},
      {"json", "", "print JSON, errors too"},
      {"color", "WHEN", "auto (on a terminal), always or never"},
      {"timeout", "DURATION", "how long to wait for an answer (15s)"},
      {"help", "", "help for the command"},
      {"version", "", "the version of this program"}};
  return list;
}

const OptionInfo& optionInfo(std::string_view name) {
  static const std::vector<OptionInfo> list{
      {"all", "", "everything, however long the screen gets"},
      {"pool", "NAME", "only servers of this pool"},
      {"service", "NAME", "only servers of this service"},
      {"down", "", "only servers that are not up"},
      {"server", "NAME", "only checks of this server"},
      {"failing", "", "only checks that fail or are about to"},
      {"verbose", "", "addresses of servers; former answers of checks"},
      {"follow", "", "go on with what happens from now on"},
      {"last", "N", "only the last N events (50, with --follow 10)"},
      {"level", "LEVEL", "info, warning (and worse) or error"},
      {"protocol", "NAME", "tcp (default), udp or sctp"},
      {"for", "DURATION", "ends on its own: 30m, 2h (1s to 365 days)"},
      {"config-id", "ID", "whose lines beginning with @ID count (this host's first label)"},
      {"reason", "TEXT", "shown wherever the override is"},
      {"force", "", "also the last healthy server of a pool"},
      {"wait", "", "until no connections are left"},
      {"limit", "DURATION", "of --wait (10m)"}};
  const auto found = std::find_if(list.begin(), list.end(),
                                  [&](const OptionInfo& option) { return option.name == name; });
  if (found == list.end()) throw std::logic_error("no option " + std::string(name));
  return *found;
}

std::string helpText() {
  std::string text =
      "Usage: l4wardctl [OPTION...] COMMAND [ARGUMENT...]\n\n"
      "Asks and tells the agent l4ward of this node.\n\nCommands:\n";
  for (const auto& command : commands()) {
    if (command.hidden) continue;
    const auto name =
        "  " + command.name + (command.arguments.empty() ? "" : " " + command.arguments);
    text += padded(name, 22) + command.summary + "\n";
  }
  text += "\nOptions of all commands:\n";
  for (const auto& option : globalOptions()) text += optionLine(option);
  return text +
         "\n'l4wardctl help COMMAND' tells more about one command.\n"
         "\nExit status: 0 well, 1 something is wrong that the command reports, 2 bad usage or\n"
         "bad input, 3 the agent cannot be reached.\n";
}

std::string helpText(const CommandInfo& command) {
  std::string text = "Usage: l4wardctl " + command.name;
  if (!command.options.empty()) text += " [OPTION...]";
  if (!command.arguments.empty()) text += " " + command.arguments;
  text += "\n";
  if (!command.summary.empty()) text += "\n" + command.name + ": " + command.summary + "\n";
  if (!command.details.empty()) text += "\n" + command.details;
  if (!command.options.empty()) text += "\nOptions:\n";
  for (const auto& option : command.options) text += optionLine(optionInfo(option));
  return text + "\nOptions of all commands: see 'l4wardctl help'.\n";
}

}  // namespace l4ward::ctl
