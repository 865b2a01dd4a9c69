// A folder of a test's own, gone with it. Base of fixtures: what they hold themselves ends first.
#pragma once

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include "base/file.h"

namespace l4ward {

class TemporaryFolder {
 public:
  TemporaryFolder() : folder_(testing::TempDir() + "/l4ward-XXXXXX") {
    if (!::mkdtemp(folder_.data())) throw std::system_error(errno, std::generic_category());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(folder_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& folder() const { return folder_; }
  std::string path(std::string_view name) const { return folder_ + "/" + std::string(name); }
  // Puts it there whole, with the directories that `name` leads through.
  void write(std::string_view name, std::string_view text = {}) const {
    std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
    ASSERT_TRUE(replaceFile(path(name), text));
  }

 private:
  std::string folder_;
};

}  // namespace l4ward
