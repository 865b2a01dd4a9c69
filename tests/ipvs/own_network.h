// Each test of a real kernel runs in a network namespace of its own, which is empty at first.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "ipvs/netlink.h"

namespace l4ward::ipvs {

class OwnNetwork : public testing::Test {
 protected:
  void SetUp() override;  // fails without root

  // Runs a shell command; its failure is the test's.
  static void shell(const std::string& command);
};

// With IPVS.
class RealKernel : public OwnNetwork {
 protected:
  void SetUp() override;

  // The errno of one operation; 0 if it succeeded.
  template <typename What>
  int run(const ServiceKey& key, What what) {
    const Operation operation{key, what};
    const auto report = kernel->apply({&operation, 1});
    return report.failures.empty() ? 0 : report.failures[0].error.code;
  }
  std::unique_ptr<NetlinkKernel> kernel;
};

}  // namespace l4ward::ipvs
