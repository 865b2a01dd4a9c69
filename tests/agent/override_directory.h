// A temporary directory for override files and records.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace l4ward::agent {

class OverrideDirectory : public testing::Test {
 protected:
  OverrideDirectory() {
    std::string name = testing::TempDir() + "/l4ward-override-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~OverrideDirectory() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  void write(const std::string& name, const std::string& text = "") const {
    std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
    std::ofstream(path(name)) << text;
  }
  void remove(const std::string& name) const { std::filesystem::remove_all(path(name)); }

  std::string folder_;
};

}  // namespace l4ward::agent
