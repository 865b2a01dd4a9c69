// Whole calls: to a server made of nghttp2, in memory, and to a real gRPC server.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <map>
#include <stdexcept>

#include "base/unique_fd.h"
#include "healthcheck/protocol.h"

namespace l4ward::healthcheck {
namespace {

using namespace std::string_literals;

Probe targetAt(std::uint16_t port) {
  Probe probe;
  probe.target = Endpoint::parse("127.0.0.1:" + std::to_string(port)).value();
  return probe;
}

template <typename T>
std::string text(const T* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

// Takes one call apart and answers it; its protocol is nghttp2's, not ours.
class MemoryServer {
 public:
  MemoryServer() {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(
        callbacks,
        [](nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name, std::size_t nameSize,
           const std::uint8_t* value, std::size_t valueSize, std::uint8_t, void* server) {
          of(server).fields[text(name, nameSize)] = text(value, valueSize);
          return 0;
        });
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
        callbacks, [](nghttp2_session*, std::uint8_t, std::int32_t, const std::uint8_t* bytes,
                      std::size_t size, void* server) {
          of(server).message += text(bytes, size);
          return 0;
        });
    nghttp2_session_callbacks_set_on_frame_recv_callback(
        callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* server) {
          of(server).onFrame(*frame);
          return 0;
        });
    nghttp2_session_server_new(&session_, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, nullptr, 0);
  }
  ~MemoryServer() { nghttp2_session_del(session_); }
  MemoryServer(const MemoryServer&) = delete;
  MemoryServer& operator=(const MemoryServer&) = delete;

  // Throws when the bytes are no proper HTTP/2. What it sends in return.
  std::string exchange(std::string_view bytes) {
    const auto taken = nghttp2_session_mem_recv(
        session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    if (taken != static_cast<ssize_t>(bytes.size())) throw std::runtime_error("not HTTP/2");
    std::string sent;
    const std::uint8_t* piece = nullptr;
    while (const auto size = nghttp2_session_mem_send(session_, &piece)) {
      if (size < 0) throw std::runtime_error("cannot send");
      sent += text(piece, static_cast<std::size_t>(size));
    }
    return sent;
  }

  std::map<std::string, std::string> fields;
  std::string message;
  bool settingsAcknowledged = false;

 private:
  static MemoryServer& of(void* server) { return *static_cast<MemoryServer*>(server); }

  static nghttp2_nv field(const char* name, const char* value) {
    const auto bytes = [](const char* from) {
      return reinterpret_cast<std::uint8_t*>(const_cast<char*>(from));
    };
    return {bytes(name), bytes(value), std::strlen(name), std::strlen(value), NGHTTP2_NV_FLAG_NONE};
  }

  void onFrame(const nghttp2_frame& frame) {
    if (frame.hd.type == NGHTTP2_SETTINGS && (frame.hd.flags & NGHTTP2_FLAG_ACK) != 0) {
      settingsAcknowledged = true;
    }
    const bool isCall = frame.hd.type == NGHTTP2_HEADERS || frame.hd.type == NGHTTP2_DATA;
    if (!isCall || (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return;
    const nghttp2_nv headers[] = {field(":status", "200"),
                                  field("content-type", "application/grpc+proto")};
    const nghttp2_data_provider body{
        {},
        [](nghttp2_session* session, std::int32_t stream, std::uint8_t* to, std::size_t,
           std::uint32_t* flags, nghttp2_data_source*, void*) -> ssize_t {
          const nghttp2_nv trailers[] = {field("grpc-status", "0"), field("grpc-message", "")};
          nghttp2_submit_trailer(session, stream, trailers, std::size(trailers));
          *flags = NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
          return static_cast<ssize_t>("\0\0\0\0\2\x08\1"s.copy(reinterpret_cast<char*>(to), 7));
        }};
    nghttp2_submit_response(session_, frame.hd.stream_id, headers, std::size(headers), &body);
  }

  nghttp2_session* session_ = nullptr;
};

TEST(GrpcCall, IsWhatAServerUnderstands) {
  const auto protocol = grpcProtocol(GrpcProbe{"shop.Cart", ""}, targetAt(50051)).value();
  const auto dialog = protocol->begin();
  MemoryServer server;
  const auto answer = server.exchange(dialog->opening());
  EXPECT_EQ(server.fields, (std::map<std::string, std::string>{
                               {":method", "POST"},
                               {":scheme", "http"},
                               {":path", "/grpc.health.v1.Health/Check"},
                               {":authority", "127.0.0.1:50051"},
                               {"te", "trailers"},
                               {"content-type", "application/grpc"},
                               {"user-agent", "l4ward"},
                           }));
  EXPECT_EQ(server.message, "\0\0\0\0\x0b\x0a\x09shop.Cart"s);
  EXPECT_EQ(dialog->receive(answer), passed("SERVING"));
}

TEST(GrpcCall, IsTheSameByteByByte) {
  const auto protocol = grpcProtocol(GrpcProbe{}, targetAt(50051)).value();
  const auto dialog = protocol->begin();
  MemoryServer server;
  std::string answer;
  for (const char byte : dialog->opening()) answer += server.exchange({&byte, 1});
  std::optional<Judgement> judgement;
  for (std::size_t at = 0; at < answer.size() && !judgement; ++at) {
    judgement = dialog->receive(std::string_view(answer).substr(at, 1));
    server.exchange(dialog->reply());
  }
  EXPECT_EQ(judgement, passed("SERVING"));
  EXPECT_TRUE(server.settingsAcknowledged);
}

TEST(GrpcCall, SchemeAndAuthority) {
  auto probe = targetAt(443);
  probe.tls.emplace();
  const auto protocol = grpcProtocol(GrpcProbe{"", "shop.example.org"}, probe).value();
  const auto dialog = protocol->begin();
  MemoryServer server;
  server.exchange(dialog->opening());
  EXPECT_EQ(server.fields[":scheme"], "https");
  EXPECT_EQ(server.fields[":authority"], "shop.example.org");
}

// The largest name whose request fits into the window that a server must give.
TEST(GrpcCall, ALongServiceNameIsSentWhole) {
  const std::string service(60000, 's');
  const auto protocol = grpcProtocol(GrpcProbe{service, ""}, targetAt(443)).value();
  const auto dialog = protocol->begin();
  MemoryServer server;
  EXPECT_EQ(dialog->receive(server.exchange(dialog->opening())), passed("SERVING"));
  EXPECT_EQ(server.message.size(), 5 + 4 + service.size());
}

// tests/healthcheck/grpc_health_server.py, until it is destroyed.
class RealServer {
 public:
  explicit RealServer(std::vector<std::string> options) {
    int output[2];
    if (::pipe2(output, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    UniqueFd theirs(output[1]);
    FILE* const lines = ::fdopen(output[0], "r");
    options.insert(options.begin(), {"/usr/bin/python3",
                                     L4WARD_SOURCE_DIR "/tests/healthcheck/grpc_health_server.py"});
    std::vector<char*> arguments;
    for (auto& option : options) arguments.push_back(option.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t files;
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawn_file_actions_adddup2(&files, theirs.get(), STDOUT_FILENO);
    const int error =
        ::posix_spawn(&pid_, arguments[0], &files, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&files);
    if (error != 0) throw std::runtime_error("no python3");
    theirs.reset();
    if (std::fscanf(lines, "listening on %hu", &port_) != 1) throw std::runtime_error("no server");
    std::fclose(lines);
  }
  ~RealServer() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  RealServer(const RealServer&) = delete;
  RealServer& operator=(const RealServer&) = delete;

  Judgement ask(const std::string& service) const {
    const auto protocol = grpcProtocol(GrpcProbe{service, ""}, targetAt(port_)).value();
    const auto dialog = protocol->begin();
    const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const timeval patience{20, 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("not connected");
    }
    const auto send = [&](std::string_view bytes) {
      if (::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) {
        throw std::runtime_error("not sent");
      }
    };
    send(dialog->opening());
    char bytes[4096];
    for (;;) {
      const auto got = ::recv(socket.get(), bytes, sizeof bytes, 0);
      if (got <= 0) return dialog->end();
      if (auto judgement = dialog->receive({bytes, static_cast<std::size_t>(got)})) {
        return *judgement;
      }
      send(dialog->reply());
    }
  }

 private:
  pid_t pid_ = 0;
  std::uint16_t port_ = 0;
};

TEST(GrpcCall, ToARealServer) {
  const RealServer server({"--service", "shop"});
  EXPECT_EQ(server.ask(""), passed("SERVING"));
  EXPECT_EQ(server.ask("shop"), passed("SERVING"));
  EXPECT_EQ(server.ask("bank"), failed(FailureKind::badResponse,
                                       "service 'bank' is unknown to the server (NOT_FOUND)"));
}

TEST(GrpcCall, ToARealServerThatDoesNotServe) {
  const RealServer server({"--status", "NOT_SERVING"});
  EXPECT_EQ(server.ask(""), failed(FailureKind::reported, "NOT_SERVING"));
}

TEST(GrpcCall, ToARealServerWithoutHealthService) {
  const RealServer server({"--no-health"});
  EXPECT_EQ(server.ask(""), failed(FailureKind::badResponse, "no health service (UNIMPLEMENTED)"));
}

}  // namespace
}  // namespace l4ward::healthcheck
