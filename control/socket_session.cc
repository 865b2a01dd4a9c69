#include "control/socket_session.h"

#include <utility>

#include "control/unix_socket.h"

namespace l4ward::control {
namespace {

// Of events that a follower has not read; a node that is in trouble writes some 100 a second.
constexpr std::size_t kMaxUnsent = 1 << 20;

}  // namespace

Connection::Next SocketSession::work() {
  if (busy_) {
    closeWhenSent();
    return refuse({"busy", "too many clients", "try again, or end some of them"});
  }
  while (auto line = takeLine()) {
    if (line->find_first_not_of(" \t\r") != std::string::npos) return answer(*line);
  }
  const auto limit = requestLimit(input());
  if (input().size() <= limit) return Next::read;
  closeWhenSent();
  return refuse({"too-long", "a request has at most " + std::to_string(limit) + " bytes",
                 "only \"plan\" may have more; its line begins with {\"command\":\"plan\""});
}

// The last line may lack its end.
std::optional<std::string> SocketSession::takeLine() {
  auto& bytes = input();
  const auto end = bytes.find('\n', scanned_);
  if (end == std::string::npos) {
    scanned_ = bytes.size();
    if (!ended() || bytes.empty()) return std::nullopt;
    scanned_ = 0;
    return std::exchange(bytes, {});
  }
  auto line = bytes.substr(0, end);
  bytes.erase(0, end + 1);
  scanned_ = 0;
  return line;
}

Connection::Next SocketSession::refuse(Refusal refusal) {
  send(encode(Reply(tl::unexpected(std::move(refusal)))) + "\n");
  return Next::wait;
}

Connection::Next SocketSession::answer(std::string_view line) {
  auto request = parseRequest(line);
  if (!request) return refuse(std::move(request.error()));
  if (const auto* wanted = std::get_if<EventsRequest>(&*request)) return events(*wanted);
  if (std::holds_alternative<StatusRequest>(*request)) {
    shared_.desk.status([self = self()](const std::shared_ptr<Snapshot>& snapshot) {
      if (!snapshot) {
        self->refuse({"timeout", "the agent does not answer", "see its log: journalctl -u l4ward"});
        return;
      }
      static const std::string around = encodeResult("");
      self->send(around.substr(0, around.size() - 1));
      self->send(snapshot, snapshot->json());
      self->send("}\n");
    });
    return Next::wait;
  }
  shared_.desk.ask(*request, peer(),
                   [self = self()](const Reply& reply) { self->send(encode(reply) + "\n"); });
  return Next::wait;
}

Connection::Next SocketSession::events(const EventsRequest& request) {
  if (!request.follow) {
    send(encodeResult(shared_.followers.after(request.after)) + "\n");
    return Next::wait;
  }
  std::string earlier;
  for (const auto& event : shared_.followers.ring().after(request.after)) {
    earlier += Followers::line(event);
  }
  send(std::move(earlier));
  follow();
  return Next::follow;
}

void SocketSession::follow() {
  shared_.followers.follow(
      this, [weak = std::weak_ptr<SocketSession>(self())](const Followers::Line& line) {
        const auto self = weak.lock();
        if (!self) return;
        // One that does not read: the node does not keep the past for it.
        if (self->unsent() > kMaxUnsent) return self->close();
        self->send(line, *line);
      });
}

void SocketSession::end() {
  shared_.followers.unfollow(this);
}

const Peer& SocketSession::peer() {
  if (!peer_) peer_ = peerOf(handle());
  return *peer_;
}

}  // namespace l4ward::control
