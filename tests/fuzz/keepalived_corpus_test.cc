#include <gtest/gtest.h>

#include "tests/fuzz/mutations.h"

namespace l4ward::fuzz {
namespace {

TEST(KeepalivedCorpus, ExamplesAndFindings) {
  run(keepalived, filesIn("tests/fuzz/corpus/keepalived"), 400);
}

}  // namespace
}  // namespace l4ward::fuzz
