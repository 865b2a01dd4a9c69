#include "control/frontend.h"

#include <sys/stat.h>
#include <unistd.h>

#include <future>
#include <thread>
#include <utility>

#include "base/asio.h"
#include "base/backoff.h"
#include "base/log.h"
#include "base/signals_blocked.h"
#include "control/http_session.h"
#include "control/listener.h"
#include "control/socket_session.h"
#include "control/unix_socket.h"

namespace l4ward::control {
namespace {

Listener::Protocol::endpoint endpointOf(const Endpoint& address) {
  const auto ip = asio::ip::make_address(address.address.str());
  return asio::ip::tcp::endpoint(ip, address.port);
}

}  // namespace

// All but what the public functions do lives on thread_.
class Frontend::Impl {
 public:
  Impl(Options options, Backend& backend)
      : options_(std::move(options)),
        shared_{Desk(loop_, backend, options_.patience), {}},
        socket_(*loop_, options_.maxClients, maker<SocketSession>()),
        http_(*loop_, options_.maxClients, maker<HttpSession>()),
        httpAgain_(*loop_) {
    const SignalsBlocked blocked;
    thread_ = std::thread([this] { loop_->run(); });
    pthread_setname_np(thread_.native_handle(), "l4ward-control");
  }
  ~Impl() {
    asio::post(*loop_, [this] { close(); });
    thread_.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void post(auto&& work) { asio::post(*loop_, std::forward<decltype(work)>(work)); }
  void add(Event event) { shared_.followers.add(std::move(event)); }
  l4ward::Status listen();
  void setHttp(std::optional<Endpoint> address);

 private:
  template <typename Session>
  Listener::Make maker() {
    return [this](Connection::Socket socket, bool busy) {
      return std::make_shared<Session>(std::move(socket), options_.patience, shared_, busy);
    };
  }
  void openHttp();
  void close();
  bool isOurFile() const;

  const Options options_;
  std::shared_ptr<asio::io_context> loop_ = std::make_shared<asio::io_context>(1);
  asio::executor_work_guard<asio::io_context::executor_type> work_{loop_->get_executor()};
  Shared shared_;
  Listener socket_;
  struct stat file_ {};  // of the socket; st_ino 0: none
  Listener http_;
  asio::steady_timer httpAgain_;
  Backoff httpBackoff_{Millis(500), Millis(30000)};
  std::optional<Endpoint> httpAddress_;
  bool httpFailed_ = false;  // which was logged
  std::thread thread_;
};

l4ward::Status Frontend::Impl::listen() {
  const auto& path = options_.socketPath;
  if (path.empty()) return {};
  if (auto removed = removeStaleSocket(path); !removed) return removed;
  if (auto opened = socket_.open(asio::local::stream_protocol::endpoint(path)); !opened) {
    return fail("cannot bind " + path + ": " + opened.error().message, opened.error().code);
  }
  ::lstat(path.c_str(), &file_);
  if (auto set = setAccess(path, options_.group); !set) return set;
  return socket_.start();
}

void Frontend::Impl::setHttp(std::optional<Endpoint> address) {
  if (address == httpAddress_) return;
  http_.close();
  httpAgain_.cancel();
  httpBackoff_.reset();
  httpFailed_ = false;
  httpAddress_ = address;
  if (httpAddress_) openHttp();
}

void Frontend::Impl::openHttp() {
  auto opened = http_.open(endpointOf(*httpAddress_));
  if (opened) opened = http_.start();
  if (opened) {
    httpFailed_ = false;
    return log::info("http.listening", {{"address", httpAddress_->str()}});
  }
  if (!std::exchange(httpFailed_, true)) {
    log::warning("http.listen_failed",
                 {{"address", httpAddress_->str()}, {"reason", opened.error().message}});
  }
  httpAgain_.expires_after(httpBackoff_.next());
  httpAgain_.async_wait([this](const ErrorCode& stopped) {
    if (!stopped && httpFailed_) openHttp();
  });
}

// Another agent may have taken the place meanwhile.
bool Frontend::Impl::isOurFile() const {
  struct stat now {};
  return file_.st_ino != 0 && ::lstat(options_.socketPath.c_str(), &now) == 0 &&
         now.st_ino == file_.st_ino && now.st_dev == file_.st_dev;
}

void Frontend::Impl::close() {
  if (isOurFile()) ::unlink(options_.socketPath.c_str());
  socket_.close();
  http_.close();
  httpAgain_.cancel();
  shared_.desk.close();
  loop_->stop();
}

Frontend::Frontend(Options options, Backend& backend)
    : impl_(std::make_unique<Impl>(std::move(options), backend)) {}

Frontend::~Frontend() = default;

l4ward::Status Frontend::listen() {
  std::promise<l4ward::Status> done;
  impl_->post([&] { done.set_value(impl_->listen()); });
  return done.get_future().get();
}

void Frontend::setHttp(std::optional<Endpoint> address) {
  impl_->post([impl = impl_.get(), address] { impl->setHttp(address); });
}

void Frontend::add(Event event) {
  impl_->post(
      [impl = impl_.get(), event = std::move(event)]() mutable { impl->add(std::move(event)); });
}

}  // namespace l4ward::control
