// An agent's control socket for the tests of its client: a script answers, connection by
// connection.
#pragma once

#include <functional>
#include <string>
#include <thread>

#include "base/unique_fd.h"

namespace l4ward::ctl::testing {

// What a script does with one line: what it returns is sent, "" for nothing. It may end the
// connection by returning kHangUp, alone or behind a text.
inline constexpr char kHangUp = '\0';
using Answer = std::function<std::string(const std::string& line)>;

class FakeAgent {
 public:
  FakeAgent(const std::string& path, Answer answer);
  ~FakeAgent();
  FakeAgent(const FakeAgent&) = delete;
  FakeAgent& operator=(const FakeAgent&) = delete;

 private:
  void serve();
  void serveOne(const UniqueFd& connection) const;

  Answer answer_;
  UniqueFd listener_;
  UniqueFd stop_;
  std::thread thread_;
};

}  // namespace l4ward::ctl::testing
