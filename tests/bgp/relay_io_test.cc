// The program l4ward-exabgp and RelayLink, with pipes to a simulated ExaBGP.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <functional>

#include "base/file.h"
#include "base/unique_fd.h"
#include "bgp/line_buffer.h"
#include "bgp/relay_link.h"
#include "tests/base/temporary_folder.h"
#include "tests/bgp/relay_world.h"

namespace l4ward::bgp::testing {
namespace {

using Unix = asio::local::stream_protocol;

// The relay as ExaBGP runs it; what it writes goes to a FakeExabgp.
class RelayProcess {
 public:
  RelayProcess(FakeExabgp& exabgp, const std::string& folder) : exabgp_(exabgp) {
    std::array<int, 2> in{}, out{};
    EXPECT_EQ(::pipe2(in.data(), O_CLOEXEC), 0);
    EXPECT_EQ(::pipe2(out.data(), O_CLOEXEC), 0);
    const std::string program = L4WARD_BINARY_DIR "/l4ward-exabgp";
    const std::string socket = folder + "/bgp.sock", record = folder + "/relay.json";
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(in[0], 0);
      ::dup2(out[1], 1);
      const int log = ::open((folder + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
      ::dup2(log, 2);
      ::execl(program.c_str(), program.c_str(), socket.c_str(), record.c_str(), nullptr);
      ::_exit(127);
    }
    UniqueFd(in[0]).reset();
    UniqueFd(out[1]).reset();
    to_.reset(in[1]);
    from_.reset(out[0]);
    ::fcntl(from_.get(), F_SETFL, O_NONBLOCK);
  }
  ~RelayProcess() { end(SIGKILL); }

  void work() {
    std::array<char, 16384> chunk{};
    for (ssize_t got; (got = ::read(from_.get(), chunk.data(), chunk.size())) > 0;) {
      lines_.feed(std::string_view(chunk.data(), static_cast<std::size_t>(got)));
    }
    while (const auto line = lines_.next()) exabgp_.take(*line);
    while (exabgp_.answer()) {
    }
    while (!exabgp_.answers.empty()) {
      say(exabgp_.answers.front() + "\n");
      exabgp_.answers.pop_front();
    }
  }
  void say(const std::string& text) {
    EXPECT_EQ(::write(to_.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void closeInput() { to_.reset(); }
  void signal(int number) const { ::kill(pid_, number); }
  pid_t pid() const { return pid_; }
  int end(int signal) {
    if (pid_ <= 0) return -1;
    if (signal != 0) ::kill(pid_, signal);
    int status = 0;
    ::waitpid(std::exchange(pid_, 0), &status, 0);
    return status;
  }

 private:
  FakeExabgp& exabgp_;
  pid_t pid_ = 0;
  UniqueFd to_, from_;
  LineBuffer lines_{65536};
};

class RelayIoTest : public ::testing::Test, protected TemporaryFolder {
 protected:
  RelayIoTest() { std::signal(SIGPIPE, SIG_IGN); }

  void startRelay() { relay_ = std::make_unique<RelayProcess>(exabgp_, folder()); }
  void startLink(Millis hold = Millis(20000), Millis frozenTime = Millis(10000)) {
    link_ = std::make_unique<RelayLink>(
        loop_,
        RelayLink::Events{
            [this](const RouteSet& routes) { standing_ = routes; },
            [this](std::uint64_t generation) { synced_ = generation; },
            [this](const IpAddress& neighbor, const std::string& state, const std::string&) {
              sessions_.push_back(neighbor.str() + " " + state);
            },
            [this](const std::string& what) { errors_.push_back(what); },
            [this] { ++disconnects_; }, [this](const std::string& what) { stuck_.push_back(what); },
            [this](int pid) { frozen_.push_back(pid); }},
        frozenTime);
    link_->setHold(hold);
    ASSERT_TRUE(link_->listen(path()));
  }
  std::string path() const { return TemporaryFolder::path("bgp.sock"); }

  bool until(const std::function<bool()>& condition, Millis limit = Millis(10000)) {
    const TimePoint end = Clock::now() + limit;
    while (!condition()) {
      if (Clock::now() > end) return false;
      if (relay_) relay_->work();
      loop_.restart();
      loop_.run_for(Millis(2));
    }
    return true;
  }
  void sync(const RouteSet& wanted) {
    const auto generation = link_->publish(wanted);
    ASSERT_TRUE(until([&] { return synced_ == generation; }));
    ASSERT_TRUE(exabgp_.rib == asRib(wanted));
  }

  asio::io_context loop_{1};
  FakeExabgp exabgp_;
  std::unique_ptr<RelayProcess> relay_;
  std::unique_ptr<RelayLink> link_;
  std::optional<RouteSet> standing_;
  std::uint64_t synced_ = 0;
  std::vector<std::string> sessions_, errors_, stuck_;
  std::vector<int> frozen_;
  int disconnects_ = 0;
};

TEST_F(RelayIoTest, RoutesReachExabgpAndSessionsReachTheAgent) {
  startLink();
  startRelay();
  sync(routes(300));
  exabgp_.sessionUp("192.0.2.1");
  ASSERT_TRUE(until([&] { return exabgp_.endOfRib["192.0.2.1"] == 1 && !sessions_.empty(); }));
  EXPECT_EQ(sessions_[0], "192.0.2.1 up");
  EXPECT_EQ(standing_, RouteSet{});
}

TEST_F(RelayIoTest, RelayStartedFirstFindsTheAgent) {
  startRelay();
  until([] { return false; }, Millis(200));
  startLink();
  sync(routes(3));
}

TEST_F(RelayIoTest, UnchangedSetIsOneGeneration) {
  startLink();
  startRelay();
  sync(routes(3));
  EXPECT_EQ(link_->publish(routes(3)), 1U);
  EXPECT_EQ(link_->publish(routes(4)), 2U);
}

TEST_F(RelayIoTest, KilledRelayCostsNoUpdate) {
  startLink();
  startRelay();
  sync(routes(100));
  exabgp_.updates = 0;
  relay_->end(SIGKILL);
  synced_ = 0;
  startRelay();
  ASSERT_TRUE(until([&] { return synced_ == 1; }));
  EXPECT_EQ(disconnects_, 1);
  EXPECT_EQ(standing_, routes(100));
  EXPECT_EQ(exabgp_.updates, 0);
}

TEST_F(RelayIoTest, AgentGoneForTheHoldTimeLosesItsRoutes) {
  startLink(Millis(1000));
  startRelay();
  sync(routes(5));
  link_.reset();
  const TimePoint gone = Clock::now();
  ASSERT_TRUE(until([&] { return exabgp_.rib.empty(); }));
  EXPECT_GE(Clock::now() - gone, Millis(600));
  startLink();
  link_->publish(routes(5));
  ASSERT_TRUE(until([&] { return exabgp_.rib.size() == 5; }));
  EXPECT_EQ(errors_.size(), 1U);
}

TEST_F(RelayIoTest, HeartbeatsHoldTheRoutes) {
  startLink(Millis(500));
  startRelay();
  sync(routes(5));
  exabgp_.updates = 0;
  until([] { return false; }, Millis(1500));
  EXPECT_EQ(exabgp_.updates, 0);
}

TEST_F(RelayIoTest, GarbageFromExabgpIsSurvived) {
  startLink();
  startRelay();
  sync(routes(3));
  relay_->say(std::string(60000, 'x'));
  until([] { return false; }, Millis(50));
  relay_->say(std::string(60000, '\xff') + "\n{]\n\n\n");
  sync(routes(6));
}

TEST_F(RelayIoTest, DamagedRecordIsReported) {
  std::ofstream(TemporaryFolder::path("relay.json")) << "{\"version\": 1, ";
  startLink();
  startRelay();
  sync(routes(3));
  ASSERT_EQ(errors_.size(), 1U);
  EXPECT_NE(errors_[0].find("damaged"), std::string::npos);
}

TEST_F(RelayIoTest, HostileAgentIsDroppedAndTheNextOneServed) {
  {
    Unix::acceptor acceptor(loop_, Unix::endpoint(path()));
    startRelay();
    Unix::socket socket(loop_);
    acceptor.accept(socket);
    ErrorCode error;
    const std::string garbage = "{\"type\":\"what\"}\n";
    asio::write(socket, asio::buffer(garbage), error);
    std::string rest(1 << 16, ' ');
    while (!error) socket.read_some(asio::buffer(rest), error);
    EXPECT_EQ(error, asio::error::eof);
  }
  startLink();
  sync(routes(3));
}

TEST_F(RelayIoTest, HostileRelayIsDroppedAndTheNextOneServed) {
  startLink();
  Unix::socket silent(loop_), garbage(loop_), flood(loop_);
  silent.connect(Unix::endpoint(path()));
  garbage.connect(Unix::endpoint(path()));
  asio::write(garbage, asio::buffer(std::string("{\"type\":\"synced\",\"generation\":9}\n")));
  until([] { return false; }, Millis(50));
  flood.connect(Unix::endpoint(path()));
  flood.non_blocking(true);
  const std::string block(1 << 16, 'x');
  std::size_t taken = 0;
  until([&] {
    ErrorCode error;
    taken += flood.write_some(asio::buffer(block), error);
    return error && error != asio::error::would_block;
  });
  EXPECT_LT(taken, 2 * kMaxMessage);
  EXPECT_EQ(synced_, 0U);
  EXPECT_FALSE(link_->isConnected());
  startRelay();
  sync(routes(3));
}

// It slept many holds long, and wakes up with heartbeats unread and all its timers due.
TEST_F(RelayIoTest, FrozenRelayIsReportedAndDoesNoHarmWhenItWakes) {
  startLink(Millis(500), Millis(400));
  startRelay();
  sync(routes(5));
  exabgp_.updates = 0;
  relay_->signal(SIGSTOP);
  ASSERT_TRUE(until([&] { return !frozen_.empty(); }));
  EXPECT_EQ(frozen_, std::vector<int>{relay_->pid()});
  EXPECT_EQ(errors_.size(), 1U);
  EXPECT_EQ(disconnects_, 1);
  until([] { return false; }, Millis(1500));
  synced_ = 0;
  relay_->signal(SIGCONT);
  ASSERT_TRUE(until([&] { return synced_ == 1; }));
  until([] { return false; }, Millis(600));
  EXPECT_EQ(exabgp_.updates, 0);
  EXPECT_EQ(frozen_.size(), 1U);
}

TEST_F(RelayIoTest, RelayThatSleptShortOfItsTimersHearsFirst) {
  startLink(Millis(500), Millis(60000));
  startRelay();
  sync(routes(5));
  exabgp_.updates = 0;
  for (int i = 0; i < 5; ++i) {
    relay_->signal(SIGSTOP);
    until([] { return false; }, Millis(550 + 100 * i));  // the hold, and hardly more
    relay_->signal(SIGCONT);
    until([] { return false; }, Millis(50));
  }
  EXPECT_EQ(exabgp_.updates, 0);
  EXPECT_EQ(disconnects_, 0);
}

// The agent killed the ExaBGP of a relay that was stopped; the record is the next relay's.
TEST_F(RelayIoTest, RelayThatWakesWithoutItsExabgpOnlyEnds) {
  startLink();
  startRelay();
  sync(routes(5));
  relay_->signal(SIGSTOP);
  relay_->closeInput();
  link_->publish(routes(9));
  const std::string record = readFile(TemporaryFolder::path("relay.json"), kMaxRecord).value();
  until([] { return false; }, Millis(50));
  relay_->signal(SIGCONT);
  EXPECT_EQ(relay_->end(0), 0);
  EXPECT_EQ(readFile(TemporaryFolder::path("relay.json"), kMaxRecord).value(), record);
}

TEST_F(RelayIoTest, RelayOfAnotherVersionIsToBeReplaced) {
  startLink();
  Unix::socket old(loop_);
  old.connect(Unix::endpoint(path()));
  asio::write(old,
              asio::buffer(std::string(R"({"type":"hello","version":1,"instance":"","standing":[]})"
                                       "\n")));
  ASSERT_TRUE(until([&] { return !frozen_.empty(); }));
  EXPECT_EQ(frozen_[0], ::getpid());
}

// What is on disk may be as old: then it has to do.
TEST_F(RelayIoTest, RelayOfAnotherProgramIsToldToEndOnce) {
  startLink();
  const auto greet = [this](Unix::socket& relay) {
    Hello hello;
    hello.program = "0.0.1";
    relay.connect(Unix::endpoint(path()));
    const SessionEvent up{ip("192.0.2.1"), "up", ""};
    asio::write(relay, asio::buffer(encode(RelayMessage(hello)) + encode(RelayMessage(up))));
  };
  Unix::socket first(loop_), second(loop_);
  greet(first);
  ASSERT_TRUE(until([&] { return first.available() > 0; }));
  std::string said(first.available(), ' ');
  asio::read(first, asio::buffer(said));
  EXPECT_EQ(said, encode(AgentMessage(End{})));
  EXPECT_FALSE(link_->isConnected());
  first.close();
  greet(second);
  ASSERT_TRUE(until([&] { return link_->isConnected(); }));
  EXPECT_EQ(disconnects_, 0);
}

TEST_F(RelayIoTest, StuckExabgpIsReported) {
  startLink();
  Unix::socket relay(loop_);
  relay.connect(Unix::endpoint(path()));
  asio::write(relay,
              asio::buffer(encode(RelayMessage(Hello{})) + encode(RelayMessage(Stuck{"silent"}))));
  ASSERT_TRUE(until([&] { return !stuck_.empty(); }));
  EXPECT_EQ(stuck_[0], "silent");
}

TEST_F(RelayIoTest, EndOfInputEndsTheRelay) {
  startRelay();
  until([] { return false; }, Millis(50));
  relay_->closeInput();
  EXPECT_EQ(relay_->end(0), 0);
}

TEST_F(RelayIoTest, ListenRefusesWhatIsNotASocket) {
  std::ofstream(path()) << "precious";
  RelayLink link(loop_, {});
  EXPECT_FALSE(link.listen(path()));
  EXPECT_FALSE(link.listen(folder() + "/" + std::string(200, 'x')));
}

}  // namespace
}  // namespace l4ward::bgp::testing
