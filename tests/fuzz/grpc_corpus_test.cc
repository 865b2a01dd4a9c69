// As corpus_test.cc, for the answers to gRPC health checks.
#include <gtest/gtest.h>

#include "tests/fuzz/mutations.h"

namespace l4ward::fuzz {
namespace {

TEST(Corpus, Grpc) {
  run(grpc, filesIn("tests/fuzz/corpus/grpc"), 5000);
}

}  // namespace
}  // namespace l4ward::fuzz
