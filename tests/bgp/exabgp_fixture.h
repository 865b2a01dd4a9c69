// ExabgpProcess on a folder of its own, with a script in the place of ExaBGP.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "bgp/exabgp_process.h"

namespace l4ward::bgp::testing {

// Its folder has the stand-in `exabgp`, to be written by the test, and is the run directory.
class ExabgpFixture : public ::testing::Test {
 protected:
  explicit ExabgpFixture(const char* script) {
    std::string name = "/tmp/l4ward-process-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    options_ = {folder_ + "/exabgp", folder_ + "/exabgp.conf", folder_ + "/exabgp.pid",
                folder_ + "/log", ""};
    std::ofstream(options_.program) << script;
    ::chmod(options_.program.c_str(), 0755);
  }
  ~ExabgpFixture() override {
    bool stopped = false;
    if (!process_) process_ = make();
    if (pid_ > 0) {
      (void)process_->run("");
      process_->stop(Millis(2000), [&] { stopped = true; });
      until([&] { return stopped; });
    }
    std::filesystem::remove_all(folder_);
  }

  std::unique_ptr<ExabgpProcess> make() {
    return std::make_unique<ExabgpProcess>(
        loop_, options_,
        ExabgpProcess::Events{[this](int pid, bool adopted) {
                                pid_ = pid;
                                adopted_ = adopted;
                                ++starts_;
                              },
                              [this](const std::string& how) { exits_.push_back(how); },
                              [this](const Error& error) { failures_.push_back(error.message); },
                              [this] { ++awaited_; }});
  }
  bool until(const std::function<bool()>& condition) {
    const TimePoint end = Clock::now() + Millis(10000);
    while (!condition()) {
      if (Clock::now() > end) return false;
      loop_.restart();
      loop_.run_for(Millis(5));
    }
    return true;
  }
  bool logHas(const std::string& text) const {
    return readFile(options_.logPath, 1 << 20).value_or("").find(text) != std::string::npos;
  }
  void start() {
    process_ = make();
    ASSERT_TRUE(process_->run("one"));
    ASSERT_TRUE(until([&] { return logHas("started"); }));
  }

  asio::io_context loop_{1};
  std::string folder_;
  ExabgpProcess::Options options_;
  std::unique_ptr<ExabgpProcess> process_;
  int pid_ = 0;
  bool adopted_ = false;
  int starts_ = 0;
  int awaited_ = 0;
  std::vector<std::string> exits_, failures_;
};

}  // namespace l4ward::bgp::testing
