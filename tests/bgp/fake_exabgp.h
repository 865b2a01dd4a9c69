// An ExaBGP that answers in order and keeps an adj-rib-out, for tests of RelayState.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "bgp/exabgp_text.h"
#include "bgp/route.h"

namespace l4ward::bgp::testing {

inline IpAddress ip(const std::string& text) {
  return IpAddress::parse(text).value();
}
inline Attributes plain(const IpAddress& nextHop, std::optional<std::uint32_t> med = {}) {
  Attributes attributes;
  attributes.nextHop = nextHop;
  attributes.med = med;
  return attributes;
}
inline RouteKey key(const std::string& neighbor, const std::string& prefix) {
  return {ip(neighbor), Prefix::parse(prefix).value()};
}

class FakeExabgp {
 public:
  // What the real one does with a line at once; answers come from answer().
  void take(const std::string& line) {
    ++lines;
    if (line.find(" announce eor ") != std::string::npos) {
      if (!established.contains(neighborOf(line))) {
        answers.push_back("error");  // overtakes
        EXPECT_TRUE(queue_.empty()) << "an end-of-RIB must travel alone";
        return;
      }
    } else if (line != kBarrierLine) {
      ++commands;
      for (const std::string& slot : slotsOf(line)) {
        EXPECT_TRUE(inFlight_.insert(slot).second) << "two changes in flight: " << line;
      }
    }
    queue_.push_back(line);
    most = std::max(most, queue_.size());
    unread += line.size() + 1;
    mostBytes = std::max(mostBytes, unread);
  }

  // Works on one line that it has read; false if there is none, or it hangs.
  bool answer() {
    if (hangs) return false;
    if (queue_.empty()) return false;
    const std::string line = queue_.front();
    queue_.pop_front();
    if (ofDeadRelay_ > 0) {
      --ofDeadRelay_;
      toOtherRelay_ = true;
    }
    unread -= line.size() + 1;
    if (line == kBarrierLine) {
      answers.push_back("Peer            AS        up/down state       |     #sent     #recvd");
      for (const std::string& neighbor : established) {
        answers.push_back(neighbor + "  65000   0:00:12 established           1          0");
      }
      answers.push_back("done");
    } else if (line.find(" announce eor ") != std::string::npos) {
      ++endOfRib[neighborOf(line)];
      ribAtEnd[neighborOf(line)] = rib;
      answers.push_back("done");
    } else {
      for (const std::string& slot : slotsOf(line)) inFlight_.erase(slot);
      apply(line);
    }
    return true;
  }

  // Another relay reads and writes now: what the last one did not read is lost, what it wrote is
  // answered to the next one. But starting a relay takes ExaBGP many turns, so that does not happen
  // twice in a row.
  void changeRelay() {
    while (ofDeadRelay_ > 0 || (toOtherRelay_ && !queue_.empty())) answer();
    toOtherRelay_ = false;
    answers.clear();
    ofDeadRelay_ = queue_.size();
  }

  void sessionUp(const std::string& neighbor) {
    established.insert(neighbor);
    endOfRib[neighbor] = 0;
    answers.push_back(event(neighbor, "up"));
  }
  void sessionDown(const std::string& neighbor) {
    if (established.erase(neighbor)) answers.push_back(event(neighbor, "down"));
  }

  static std::string event(const std::string& neighbor, const std::string& state) {
    return R"({ "exabgp": "4.0.1", "type": "state", "neighbor": { "address": { "local": "::1", )"
           R"("peer": ")" +
           neighbor + R"(" }, "state": ")" + state + R"(", "reason": "x"} })";
  }

  std::deque<std::string> answers;         // written, not yet read by the relay
  std::map<std::string, std::string> rib;  // "neighbor prefix" → attributes
  std::set<std::string> established;
  std::set<std::string> refuse;  // "neighbor prefix" that it answers with an error
  bool refusesWithdrawals = true;
  std::map<std::string, int> endOfRib;
  std::map<std::string, std::map<std::string, std::string>> ribAtEnd;
  bool hangs = false;
  std::size_t most = 0;       // lines in flight
  std::size_t mostBytes = 0;  // …
  std::size_t unread = 0;
  int lines = 0;
  int commands = 0;  // lines that change routes
  int updates = 0;   // that a router would have seen

 private:
  static std::string word(const std::string& line, int index) {
    std::istringstream words(line);
    std::string text;
    for (int i = 0; i <= index; ++i) words >> text;
    return text;
  }
  static std::string neighborOf(const std::string& line) { return word(line, 1); }
  // "neighbor prefix", one or many.
  static std::vector<std::string> slotsOf(const std::string& line) {
    const std::string neighbor = neighborOf(line) + " ";
    if (word(line, 3) == "route") return {neighbor + word(line, 4)};
    std::vector<std::string> slots;
    std::istringstream prefixes(line.substr(line.find(" nlri ") + 6));
    for (std::string prefix; prefixes >> prefix;) slots.push_back(neighbor + prefix);
    EXPECT_GT(slots.size(), 1U) << line;
    return slots;
  }

  void apply(const std::string& line) {
    const std::vector<std::string> slots = slotsOf(line);
    const bool withdraws = word(line, 2) == "withdraw";
    for (const std::string& slot : slots) {
      const bool may = withdraws && !refusesWithdrawals;
      if (refuse.contains(slot) && !may) return answers.push_back("error");
    }
    const std::size_t begin = line.find("next-hop");
    const std::string attributes = line.substr(begin, line.find(" nlri ") - begin);
    for (const std::string& slot : slots) {
      if (withdraws) {
        rib.erase(slot);
        ++updates;
      } else if (rib[slot] != attributes) {
        rib[slot] = attributes;
        ++updates;
      }
    }
    answers.push_back("done");
  }

  std::deque<std::string> queue_;
  std::size_t ofDeadRelay_ = 0;  // so many at the front of the queue
  bool toOtherRelay_ = false;    // the running one got some of their answers
  std::set<std::string> inFlight_;
};

// A route set as FakeExabgp would hold it.
inline std::map<std::string, std::string> asRib(const RouteSet& routes) {
  std::map<std::string, std::string> rib;
  for (const auto& [route, attributes] : routes) {
    const std::string line = routeLine(true, route, attributes);
    rib[route.neighbor.str() + " " + route.prefix.str()] = line.substr(line.find("next-hop"));
  }
  return rib;
}

}  // namespace l4ward::bgp::testing
