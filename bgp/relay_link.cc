#include "bgp/relay_link.h"

#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <set>
#include <utility>

#include "base/log.h"
#include "bgp/line_connection.h"
#include "bgp/messages.h"

namespace l4ward::bgp {
namespace {

using Protocol = asio::local::stream_protocol;

constexpr LineConnection::Limits kRelayLimits{kMaxMessage, std::size_t{16} << 20};

constexpr unsigned kMostUnanswered = 3;

std::optional<ucred> peerOf(Protocol::socket& socket) {
  ucred who{};
  socklen_t size = sizeof(who);
  if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) {
    return std::nullopt;
  }
  return who;
}

Status removeStale(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return {};
  if (!S_ISSOCK(info.st_mode)) return fail(path + " exists and is not a socket", EEXIST);
  if (::unlink(path.c_str()) != 0) return failErrno("cannot remove " + path, errno);
  return {};
}

// Gives the socket to the user that the relay runs as.
Status giveTo(const std::string& path, const std::string& user, uid_t& uid) {
  const passwd* found = ::getpwnam(user.c_str());
  if (!found) return fail("no such user: " + user, ENOENT);
  uid = found->pw_uid;
  if (uid == ::geteuid()) return {};
  if (::chown(path.c_str(), uid, found->pw_gid) != 0) {
    return failErrno("cannot give " + path + " to " + user, errno);
  }
  return {};
}

}  // namespace

class RelayLink::Impl {
 public:
  Impl(asio::io_context& loop, Events events, Millis frozenTime)
      : events_(std::move(events)),
        frozenTime_(frozenTime),
        acceptor_(loop),
        acceptAgain_(loop),
        heartbeat_(loop) {}
  ~Impl() {
    if (connection_) connection_->close();
  }

  Status listen(const std::string& path, const std::string& user);
  std::uint64_t publish(const RouteSet& wanted);
  void setHold(Millis hold);
  bool isConnected() const { return greeted_; }

 private:
  void accept();
  void onAccept(Protocol::socket socket);
  void retryAccept();
  void onLine(const std::string& line);
  void onMessage(const RelayMessage& message);
  void onHello(const Hello& hello);
  void onClosed(const std::string& why);
  void dropConnection(const std::string& why);
  bool replaces(const Hello& hello);
  void sendRoutes();
  void armHeartbeat();
  void beat();
  void giveUpRelay(const std::string& why);
  bool isWelcome(const ucred& peer) const;

  Events events_;
  const Millis frozenTime_;
  Protocol::acceptor acceptor_;
  asio::steady_timer acceptAgain_;
  asio::steady_timer heartbeat_;
  uid_t relayUid_ = ::geteuid();
  std::shared_ptr<LineConnection> connection_;
  pid_t relayPid_ = 0;
  bool greeted_ = false;
  bool replacing_ = false;     // it was told to end
  unsigned unanswered_ = 0;    // `alive`s since it was heard
  TimePoint firstUnanswered_;  // when the first of them was sent
  Millis hold_{30000};
  std::uint64_t generation_ = 0;
  std::uint64_t sent_ = 0;  // generation that this connection was told; 0: none
  RouteSet wanted_;
  std::set<std::string> replaced_;  // versions of relays that were told to end
};

Status RelayLink::Impl::listen(const std::string& path, const std::string& user) {
  if (path.size() >= sizeof(sockaddr_un{}.sun_path))
    return fail(path + " is too long", ENAMETOOLONG);
  if (const Status removed = removeStale(path); !removed) return removed;
  ErrorCode error;
  acceptor_.open(Protocol(), error);
  if (!error) acceptor_.bind(Protocol::endpoint(path), error);
  if (error) return fail("cannot bind " + path + ": " + error.message(), error.value());
  // Nobody can connect before listen(), so the mode is never too wide.
  if (::chmod(path.c_str(), 0660) != 0) return failErrno("cannot chmod " + path, errno);
  if (!user.empty()) {
    if (const Status given = giveTo(path, user, relayUid_); !given) return given;
  }
  acceptor_.listen(8, error);
  if (error) return fail("cannot listen on " + path + ": " + error.message(), error.value());
  accept();
  armHeartbeat();
  return {};
}

void RelayLink::Impl::accept() {
  acceptor_.async_accept([this](const ErrorCode& error, Protocol::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (error) return retryAccept();
    onAccept(std::move(socket));
    accept();
  });
}

// No descriptors left, most likely; soon there may be some.
void RelayLink::Impl::retryAccept() {
  log::warning("relay_link.accept_failed");
  acceptAgain_.expires_after(Millis(500));
  acceptAgain_.async_wait([this](const ErrorCode& stopped) {
    if (!stopped) accept();
  });
}

bool RelayLink::Impl::isWelcome(const ucred& peer) const {
  return peer.uid == 0 || peer.uid == ::geteuid() || peer.uid == relayUid_;
}

void RelayLink::Impl::onAccept(Protocol::socket socket) {
  const auto peer = peerOf(socket);
  if (!peer || !isWelcome(*peer)) {
    log::warning("relay_link.refused", {{"reason", "the peer is of another user"}});
    return;
  }
  if (connection_) {
    connection_->close();
    onClosed("a newer relay connected");
  }
  relayPid_ = peer->pid;
  replacing_ = false;
  connection_ = LineConnection::open(std::move(socket), kRelayLimits,
                                     {[this](const std::string& line) { onLine(line); },
                                      [this](const std::string& why) { onClosed(why); }});
}

void RelayLink::Impl::onLine(const std::string& line) {
  unanswered_ = 0;
  if (replacing_) return;
  const auto message = decodeRelayMessage(line);
  if (!message && message.error().code == EPROTO) return giveUpRelay(message.error().message);
  if (!message) return dropConnection(message.error().message);
  if (!greeted_ && !std::holds_alternative<Hello>(*message)) {
    return dropConnection("the relay did not say hello");
  }
  onMessage(*message);
}

void RelayLink::Impl::dropConnection(const std::string& why) {
  connection_->close();
  onClosed(why);
}

void RelayLink::Impl::onMessage(const RelayMessage& message) {
  if (const auto* hello = std::get_if<Hello>(&message)) return onHello(*hello);
  if (const auto* synced = std::get_if<Synced>(&message)) {
    if (events_.synced) events_.synced(synced->generation);
  } else if (const auto* event = std::get_if<SessionEvent>(&message)) {
    if (events_.session) events_.session(event->neighbor, event->state, event->reason);
  } else if (const auto* error = std::get_if<RelayError>(&message)) {
    if (events_.error) events_.error(error->what);
  } else if (const auto* stuck = std::get_if<Stuck>(&message)) {
    if (events_.stuck) events_.stuck(stuck->what);
  }
}

// A relay outlives upgrades; the one that ExaBGP starts next is what is on disk by now. If that is
// no other, it has to do: ExaBGP ends when relays die too often.
bool RelayLink::Impl::replaces(const Hello& hello) {
  const bool same = hello.program == programVersion();
  if (same || !replaced_.insert(hello.program).second) return false;
  log::info("relay_link.replaced", {{"version", hello.program}, {"wanted", programVersion()}});
  connection_->send(encode(AgentMessage(End{})));
  return replacing_ = true;
}

void RelayLink::Impl::onHello(const Hello& hello) {
  if (replaces(hello)) return;
  greeted_ = true;
  unanswered_ = 0;
  sent_ = 0;
  if (hello.recordLost && events_.error) {
    events_.error(
        "the relay's record was damaged: routes that are not wanted any more may stand until "
        "ExaBGP is restarted");
  }
  const auto connection = connection_;
  if (events_.connected) events_.connected(hello.standing);
  if (connection_ == connection && sent_ != generation_) sendRoutes();
}

void RelayLink::Impl::onClosed(const std::string& why) {
  connection_.reset();
  if (!std::exchange(greeted_, false)) return;
  log::warning("relay_link.disconnected", {{"reason", why}});
  if (events_.disconnected) events_.disconnected();
}

std::uint64_t RelayLink::Impl::publish(const RouteSet& wanted) {
  if (generation_ > 0 && wanted == wanted_) return generation_;
  wanted_ = wanted;
  ++generation_;
  sendRoutes();
  return generation_;
}

void RelayLink::Impl::setHold(Millis hold) {
  hold = std::clamp(hold, kMinHold, kMaxHold);
  if (hold == std::exchange(hold_, hold)) return;
  sendRoutes();
  if (acceptor_.is_open()) armHeartbeat();
}

void RelayLink::Impl::sendRoutes() {
  if (!greeted_ || generation_ == 0) return;
  sent_ = generation_;
  connection_->send(encode(AgentMessage(Routes{generation_, hold_, wanted_})));
}

void RelayLink::Impl::armHeartbeat() {
  heartbeat_.expires_after(std::clamp(hold_ / 4, Millis(100), Millis(3000)));
  heartbeat_.async_wait([this](const ErrorCode& stopped) {
    if (stopped) return;
    if (greeted_) beat();
    armHeartbeat();
  });
}

// Counts what was not answered, not time alone: this process may have been stopped, too.
void RelayLink::Impl::beat() {
  const TimePoint now = Clock::now();
  if (unanswered_ >= kMostUnanswered && now - firstUnanswered_ > frozenTime_) {
    return giveUpRelay("the relay has not answered for " + formatDuration(frozenTime_));
  }
  if (unanswered_++ == 0) firstUnanswered_ = now;
  connection_->send(encode(AgentMessage(Alive{})));
}

void RelayLink::Impl::giveUpRelay(const std::string& why) {
  const pid_t pid = relayPid_;
  dropConnection(why);
  if (events_.error) events_.error(why);
  if (events_.frozen) events_.frozen(pid);
}

RelayLink::RelayLink(asio::io_context& loop, Events events, Millis frozenTime)
    : impl_(std::make_unique<Impl>(loop, std::move(events), frozenTime)) {}
RelayLink::~RelayLink() = default;
Status RelayLink::listen(const std::string& path, const std::string& user) {
  return impl_->listen(path, user);
}
std::uint64_t RelayLink::publish(const RouteSet& wanted) {
  return impl_->publish(wanted);
}
void RelayLink::setHold(Millis hold) {
  impl_->setHold(hold);
}
bool RelayLink::isConnected() const {
  return impl_->isConnected();
}

}  // namespace l4ward::bgp
