#include "agent/options.h"

#include <boost/program_options.hpp>
#include <sstream>

#include "base/netns.h"

namespace l4ward::agent {
namespace {

namespace po = boost::program_options;

po::options_description describeOptions() {
  po::options_description options("Options", 96);
  auto add = options.add_options();
  add("config,c", po::value<std::string>()->value_name("FILE"),
      "the site file (default: /etc/l4ward/site.yaml)");
  add("check", "say whether the site file is valid and end");
  add("plan", "say what the site file would change in the kernel, change nothing, and end");
  add("observe", "run beside whoever programs IPVS now, compare, and change nothing");
  add("print-nftables", "print the firewall rules that services with a mark need and end");
  add("print-exabgp-config", "print the configuration that ExaBGP needs and end");
  add("remove", "take services and addresses that agents left in the kernel away, and end");
  add("netns", po::value<std::string>()->value_name("NAME"),
      "work in this network namespace, one of those that 'ip netns' lists");
  add("run-dir", po::value<std::string>()->value_name("DIR"),
      "sockets and records (default: /run/l4ward, with --netns /run/l4ward/NAME)");
  add("state-dir", po::value<std::string>()->value_name("DIR"),
      "what survives reboots (default: /var/lib/l4ward, with --netns /var/lib/l4ward/NAME)");
  add("exabgp-service",
      "ExaBGP is a service of its own (l4ward-exabgp --run-exabgp DIR): do not "
      "start it");
  add("relay", po::value<std::string>()->value_name("PROGRAM"),
      "l4ward-exabgp (default: beside this program, or in /usr/libexec/l4ward)");
  add("log-level", po::value<std::string>()->value_name("LEVEL"),
      "debug, info, warning or error (default: info)");
  add("help,h", "print this text and end");
  add("version", "print the version and end");
  return options;
}

Result<log::Level> parseLevel(const std::string& text) {
  if (text == "debug") return log::Level::debug;
  if (text == "info") return log::Level::info;
  if (text == "warning") return log::Level::warning;
  if (text == "error") return log::Level::error;
  return fail("--log-level: found '" + text + "', expected debug, info, warning or error");
}

Result<Options> fromMap(const po::variables_map& given) {
  Options options;
  const auto text = [&](const char* name, std::string& into) {
    if (given.count(name)) into = given[name].as<std::string>();
  };
  text("config", options.config);
  text("netns", options.netns);
  if (given.count("netns")) {
    if (!isNetnsName(options.netns)) {
      return fail("--netns: found '" + options.netns +
                  "', expected a name that 'ip netns' lists, without '/'");
    }
    options.runDir += "/" + options.netns;
    options.stateDir += "/" + options.netns;
  }
  text("run-dir", options.runDir);
  text("state-dir", options.stateDir);
  text("relay", options.relay);
  options.exabgpService = given.count("exabgp-service") > 0;
  if (given.count("log-level")) {
    const auto level = parseLevel(given["log-level"].as<std::string>());
    if (!level) return tl::unexpected(level.error());
    options.logLevel = *level;
  }
  for (const auto& [name, path] :
       {std::pair{"--run-dir", options.runDir}, {"--state-dir", options.stateDir}}) {
    if (path.starts_with('/')) continue;
    return fail(std::string(name) + ": found '" + path + "', expected an absolute path");
  }
  options.observe = given.count("observe") > 0;
  if (given.count("check")) options.action = Options::Action::check;
  if (given.count("plan")) options.action = Options::Action::plan;
  if (given.count("print-nftables")) options.action = Options::Action::printNftables;
  if (given.count("print-exabgp-config")) options.action = Options::Action::printExabgpConfig;
  if (given.count("remove")) options.action = Options::Action::remove;
  if (given.count("version")) options.action = Options::Action::version;
  if (given.count("help")) options.action = Options::Action::help;
  return options;
}

}  // namespace

Result<Options> parseOptions(const std::vector<std::string>& arguments) {
  try {
    const auto style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    po::variables_map given;
    po::store(po::command_line_parser(arguments)
                  .options(describeOptions())
                  .positional(po::positional_options_description())
                  .style(style)
                  .run(),
              given);
    return fromMap(given);
  } catch (const po::error& problem) {
    return fail(problem.what());
  }
}

std::string helpText() {
  std::ostringstream text;
  text << "Usage: l4ward [--config FILE] [--observe]\n"
          "       l4ward [--config FILE] --check | --plan\n"
          "       l4ward [--config FILE] --print-nftables | --print-exabgp-config\n"
          "       l4ward --remove\n\n"
          "Programs IPVS, checks the servers behind it and tells ExaBGP which virtual IPs to\n"
          "announce, as the site file says. SIGHUP reloads the site file; SIGUSR1 looks at\n"
          "the kernel now and mends what others changed; SIGTERM withdraws the routes, waits for\n"
          "traffic to leave and ends; SIGUSR2 leaves everything as it is and ends, for the next\n"
          "l4ward to go on with.\n\n"
       << describeOptions()
       << "\nExit status: 0 ended well, 1 the system lacks something, 2 bad input.\n";
  return text.str();
}

}  // namespace l4ward::agent
