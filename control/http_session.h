// A client of the HTTP server.
#pragma once

#include <functional>
#include <memory>

#include "control/connection.h"
#include "control/http_answer.h"
#include "control/shared.h"

namespace l4ward::control {

class HttpSession : public Connection {
 public:
  // `busy`: it is told so, and nothing else.
  HttpSession(Socket socket, Millis patience, Shared& shared, bool busy)
      : Connection(std::move(socket), patience), shared_(shared), busy_(busy) {}

 protected:
  Next work() override;

 private:
  Next refuse(unsigned status, const std::string& text);
  void route(const HttpTarget& target);
  void routeApi(const HttpTarget& target);
  void routeVip(const HttpTarget& target);
  void withStatus(Millis limit, std::function<HttpAnswer(const Snapshots&)> make);
  void answer(const HttpAnswer& answer);
  std::shared_ptr<HttpSession> self() {
    return std::static_pointer_cast<HttpSession>(shared_from_this());
  }

  Shared& shared_;
  const bool busy_;
  bool toHead_ = false;
  bool keepAlive_ = false;
};

}  // namespace l4ward::control
