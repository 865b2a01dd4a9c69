#include <gtest/gtest.h>

#include "tests/fuzz/mutations.h"

namespace l4ward::fuzz {
namespace {

TEST(DialogCorpus, Http) {
  run(http, filesIn("tests/fuzz/corpus/http"), 1000);
}

TEST(DialogCorpus, Agent) {
  run(agent, filesIn("tests/fuzz/corpus/agent"), 5000);
}

}  // namespace
}  // namespace l4ward::fuzz
