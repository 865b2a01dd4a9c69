#include "healthcheck/failure.h"

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include "healthcheck/socket.h"

namespace l4ward::healthcheck {
namespace {

std::string describe(int code) {
  char text[128];
  return strerror_r(code, text, sizeof text);
}

std::string_view nameOf(Setup call) {
  switch (call) {
    case Setup::socket:
      return "cannot open a socket";
    case Setup::mark:
      return "cannot set a packet mark";
    case Setup::bind:
      return "cannot bind the source address";
    case Setup::connect:
      return "cannot connect from this node";
    case Setup::send:
      return "cannot send from this node";
    case Setup::watch:
      return "cannot watch a socket";
  }
  return "?";
}

// What to do about it, where the errno's own text leaves that open.
std::string_view hint(Setup call, int code) {
  switch (code) {
    case EMFILE:
      return "raise the process's limit of open files (LimitNOFILE)";
    case ENFILE:
      return "raise fs.file-max";
    case ENOSPC:
      return "raise fs.epoll.max_user_watches";
    case EACCES:
    case EPERM:
      return call == Setup::mark ? "needs CAP_NET_ADMIN"
                                 : "forbidden by a route or firewall rule of this node";
    case EADDRNOTAVAIL:
      return call == Setup::bind ? "no interface holds this address" : "no local port is free";
    case EAGAIN:  // what a datagram socket gets for that
      return call == Setup::connect ? "no local port is free" : "";
    default:
      return {};
  }
}

bool isServersAnswer(Setup call, int code) {
  return call == Setup::connect &&
         (code == ECONNREFUSED || code == ECONNRESET || code == ETIMEDOUT);
}

std::string duringAnswer(std::string_view what, std::size_t answered) {
  if (answered == 0) return std::string(what) + " before an answer";
  return std::string(what) + " after " + std::to_string(answered) + " bytes of the answer";
}

}  // namespace

Judgement judgeSetup(Setup call, int code, const Probe& probe) {
  if (isServersAnswer(call, code)) return judgeLost(code, 0);
  const bool isOnTheWay = call == Setup::connect || call == Setup::send;
  if (isOnTheWay && (code == ENETUNREACH || code == EHOSTUNREACH)) {
    return notMade("no route to " + destinationOf(probe).address.str());
  }
  if (call == Setup::mark && code == EPERM) {
    return notMade("no permission to set a packet mark (CAP_NET_ADMIN)");
  }
  std::string reason(nameOf(call));
  if (call == Setup::bind && probe.source) reason += " " + probe.source->str();
  reason += ": " + describe(code);
  if (const auto advice = hint(call, code); !advice.empty()) {
    reason.append(" (").append(advice).append(")");
  }
  return notMade(std::move(reason));
}

Judgement judgeLost(int code, std::size_t answered) {
  switch (code) {
    case ECONNREFUSED:
      return failed(FailureKind::refused, "connection refused");
    case ECONNRESET:
    case EPIPE:
      return failed(FailureKind::reset, duringAnswer("connection reset", answered));
    case ETIMEDOUT:
      return failed(FailureKind::timeout, "the network gave up: " + describe(code));
    // Only this node makes these: memory, or someone here destroyed the socket (ss -K).
    case ENOMEM:
    case ENOBUFS:
    case ECONNABORTED:
      return notMade("connection lost on this node: " + describe(code));
    // ICMP errors: host, network, protocol or administratively unreachable, dead neighbour.
    default:
      return failed(FailureKind::unreachable, "unreachable: " + describe(code));
  }
}

}  // namespace l4ward::healthcheck
