// The relay's state machine: it holds the wanted routes for an agent that may die, and makes
// ExaBGP announce just those. Pure: time, lines and messages in; lines, messages and the record
// out. docs/bgp.md and docs/adr/0001 say what it promises.
//
// Feed inputs, then call step() and do what it returns in this order: write the record, write the
// lines to ExaBGP, send the messages. Call step() again at deadline().
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "bgp/exabgp_text.h"
#include "bgp/messages.h"
#include "bgp/record.h"
#include "bgp/route_book.h"
#include "bgp/route_group.h"

namespace l4ward::bgp {

struct RelayOutput {
  std::optional<RelayRecord> record;
  std::vector<std::string> lines;  // without their ends; each at most kMaxCommandLine bytes
  std::vector<RelayMessage> messages;
  std::vector<std::string> notes;  // for the log
  bool dropAgent = false;          // close its connection after the messages
  bool quit = false;               // exit, for ExaBGP to start the next relay
};

class RelayState {
 public:
  static constexpr std::size_t kWindow = 64;  // lines in flight…
  // …which ExaBGP must be able to take in one read of 16384 bytes, with a barrier or two: what it
  // has buffered beyond a read it does not see before more comes.
  static constexpr std::size_t kWindowBytes = 16000;
  static constexpr Millis kAgentWait{2000};    // for a living agent to speak after a start
  static constexpr Millis kDecideTime{10000};  // the same, if it is connected and no record speaks
  static constexpr Millis kAskTime{5000};  // ExaBGP's silence after which it is asked for a sign
  static constexpr Millis kAnswerTime{10000};   // … the agent is told that it is stuck
  static constexpr Millis kBarrierTime{30000};  // … and the relay gives up
  static constexpr Millis kEndOfRibRetry{1000};

  // `record`: what the last relay left, or nothing. `recordLost`: there was one, but damaged.
  RelayState(TimePoint now, std::string instance, const std::optional<RelayRecord>& record,
             bool recordLost);

  void agentConnected(TimePoint now);  // a new connection; takes the place of an older one
  void agentMessage(TimePoint now, const AgentMessage& message);
  void agentGone(TimePoint now);
  void exabgpLine(TimePoint now, std::string_view line);
  // This process did not run for a while, so nobody's silence until now means anything.
  void sleptUntil(TimePoint now);

  RelayOutput step(TimePoint now);
  TimePoint deadline(TimePoint now) const;

 private:
  struct Session {
    bool up = false;
    bool endOfRibDue = false;
    TimePoint notBefore{};
  };
  using EndOfRib = IpAddress;  // of the neighbor
  using Keys = std::vector<RouteKey>;
  struct Flight {
    std::variant<Keys, EndOfRib> what;
    std::string line;
  };
  // kBarrierLine at the start, when answers went missing, and as a sign of life when there is
  // nothing else to do: until its answer has come, those before it belong to nobody.
  enum class Barrier { due, sent, header, passed };

  void hear(TimePoint now);
  void replaced();
  void publish(TimePoint now, const Routes& routes);
  void want(TimePoint now, RouteSet wanted);
  void answered(TimePoint now, bool done);
  void summaryHeader();
  void session(TimePoint now, const Reply& reply);
  void refused(TimePoint now, const Flight& flight);

  TimePoint holdEnd() const;
  TimePoint decideAt(TimePoint now) const;
  void decide(TimePoint now);
  void expire(TimePoint now);
  void watchAnswers(TimePoint now);
  void askAgain();
  bool sendEndOfRib(TimePoint now);
  void sendRoutes(TimePoint now);
  void sendGroup(TimePoint now, RouteGroup& group);
  void sendLine(TimePoint now, Flight flight);
  void reportSync();
  void writeRecord();
  void report(std::string what);
  bool isUp(const IpAddress& neighbor) const;

  const std::string instance_;
  const bool recordLost_;
  TimePoint awake_;  // since when it runs without a break

  bool agentThere_ = false;
  TimePoint heard_;
  Millis hold_{30000};
  std::optional<RouteSet> wanted_;    // nothing: not decided yet
  std::optional<RouteSet> recorded_;  // wanted when ExaBGP ended, until decided
  bool expired_ = false;
  std::uint64_t generation_ = 0;  // of the connected agent's last routes; 0: none
  bool synced_ = false;

  RouteBook book_;
  std::map<IpAddress, Session> sessions_;
  std::deque<Flight> flight_;
  std::size_t flightBytes_ = 0;
  TimePoint progress_;  // of the last answer, or of the first command after silence
  Barrier barrier_ = Barrier::due;
  bool stuck_ = false;        // reported, and no answer since
  bool foreignDone_ = false;  // the next "done" ends a summary that another relay asked for

  bool recordDirty_ = true;
  TimePoint recordedHeard_{};
  RelayOutput out_;
};

}  // namespace l4ward::bgp
