// NetlinkKernel against a kernel that does what a real one does seldom or never.
#include <gmock/gmock.h>
#include <linux/ip_vs.h>

#include <cerrno>

#include "ipvs/netlink.h"
#include "tests/ipvs/scripted_channel.h"
#include "tests/ipvs/tables.h"

namespace l4ward::ipvs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const ServiceKey kWeb = tcp("198.51.100.1:80");
const ServiceKey kWeb6 = tcp("[2001:db8::1]:443");
const Error kOverrun{"cannot receive from the kernel", ENOBUFS};

using Answers = std::deque<ScriptedAnswer>;
using Requests = std::vector<ScriptedRequest>;

bool asksForServices(const Requests& requests) {
  return requests.front().command == IPVS_CMD_GET_SERVICE;
}

Bytes serviceMessage(std::uint32_t sequence, const ServiceKey& key = kWeb) {
  return data(sequence, IPVS_CMD_NEW_SERVICE, serviceContent(key, {}));
}

Bytes destinationMessage(std::uint32_t sequence, unsigned number, int flags = NLM_F_MULTI) {
  return data(sequence, IPVS_CMD_NEW_DEST, destinationContent(server(number)), flags);
}

// One service, kWeb, with servers 1 and 2.
Answers twoServers(const Requests& requests) {
  const auto sequence = requests.front().sequence;
  if (asksForServices(requests)) return {serviceMessage(sequence), done(sequence)};
  return {destinationMessage(sequence, 1) + destinationMessage(sequence, 2), done(sequence)};
}

std::vector<Endpoint> addresses(const ActualService& service) {
  std::vector<Endpoint> result;
  for (const auto& destination : service.destinations) result.push_back(destination.address);
  return result;
}

class NetlinkKernelTest : public testing::Test {
 protected:
  void open(NetlinkOptions options = {}) {
    auto opened = NetlinkKernel::open(channels(script), options);
    ASSERT_TRUE(opened);
    kernel = *std::move(opened);
  }
  void SetUp() override { open(); }

  // The first `times` answers to a dump of destinations are `bad`, later ones those of twoServers.
  void destinationsAreFirst(int times, std::function<Answers(std::uint32_t sequence)> bad) {
    script.kernel = [times, bad = std::move(bad)](const Requests& requests) mutable {
      if (asksForServices(requests) || times == 0) return twoServers(requests);
      --times;
      return bad(requests.front().sequence);
    };
  }

  void expectTwoServers() {
    const auto table = kernel->dump();
    ASSERT_TRUE(table) << table.error().message;
    ASSERT_THAT(*table, SizeIs(1));
    EXPECT_THAT(addresses(table->at(kWeb)), ElementsAre(server(1), server(2)));
  }

  // What dump() says when the destinations are `bad`.
  Error errorOf(const Bytes& bad) {
    destinationsAreFirst(100, [&](std::uint32_t) { return Answers{bad}; });
    const auto table = kernel->dump();
    return table ? Error{} : table.error();
  }

  Script script{twoServers, {}};
  std::unique_ptr<NetlinkKernel> kernel;
};

TEST_F(NetlinkKernelTest, DumpTakesOneRequestForTheServicesAndOneForEach) {
  expectTwoServers();
  EXPECT_THAT(script.sent, SizeIs(2));
  EXPECT_EQ(script.opened, 1);
}

TEST_F(NetlinkKernelTest, InterruptedDumpsAreRepeated) {
  destinationsAreFirst(2, [](std::uint32_t sequence) {
    return Answers{destinationMessage(sequence, 1, NLM_F_MULTI | NLM_F_DUMP_INTR), done(sequence)};
  });
  expectTwoServers();
}

TEST_F(NetlinkKernelTest, TheEndMaySayThatTheDumpWasInterrupted) {
  destinationsAreFirst(2, [](std::uint32_t sequence) {
    return Answers{destinationMessage(sequence, 1), done(sequence, NLM_F_MULTI | NLM_F_DUMP_INTR)};
  });
  expectTwoServers();
}

TEST_F(NetlinkKernelTest, RepetitionsEnd) {
  destinationsAreFirst(100, [](std::uint32_t sequence) {
    return Answers{done(sequence, NLM_F_MULTI | NLM_F_DUMP_INTR)};
  });
  const auto table = kernel->dump();
  ASSERT_FALSE(table);
  EXPECT_THAT(table.error().message, HasSubstr("changed each time that it was read"));
  EXPECT_EQ(table.error().code, ESTALE);
  EXPECT_EQ(script.opened, 5);
}

TEST_F(NetlinkKernelTest, ServersSeenTwiceRepeatTheDump) {
  destinationsAreFirst(1, [](std::uint32_t sequence) {
    return Answers{destinationMessage(sequence, 2) + destinationMessage(sequence, 1),
                   destinationMessage(sequence, 2), done(sequence)};
  });
  expectTwoServers();
}

TEST_F(NetlinkKernelTest, ServicesSeenTwiceRepeatTheDump) {
  int dumps = 0;
  script.kernel = [&](const Requests& requests) -> Answers {
    const auto sequence = requests.front().sequence;
    if (!asksForServices(requests) || ++dumps > 1) return twoServers(requests);
    return {serviceMessage(sequence) + serviceMessage(sequence), done(sequence)};
  };
  expectTwoServers();
}

TEST_F(NetlinkKernelTest, OverrunsOpenANewChannelAndDumpAgain) {
  destinationsAreFirst(2, [](std::uint32_t sequence) {
    return Answers{destinationMessage(sequence, 7), kOverrun};
  });
  expectTwoServers();
  EXPECT_EQ(script.opened, 3);
}

TEST_F(NetlinkKernelTest, OverrunsWithoutEndAreAnError) {
  destinationsAreFirst(100, [](std::uint32_t) { return Answers{kOverrun}; });
  const auto table = kernel->dump();
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().code, ENOBUFS);
}

TEST_F(NetlinkKernelTest, AnswersToEarlierRequestsAreIgnored) {
  destinationsAreFirst(1, [](std::uint32_t sequence) {
    return Answers{
        destinationMessage(sequence - 1, 9, NLM_F_MULTI | NLM_F_DUMP_INTR) + done(sequence - 1),
        status(sequence - 1, EINVAL), destinationMessage(sequence, 1),
        destinationMessage(sequence, 2) + done(sequence)};
  });
  expectTwoServers();
  EXPECT_EQ(script.opened, 1);
}

TEST_F(NetlinkKernelTest, UnknownAttributesAreSkipped) {
  destinationsAreFirst(1, [](std::uint32_t sequence) {
    const auto foreign = attribute(999, Bytes(5, 0xee)) + attribute(0, {}) +
                         attribute(NLA_F_NESTED | 4000, attribute(1, Bytes(3)));
    return Answers{data(sequence, IPVS_CMD_NEW_DEST,
                        foreign + destinationContent(server(1), 1, foreign) + foreign) +
                   destinationMessage(sequence, 2) + done(sequence)};
  });
  expectTwoServers();
}

TEST_F(NetlinkKernelTest, AttributesOfTheWrongLengthAreRefused) {
  const auto shortWeight =
      data(2, IPVS_CMD_NEW_DEST,
           destinationContent(server(1), 1, attribute(IPVS_DEST_ATTR_WEIGHT, Bytes(3))));
  EXPECT_THAT(errorOf(shortWeight).message, HasSubstr("attribute of the wrong length"));
}

TEST_F(NetlinkKernelTest, TruncatedDatagramsAreRefused) {
  auto cut = destinationMessage(2, 1);
  cut.resize(cut.size() - 4);
  EXPECT_THAT(errorOf(cut).message, HasSubstr("cut short"));
  script.kernel = twoServers;
  expectTwoServers();
  EXPECT_EQ(script.opened, 2) << "what is left in the channel is a riddle";
}

TEST_F(NetlinkKernelTest, TheKernelsRefusalEndsADump) {
  const auto error = errorOf(status(2, EPERM));
  EXPECT_EQ(error.code, EPERM);
  EXPECT_THAT(error.message, HasSubstr("CAP_NET_ADMIN"));
  EXPECT_THAT(script.sent, SizeIs(2)) << "no repetition";
}

TEST_F(NetlinkKernelTest, TheDeadlineIsForTheWholeExchange) {
  std::uint32_t sequence = 0;
  destinationsAreFirst(1, [&](std::uint32_t current) {
    sequence = current;
    return Answers{};
  });
  unsigned number = 0;
  script.endless = [&] { return destinationMessage(sequence, ++number); };
  script.perDatagram = Millis(100);
  const auto table = kernel->dump();
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().code, ETIMEDOUT);
  EXPECT_EQ(number, 50U) << "5 s";
}

TEST_F(NetlinkKernelTest, DumpsWithoutEndAreBoundedByTheirNumber) {
  open({.maxElements = 1000});
  std::uint32_t sequence = 0;
  destinationsAreFirst(1, [&](std::uint32_t current) {
    sequence = current;
    return Answers{};
  });
  unsigned number = 0;
  script.endless = [&] { return destinationMessage(sequence, ++number); };
  const auto table = kernel->dump();
  ASSERT_FALSE(table);
  EXPECT_THAT(table.error().message, HasSubstr("more than 1000"));
  EXPECT_EQ(number, 1001U);
}

// Dumps of chosen services.

TEST_F(NetlinkKernelTest, ChosenServicesAreAskedForInOneDatagram) {
  script.kernel = [](const Requests& requests) -> Answers {
    if (!asksForServices(requests)) return twoServers(requests);
    EXPECT_THAT(requests, SizeIs(3));
    EXPECT_EQ(requests[0].flags, NLM_F_REQUEST);
    EXPECT_EQ(requests[2].flags, NLM_F_REQUEST | NLM_F_ACK);
    return {status(requests[0].sequence, ESRCH), serviceMessage(requests[1].sequence, kWeb),
            serviceMessage(requests[2].sequence, kWeb6), status(requests[2].sequence, 0)};
  };
  const std::vector<ServiceKey> keys{tcp("198.51.100.9:80"), kWeb, kWeb6};
  const auto table = kernel->dump(keys);
  ASSERT_TRUE(table) << table.error().message;
  ASSERT_THAT(*table, SizeIs(2));
  EXPECT_THAT(table->at(kWeb6).destinations, SizeIs(2));
  EXPECT_THAT(script.sent, SizeIs(3));
}

TEST_F(NetlinkKernelTest, AbsentServicesCostNoDump) {
  script.kernel = [](const Requests& requests) -> Answers {
    return {status(requests[0].sequence, EAFNOSUPPORT), status(requests[1].sequence, ENOENT)};
  };
  const auto table = kernel->dump({{kWeb6, kWeb}});
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_THAT(*table, IsEmpty());
  EXPECT_THAT(script.sent, SizeIs(1));
  EXPECT_THAT(*kernel->dump(std::span<const ServiceKey>{}), IsEmpty());
}

TEST_F(NetlinkKernelTest, ManyServicesTakeFewDatagrams) {
  script.kernel = [](const Requests& requests) {
    Answers answers;
    for (const auto& request : requests) answers.emplace_back(status(request.sequence, ESRCH));
    return answers;
  };
  std::vector<ServiceKey> keys;
  for (std::uint16_t port = 1; port <= 1000; ++port) {
    keys.push_back({Protocol::tcp, {kWeb.vip.address, port}});
  }
  EXPECT_TRUE(kernel->dump(keys));
  EXPECT_THAT(script.sent, SizeIs(16));
}

TEST_F(NetlinkKernelTest, AnswersAboutAnotherServiceAreRefused) {
  script.kernel = [](const Requests& requests) -> Answers {
    return {serviceMessage(requests[0].sequence, kWeb6), status(requests[0].sequence, 0)};
  };
  const auto table = kernel->dump({{kWeb}});
  ASSERT_FALSE(table);
  EXPECT_THAT(table.error().message, HasSubstr("another service"));
}

TEST_F(NetlinkKernelTest, ChosenServicesAreReadAgainAfterAnOverrun) {
  int sent = 0;
  script.kernel = [&](const Requests& requests) -> Answers {
    if (++sent == 1) return {kOverrun};
    if (!asksForServices(requests)) return twoServers(requests);
    return {serviceMessage(requests[0].sequence), status(requests[0].sequence, 0)};
  };
  const auto table = kernel->dump({{kWeb}});
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_THAT(table->at(kWeb).destinations, SizeIs(2));
}

// Batches.

std::vector<Operation> deletions(std::size_t count) {
  std::vector<Operation> operations;
  for (unsigned i = 1; i <= count; ++i) operations.push_back({kWeb, DeleteDestination{server(i)}});
  return operations;
}

TEST_F(NetlinkKernelTest, FailuresInTheMiddleBelongToTheirOperations) {
  open({.batch = 4});
  script.kernel = [](const Requests& requests) -> Answers {
    const auto last = requests.back().sequence;
    EXPECT_EQ(requests.back().flags, NLM_F_REQUEST | NLM_F_ACK);
    if (requests.size() < 4) return {status(last, 0)};
    return {status(last - 2, ENOENT), status(last - 2, ENOENT), status(last - 1, ESRCH, "gone"),
            status(last, EPERM)};
  };
  auto operations = deletions(10);
  operations[4] = {kWeb, AddService{{"a-name-of-seventeen", 0, 0}}};  // not sent at all
  const auto report = kernel->apply(operations);
  EXPECT_FALSE(report.unknown);
  std::vector<std::pair<std::size_t, int>> failures;
  for (const auto& [index, error] : report.failures) failures.emplace_back(index, error.code);
  EXPECT_THAT(failures, ElementsAre(std::pair(1, ENOENT), std::pair(2, ESRCH), std::pair(3, EPERM),
                                    std::pair(4, EINVAL)));
  EXPECT_THAT(report.failures[0].error.message, HasSubstr(operations[1].str()));
  EXPECT_THAT(report.failures[1].error.message, HasSubstr("(kernel: gone)"));
  EXPECT_EQ(report.applied, 6U);
  EXPECT_EQ(kernel->writes(), 9U);
}

TEST_F(NetlinkKernelTest, StaleAnswersDoNotEndABatch) {
  script.kernel = [](const Requests& requests) -> Answers {
    const auto last = requests.back().sequence;
    return {status(last - 100, EINVAL), status(last + 100, EINVAL), done(last),
            serviceMessage(last), status(last, 0)};
  };
  const auto report = kernel->apply(deletions(3));
  EXPECT_EQ(report.applied, 3U);
  EXPECT_THAT(report.failures, IsEmpty());
}

TEST_F(NetlinkKernelTest, LostAcknowledgementsLeaveTheRestUnknown) {
  open({.batch = 2});
  int sent = 0;
  script.kernel = [&](const Requests& requests) -> Answers {
    if (++sent == 2) return {status(requests.front().sequence, ENOENT)};
    return {status(requests.back().sequence, 0)};
  };
  const auto opened = script.opened;
  const auto report = kernel->apply(deletions(6));
  EXPECT_TRUE(report.unknown);
  EXPECT_EQ(report.applied, 2U);
  ASSERT_THAT(report.failures, SizeIs(4));
  for (const auto& [index, error] : report.failures) EXPECT_EQ(error.code, ETIMEDOUT) << index;
  EXPECT_EQ(script.opened, opened);
  EXPECT_THAT(kernel->apply(deletions(1)).failures, IsEmpty());
  EXPECT_EQ(script.opened, opened + 1) << "late answers must not be taken for those of this one";
}

TEST_F(NetlinkKernelTest, OverrunsAndNonsenseLeaveABatchUnknown) {
  for (const ScriptedAnswer& answer : {ScriptedAnswer(kOverrun), ScriptedAnswer(Bytes(7, 1))}) {
    script.kernel = [&](const Requests&) { return Answers{answer}; };
    const auto report = kernel->apply(deletions(3));
    EXPECT_TRUE(report.unknown);
    EXPECT_EQ(report.applied, 0U);
    EXPECT_THAT(report.failures, SizeIs(3));
  }
}

TEST_F(NetlinkKernelTest, WithoutANewChannelNothingIsUnknown) {
  script.kernel = [&](const Requests&) { return Answers{kOverrun}; };
  (void)kernel->apply(deletions(1));
  script.openError = ENOENT;
  const auto report = kernel->apply(deletions(2));
  EXPECT_FALSE(report.unknown);
  ASSERT_THAT(report.failures, SizeIs(2));
  EXPECT_THAT(report.failures[0].error.message, HasSubstr("modprobe"));
  EXPECT_THAT(kernel->dump().error().message, HasSubstr("modprobe"));
}

TEST_F(NetlinkKernelTest, BatchesOfNothingSendNothing) {
  EXPECT_EQ(kernel->apply({}).applied, 0U);
  const Operation refused{kWeb, AddService{{"a-name-of-seventeen", 0, 0}}};
  EXPECT_THAT(kernel->apply({&refused, 1}).failures, SizeIs(1));
  EXPECT_THAT(script.sent, IsEmpty());
}

}  // namespace
}  // namespace l4ward::ipvs
