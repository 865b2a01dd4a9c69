// A program started in its own session, with no descriptor of ours but those it is given, and
// watched by pidfd: our own child, or one that an earlier agent started.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/asio.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "bgp/process_id.h"

namespace l4ward::bgp {

struct ChildSpec {
  std::vector<std::string> arguments;              // [0]: the program, looked up in PATH
  std::map<std::string, std::string> environment;  // added to ours
  int output = -1;  // descriptor for stdout and stderr; -1: /dev/null
};

// Its stdin is /dev/null, its signals are as after a login, its working directory is "/".
Result<ProcessId> spawn(const ChildSpec& spec);

// Waits for the end of one process. Lives on a loop; not thread-safe.
class ChildWatch {
 public:
  // `ended` is told how: "exit status 1", "signal 9"; for a process that is not our child just
  // "ended". Called once, unless the watch is destroyed before. An error if there is no such
  // process any more.
  static Result<std::unique_ptr<ChildWatch>> start(asio::io_context& loop, const ProcessId& id,
                                                   std::function<void(std::string how)> ended);

  const ProcessId& id() const { return id_; }
  // Never reaches another process that has got the same number.
  void signal(int number) const;

 private:
  ChildWatch(asio::io_context& loop, ProcessId id, UniqueFd pidfd,
             std::function<void(std::string)> ended);
  void wait();
  std::string reap() const;

  ProcessId id_;
  asio::posix::stream_descriptor pidfd_;
  std::function<void(std::string)> ended_;
};

}  // namespace l4ward::bgp
