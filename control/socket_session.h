// A client of the control socket.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "control/connection.h"
#include "control/shared.h"

namespace l4ward::control {

class SocketSession : public Connection {
 public:
  // `busy`: it is told so, and nothing else.
  SocketSession(Socket socket, Millis patience, Shared& shared, bool busy)
      : Connection(std::move(socket), patience), shared_(shared), busy_(busy) {}

 protected:
  Next work() override;
  void end() override;

 private:
  std::optional<std::string> takeLine();
  Next answer(std::string_view line);
  Next events(const EventsRequest& request);
  Next refuse(Refusal refusal);
  void follow();
  const Peer& peer();
  std::shared_ptr<SocketSession> self() {
    return std::static_pointer_cast<SocketSession>(shared_from_this());
  }

  Shared& shared_;
  const bool busy_;
  std::size_t scanned_ = 0;  // no end of line before this one
  std::optional<Peer> peer_;
};

}  // namespace l4ward::control
