// Every file of the corpus and mutations of each. What fuzzing finds gets a file there.
#include <gtest/gtest.h>

#include <string>

#include "ipvs/memory.h"
#include "tests/fuzz/mutations.h"

namespace l4ward::fuzz {
namespace {

TEST(Corpus, Netlink) {
  run(netlink, filesIn("tests/fuzz/corpus/netlink"), 5000);
}

// Otherwise the mutations would only ever reach the first checks.
TEST(Corpus, RecordsAreValid) {
  for (const auto& file : filesIn("tests/fuzz/corpus/memory")) {
    const auto decoded = ipvs::decode(std::string(file.begin(), file.end()), kRecordIdentity);
    EXPECT_TRUE(decoded) << decoded.error().message;
  }
}

// Else the mutations would only ever reach the question.
TEST(Corpus, DnsAnswersHaveRecords) {
  for (const auto& file : filesIn("tests/fuzz/corpus/dns")) {
    EXPECT_GT(dnsRecordsIn(file), 0U) << std::string(file.begin(), file.end());
  }
}

TEST(Corpus, Dns) {
  run(dns, filesIn("tests/fuzz/corpus/dns"), 5000);
}

TEST(Corpus, Http) {
  run(http, filesIn("tests/fuzz/corpus/http"), 1000);
}

TEST(Corpus, Agent) {
  run(agent, filesIn("tests/fuzz/corpus/agent"), 5000);
}

TEST(Corpus, Memory) {
  run(memory, filesIn("tests/fuzz/corpus/memory"), 5000);
}

}  // namespace
}  // namespace l4ward::fuzz
