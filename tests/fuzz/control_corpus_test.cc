#include <gtest/gtest.h>

#include "control/http_request.h"
#include "control/request.h"
#include "tests/fuzz/mutations.h"

namespace l4ward::fuzz {
namespace {

TEST(ControlCorpus, Mutations) {
  run(fuzz::control, filesIn("tests/fuzz/corpus/control"), 3000);
}

// Otherwise the mutations would only ever reach the first checks.
TEST(ControlCorpus, FilesAreUnderstood) {
  for (const auto& file : filesIn("tests/fuzz/corpus/control")) {
    const std::string text(file.begin(), file.end());
    EXPECT_TRUE(control::parseRequest(text) || control::parseReply(text) ||
                control::parseReply(text).error().code == "last-server" ||
                control::readHttpRequest(text).used > 0)
        << text;
  }
}

}  // namespace
}  // namespace l4ward::fuzz
