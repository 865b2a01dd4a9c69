// Runs attempts on an io_context of the test's own thread.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "healthcheck/attempt.h"
#include "tests/base/temporary_folder.h"

namespace l4ward::healthcheck {

class AttemptsFixture : public testing::Test, protected TemporaryFolder {
 protected:
  AttemptsFixture() { probe_.target = Endpoint::parse("192.0.2.1:8080").value(); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name)) << text;
  }
  std::string read(const std::string& name) const {
    std::ifstream file(path(name));
    return {std::istreambuf_iterator<char>(file), {}};
  }

  // Lets the io_context work until it holds; a failure when it does not within 20 s.
  void runUntil(const std::function<bool()>& holds) {
    const auto limit = Clock::now() + std::chrono::seconds(20);
    while (!holds()) {
      if (Clock::now() > limit) throw std::runtime_error("it did not happen within 20 s");
      io_.restart();
      io_.run_one_for(std::chrono::milliseconds(10));
    }
  }
  // All that can be done at once.
  void runReady() {
    io_.restart();
    io_.poll();
  }

  Judgement judge(Attempts& attempts) {
    std::optional<Judgement> judgement;
    const auto attempt = attempts.make();
    attempt->start([&](Judgement said) {
      EXPECT_FALSE(judgement) << "a second judgement";
      judgement = std::move(said);
    });
    runUntil([&] { return judgement.has_value(); });
    return *judgement;
  }

  std::vector<char> scratch_ = std::vector<char>(std::size_t{16} * 1024);
  Probe probe_;
  asio::io_context io_;
  Attempts::Shared shared_{io_, scratch_};
};

}  // namespace l4ward::healthcheck
