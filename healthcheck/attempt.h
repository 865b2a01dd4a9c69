// One probe on its way: connects, asks, reads. Knows no time: whoever made it ends it at the
// deadline. All on the io_context's thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/asio.h"
#include "healthcheck/http_response.h"
#include "healthcheck/job.h"
#include "healthcheck/judgement.h"

namespace l4ward::healthcheck {

class Attempt : public std::enable_shared_from_this<Attempt> {
 public:
  using Done = std::function<void(Judgement)>;

  struct Plan {
    const Probe& probe;          // outlives the attempt's end, as do the next two
    const std::string& request;  // empty: a TCP probe, which ends when it is connected
    std::span<char> scratch;     // to receive into; shared by all attempts of the thread
  };

  // `done` is called once, unless cancel comes first; maybe before start returns.
  Attempt(asio::io_context& io, Plan plan, Done done);

  void start();
  // Closes the socket. `done` will not be called any more.
  void cancel();
  // The judgement if the deadline passes now.
  Judgement timedOut() const;

 private:
  using Wait = asio::socket_base::wait_type;

  void await(Wait what, void (Attempt::*next)());
  void onConnected();
  void sendRequest();
  void receive();
  void end(Judgement judgement);

  asio::ip::tcp::socket socket_;
  Plan plan_;
  Done done_;  // empty: over
  bool connected_ = false;
  std::size_t sent_ = 0;
  std::optional<ResponseReader> reader_;
};

}  // namespace l4ward::healthcheck
