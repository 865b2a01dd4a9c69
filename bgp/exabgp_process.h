// Starts ExaBGP and keeps it running, or goes with one that a service manager keeps running
// (bgp/exabgp_service.h). It outlives the agent on purpose (routes must survive a crash of the
// agent), so a new agent finds the running one by its record file and watches it by pidfd.
// Lives on the agent's loop; not thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/asio.h"
#include "base/clock.h"
#include "base/result.h"

namespace l4ward::bgp {

// From what `exabgp --version` prints: the version if it is one that works.
Result<std::string> parseExabgpVersion(const std::string& output);

class ExabgpProcess {
 public:
  struct Options {
    std::string program = "exabgp";  // looked up in PATH
    std::string configPath;          // <run dir>/exabgp.conf, mode 0600
    std::string recordPath;          // <run dir>/exabgp.pid: pid, start time, hash of the config
    std::string logPath;             // its output; truncated at each start when above 1 MiB
    std::string user;                // exabgp_daemon_user
    bool service = false;            // somebody else starts it and starts it again…
    Millis servicePatience{10000};   // …which takes less than this
  };
  struct Events {
    std::function<void(int pid, bool adopted)> started;
    std::function<void(std::string how)> exited;  // it is started again with backoff
    std::function<void(Error)> failed;            // could not be started; retried with backoff
    // Nobody has started the service within its patience; told once until somebody does.
    std::function<void()> awaited{};
  };

  ExabgpProcess(asio::io_context& loop, Options options, Events events);
  ~ExabgpProcess();  // leaves the process alone

  // Whether the program can be found and is a version that works (4.2 or 5): the version, or a
  // sentence that says what to do. "unknown" if it said nothing within 15 s.
  static Result<std::string> probe(const std::string& program);

  // Starts or adopts. With another `configText` than the running one has: ExaBGP validates the new
  // file in a process of its own (half a second, at most a minute; the loop goes on), then it
  // replaces the old one and ExaBGP reloads. A file that ExaBGP refuses is reported by `failed` and
  // the old one goes on. A start that fails is an error here and is retried with backoff.
  // A service is not started: it finds its file and is adopted when its record appears.
  Status run(const std::string& configText);

  // For one that hangs: SIGKILL, and a new one at once, with backoff if this is the second time
  // within a minute; a service is started by whom it belongs to. `exited` is called as for any
  // death. Nothing happens if none runs.
  void restart(const std::string& why);

  // SIGTERM, then SIGKILL after `grace`; `done` is called when it is gone.
  void stop(Millis grace, std::function<void()> done);

  // The same for a node that has no BGP any more, also for one that an earlier agent left running.
  // Its configuration is removed: a service that is started again waits for the next one.
  void retire(Millis grace, std::function<void()> done);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace l4ward::bgp
