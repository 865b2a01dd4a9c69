// Keeps what people say (control/override.h): in a record that outlives the agent and the machine's
// reboots, and as files that other tools leave in a directory. On the loop's thread.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "agent/override_files.h"
#include "base/asio.h"
#include "base/clock.h"
#include "base/result.h"
#include "control/override.h"

namespace l4ward::agent {

class OverrideKeeper {
 public:
  struct Paths {
    std::string stateDir;   // of the record, overrides.json; made if need be
    std::string directory;  // of override files; empty: none. It need not exist
  };
  // Seconds since 1970. May jump, as the machine's clock does.
  using WallClock = std::function<double()>;
  static double systemTime();

  // `changed` is called on the loop after each change of current(), but not by load(). `period`:
  // how often the directory and the clock are looked at.
  OverrideKeeper(asio::io_context& loop, Paths paths, std::function<void()> changed,
                 Millis period = Millis(1000), WallClock clock = systemTime);
  ~OverrideKeeper();

  // Reads the record and the files, drops what has expired, and begins to watch. Once, before all
  // else. A damaged record is set aside as overrides.json.bad; there are no errors but in the log.
  void load();
  // Another directory of files, after a reload of the site file.
  void setDirectory(const std::string& directory);

  // In force and, unless unsaved() says otherwise, on disk when it returns. `since` is filled in;
  // `until` is the caller's. An error: it was not taken.
  Status set(control::Override override);
  // An error if nobody said so by command, and the file that does if there is one.
  Status clear(const control::Subject& subject);

  const control::Overrides& current() const { return overrides_; }
  // Why the record on disk is not what current() says; saving is tried again each period.
  const std::optional<Error>& unsaved() const { return unsaved_; }

 private:
  std::string recordPath() const { return paths_.stateDir + "/overrides.json"; }
  void readRecord();
  void setAside(const Error& problem);
  void save();
  bool update();
  void arm();

  Paths paths_;
  std::function<void()> changed_;
  Millis period_;
  WallClock clock_;
  asio::steady_timer timer_;
  control::Overrides overrides_;
  OverrideFiles files_;
  std::optional<Error> unsaved_;
};

}  // namespace l4ward::agent
