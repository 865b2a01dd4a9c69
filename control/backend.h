// What the control server asks the agent.
#pragma once

#include <functional>
#include <memory>

#include "control/request.h"
#include "control/status.h"

namespace l4ward::control {

// Who asks on the control socket.
struct Peer {
  int pid = 0;
  unsigned uid = 0;
  std::string user;  // its name, or the number
};

// Its methods are called on the server's thread and return at once. `reply` is called once, at any
// time later or before they return, from any thread; never after the backend's destructor.
class Backend {
 public:
  virtual ~Backend() = default;
  using StatusReply = std::function<void(std::shared_ptr<const NodeStatus>)>;
  virtual void status(StatusReply reply) = 0;
  // All requests but StatusRequest and EventsRequest.
  virtual void handle(const Request& request, const Peer& peer,
                      std::function<void(Reply)> reply) = 0;
};

}  // namespace l4ward::control
