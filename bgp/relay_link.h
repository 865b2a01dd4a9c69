// The agent's end of the channel to l4ward-exabgp, the relay that ExaBGP runs. The agent says which
// routes are wanted; the relay makes ExaBGP announce just those, and keeps them when the agent
// dies, for `hold`. Lives on the agent's loop; not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/asio.h"
#include "base/clock.h"
#include "base/result.h"
#include "bgp/route.h"

namespace l4ward::bgp {

class RelayLink {
 public:
  struct Events {
    // A relay connected (first connection, or after it or ExaBGP restarted): `standing` are the
    // routes that ExaBGP announces, or is about to announce again after its own restart. Until
    // publish() is called they stay.
    std::function<void(RouteSet standing)> connected;
    // Every change up to publish()'s return value `generation` was acknowledged by ExaBGP.
    std::function<void(std::uint64_t generation)> synced;
    // A BGP session changed: state is "up", "down" or "connected".
    std::function<void(IpAddress neighbor, std::string state, std::string reason)> session;
    // ExaBGP refused a command; it is retried with backoff.
    std::function<void(std::string what)> error;
    std::function<void()> disconnected;
    // ExaBGP does not answer the relay: it must be killed and started again.
    std::function<void(std::string what)> stuck{};
    // The relay does not answer, or is of another version: it must be killed, then ExaBGP starts
    // it again. `pid`: as seen from here. Its connection was dropped; `error` told why.
    std::function<void(int pid)> frozen{};
  };

  // `frozenTime`: how long a relay may leave heartbeats, and at least three of them, unanswered.
  RelayLink(asio::io_context& loop, Events events, Millis frozenTime = Millis(10000));
  ~RelayLink();

  // Listens on the unix socket `path` (a stale one is replaced; mode 0660). `user`: whom ExaBGP
  // runs the relay as, by name; that one, root and our own user may connect. Empty: our own user.
  Status listen(const std::string& path, const std::string& user = "");

  // The routes wanted from now on, all of them; sent now, and again whenever a relay connects.
  // Returns a generation number, growing from 1; an unchanged set returns the same generation and
  // sends nothing. Communities that bgp::isCommunity refuses make the relay close the connection.
  std::uint64_t publish(const RouteSet& wanted);

  // How long the relay keeps routes without hearing from us. Sent with the routes.
  void setHold(Millis hold);

  bool isConnected() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace l4ward::bgp
