// The commands of l4wardctl, in one list: for parsing, help and completion. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace l4ward::ctl {

struct OptionInfo {
  std::string name;   // without dashes
  std::string value;  // "DURATION"; empty: takes none
  std::string help;
};

struct CommandInfo {
  std::string name;
  std::string arguments;  // "CLIENT VIP"; empty: none
  std::string summary;    // half a line
  std::vector<std::string> options;
  std::size_t least = 0;  // arguments
  std::size_t most = 0;
  std::string details;  // lines, each ended; may be empty
  bool hidden = false;
};

const std::vector<CommandInfo>& commands();
const CommandInfo* findCommand(std::string_view name);  // nullptr if there is none
// Of commands, by CommandInfo::options.
const OptionInfo& optionInfo(std::string_view name);
// Those that every command takes.
const std::vector<OptionInfo>& globalOptions();

// "l4wardctl help", and "l4wardctl help COMMAND".
std::string helpText();
std::string helpText(const CommandInfo& command);

}  // namespace l4ward::ctl
