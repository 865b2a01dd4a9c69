#include <gtest/gtest.h>

#include "tests/fuzz/mutations.h"

namespace l4ward::fuzz {
namespace {

// tests/config/robustness_test.cc does more of it, with YAML in mind.
TEST(SiteCorpus, ExamplesAndFindings) {
  auto files = filesIn("examples", ".yaml");
  const auto found = filesIn("tests/fuzz/corpus/site");
  files.insert(files.end(), found.begin(), found.end());
  run(site, files, 200);
}

}  // namespace
}  // namespace l4ward::fuzz
