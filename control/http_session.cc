#include "control/http_session.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "config/diagnostics.h"
#include "control/page_assets.h"

namespace l4ward::control {
namespace {

constexpr Millis kProbePatience{2000};  // balancers that ask have little more
constexpr std::string_view kVip = "/vip/";

// To look a flow up takes no name, and there is none.
const Peer kAnybody{0, static_cast<unsigned>(-1), "http"};

std::string hostName() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

// Of its own end.
bool isLoopback(int socket) {
  asio::ip::tcp::endpoint local;
  auto size = static_cast<socklen_t>(local.capacity());
  if (::getsockname(socket, local.data(), &size) != 0) return true;
  const auto address = local.address();
  if (address.is_v4() || !address.to_v6().is_v4_mapped()) return address.is_loopback();
  return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).is_loopback();
}

// A page of anybody's that a browser on this machine shows can have its own name mean 127.0.0.1,
// and read what is answered there (DNS rebinding). On other addresses a filter has to say who may
// come, and those who may have names for this node that it does not know.
bool isRebound(const std::string& host, int socket) {
  return !isOwnHost(host, hostName()) && isLoopback(socket);
}

}  // namespace

Connection::Next HttpSession::work() {
  if (busy_) return refuse(503, "too many clients\n");
  auto read = readHttpRequest(input());
  if (read.refusal == 431) return refuse(431, "the header has more than 8 KiB\n");
  if (read.refusal == 413) return refuse(413, "a request has no body here\n");
  if (read.refusal != 0) return refuse(400, "this is no HTTP request\n");
  if (read.used == 0) return Next::read;
  input().erase(0, read.used);

  const auto& request = read.request;
  keepAlive_ = request.keepAlive;
  toHead_ = request.method == "HEAD";
  if (isRebound(request.host, handle())) {
    return refuse(421, "this node is not " + config::inQuotes(request.host) +
                           "; ask for it as localhost or by its address\n");
  }
  const auto target = parseTarget(request.target);
  const auto path = target ? target->path : "";
  if (request.method != "GET" && !toHead_) {
    answer(errorAnswer(
        405, {"bad-method", "only GET and HEAD are answered", "to change something: l4wardctl"},
        path));
  } else if (!target) {
    answer(textAnswer(400, "the target is no path\n"));
  } else {
    route(*target);
  }
  return Next::wait;
}

Connection::Next HttpSession::refuse(unsigned status, const std::string& text) {
  keepAlive_ = false;
  toHead_ = false;
  answer(textAnswer(status, text));
  return Next::wait;
}

void HttpSession::route(const HttpTarget& target) {
  const auto& path = target.path;
  const auto assets = pageAssets();
  const auto asset = std::find_if(assets.begin(), assets.end(),
                                  [&](const Asset& one) { return one.path == path; });
  if (asset != assets.end()) return answer({200, asset->type, asset->content, nullptr});
  if (path == "/metrics") return withStatus(patience(), metricsAnswer);
  if (path == "/healthz") return withStatus(kProbePatience, healthAnswer);
  if (path == "/readyz") return withStatus(kProbePatience, readyAnswer);
  if (path.starts_with(kVip)) return routeVip(target);
  routeApi(target);
}

void HttpSession::routeVip(const HttpTarget& target) {
  const auto address = IpAddress::parse(target.path.substr(kVip.size()));
  if (!address) return answer(textAnswer(400, address.error().message + "\n"));
  withStatus(kProbePatience,
             [address = *address](const Snapshots& found) { return vipAnswer(found, address); });
}

void HttpSession::routeApi(const HttpTarget& target) {
  const auto& path = target.path;
  if (path == "/api/status") return withStatus(patience(), statusAnswer);
  if (path == "/api/events") return answer(eventsAnswer(shared_.followers, target));
  if (path != "/api/lookup") return answer(notFound(path));
  const auto request = lookupRequest(target);
  if (!request) return answer(replyAnswer(tl::unexpected(request.error()), path));
  shared_.desk.ask(*request, kAnybody, [self = self(), path](const Reply& reply) {
    self->answer(replyAnswer(reply, path));
  });
}

void HttpSession::withStatus(Millis limit, std::function<HttpAnswer(const Snapshots&)> make) {
  shared_.desk.status(limit, [self = self(), make = std::move(make)](const Snapshots& snapshot) {
    self->answer(make(snapshot));
  });
}

void HttpSession::answer(const HttpAnswer& answer) {
  if (!keepAlive_) closeWhenSent();
  send(headerOf(answer, keepAlive_));
  if (!toHead_) send(answer.owner, answer.body);
}

}  // namespace l4ward::control
