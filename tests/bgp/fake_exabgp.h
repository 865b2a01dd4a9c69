// An ExaBGP that answers in order and keeps an adj-rib-out, for tests of RelayState.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>
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
      const auto [isNew, unused] = std::pair(inFlight_.insert(slotOf(line)).second, 0);
      EXPECT_TRUE(isNew) << "two changes in flight: " << line;
    }
    queue_.push_back(line);
    most = std::max(most, queue_.size());
  }

  // Works on one line that it has read; false if there is none.
  bool answer() {
    if (queue_.empty()) return false;
    const std::string line = queue_.front();
    queue_.pop_front();
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
      inFlight_.erase(slotOf(line));
      apply(line);
    }
    return true;
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
  std::map<std::string, int> endOfRib;
  std::map<std::string, std::map<std::string, std::string>> ribAtEnd;
  std::size_t most = 0;  // commands in flight
  int lines = 0;
  int updates = 0;  // that a router would have seen

 private:
  static std::string word(const std::string& line, int index) {
    std::istringstream words(line);
    std::string text;
    for (int i = 0; i <= index; ++i) words >> text;
    return text;
  }
  static std::string neighborOf(const std::string& line) { return word(line, 1); }
  static std::string slotOf(const std::string& line) { return word(line, 1) + " " + word(line, 4); }

  void apply(const std::string& line) {
    const std::string slot = slotOf(line);
    if (refuse.contains(slot)) return answers.push_back("error");
    const std::string attributes = line.substr(line.find("next-hop"));
    if (word(line, 2) == "withdraw") {
      rib.erase(slot);
      ++updates;
    } else if (rib[slot] != attributes) {
      rib[slot] = attributes;
      ++updates;
    }
    answers.push_back("done");
  }

  std::deque<std::string> queue_;
  std::set<std::string> inFlight_;
};

// A route set as FakeExabgp would hold it.
inline std::map<std::string, std::string> asRib(const RouteSet& routes) {
  std::map<std::string, std::string> rib;
  for (const auto& [route, attributes] : routes) {
    const std::string line = announceLine(route, attributes);
    rib[route.neighbor.str() + " " + route.prefix.str()] = line.substr(line.find("next-hop"));
  }
  return rib;
}

}  // namespace l4ward::bgp::testing
