// A temporary directory for override files and records.
#pragma once

#include <filesystem>
#include <string>

#include "tests/base/temporary_folder.h"

namespace l4ward::agent {

class OverrideDirectory : public testing::Test, protected TemporaryFolder {
 protected:
  void remove(const std::string& name) const { std::filesystem::remove_all(path(name)); }
};

}  // namespace l4ward::agent
