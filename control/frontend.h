// The control socket and the HTTP server (metrics, status page, answers for other tiers), on a
// thread of their own, so that no client, however slow or many, holds up checks or the agent.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/ip.h"
#include "base/result.h"
#include "control/backend.h"
#include "control/event.h"

namespace l4ward::control {

class Frontend {
 public:
  struct Options {
    std::string socketPath{};  // "" for none; an old socket file is replaced
    std::string group{};       // of the socket, mode 0660; one that does not exist: the agent's own
    std::size_t maxClients = 64;
    Millis patience{10000};  // for an answer of the agent; a client that takes longer to read or
                             // write than this is disconnected
  };

  // Throws std::system_error if there is no thread to be had.
  Frontend(Options options, Backend& backend);
  ~Frontend();

  // Opens the socket. An error if that cannot be.
  Status listen();
  // Where HTTP is served from now on; nullopt: nowhere. A port that is taken is tried again with
  // backoff, and logged once.
  void setHttp(std::optional<Endpoint> address);
  // For `events`, and whoever follows them. From any thread; never blocks.
  void add(Event event);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace l4ward::control
