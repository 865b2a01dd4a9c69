// Whole runs of l4wardctl, but for its main(): what is printed where, and the exit status.
#include "control/ctl/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "control/request.h"
#include "control/status_json.h"
#include "tests/base/temporary_folder.h"
#include "tests/control/ctl_samples.h"
#include "tests/control/fake_agent.h"
#include "tests/healthcheck/test_server.h"

namespace l4ward::ctl {
namespace {

using namespace testing;  // NOLINT: the samples
using nlohmann::json;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

struct Ran {
  int exit = 0;
  std::string out;
  std::string err;
};

class RunTest : public ::testing::Test {
 protected:
  Ran run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--socket", folder_.path("control.sock")});
    return runPlain(arguments);
  }
  static Ran runPlain(const std::vector<std::string>& arguments) {
    std::ostringstream out;
    std::ostringstream err;
    const int exit = ctl::run(arguments, {out, err, false, false, 100});
    return {exit, out.str(), err.str()};
  }
  void serve(Reply reply) {
    agent_.reset();
    std::filesystem::remove(folder_.path("control.sock"));
    agent_ = std::make_unique<FakeAgent>(folder_.path("control.sock"),
                                         [this, reply](const std::string& line) {
                                           asked_ = line;
                                           return control::encode(reply) + "\n";
                                         });
  }

  TemporaryFolder folder_;
  std::string asked_;
  std::unique_ptr<FakeAgent> agent_;
};

TEST_F(RunTest, StatusSaysInItsExitStatusWhetherAllIsWell) {
  serve(json(wellNode()));
  const auto well = run({"status"});
  EXPECT_EQ(well.exit, 0);
  EXPECT_THAT(well.out, HasSubstr("all is well"));
  auto node = brokenNode();
  serve(json(node));
  EXPECT_EQ(run({"status"}).exit, 1);
  EXPECT_EQ(run({"servers"}).exit, 0) << "only status judges";
}

TEST_F(RunTest, JsonIsThePartThatWasAskedForAndKeepsUnknownKeys) {
  auto answer = json(brokenNode());
  answer["servers"][1]["colour"] = "blue";
  serve(answer);
  const auto shown = [&](const std::vector<std::string>& arguments) {
    const auto ran = run(arguments);
    EXPECT_THAT(ran.err, IsEmpty());
    return json::parse(ran.out);
  };
  EXPECT_EQ(shown({"status", "--json"}), answer);
  EXPECT_EQ(shown({"services", "--json"}), answer["services"]);
  EXPECT_EQ(shown({"vips", "--json"}), answer["vips"]);
  EXPECT_EQ(shown({"overrides", "--json"}), answer["overrides"]);
  EXPECT_EQ(shown({"bgp", "--json"})["neighbors"], answer["neighbors"]);
  EXPECT_EQ(shown({"servers", "--json", "--down"}).size(), 3U);
  EXPECT_EQ(shown({"servers", "--json"})[1]["colour"], "blue");
  EXPECT_EQ(shown({"checks", "--json", "--server", "lb7-2"}), json::array({answer["checks"][1]}));
  EXPECT_EQ(shown({"digest", "--json"})["services"].size(), 4U);
}

TEST_F(RunTest, NoAgent) {
  const auto ran = run({"status"});
  EXPECT_EQ(ran.exit, 3);
  EXPECT_THAT(ran.out, IsEmpty());
  EXPECT_THAT(ran.err, HasSubstr("there is no socket"));
  EXPECT_THAT(ran.err, HasSubstr("\n  -> "));
  const auto asJson = run({"status", "--json"});
  EXPECT_EQ(asJson.exit, 3);
  EXPECT_EQ(json::parse(asJson.out)["error"]["code"], "no-socket");
  EXPECT_THAT(asJson.err, IsEmpty());
}

TEST_F(RunTest, Mistakes) {
  const auto ran = runPlain({"stauts"});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_THAT(ran.err, HasSubstr("did you mean 'status'"));
  const auto asJson = runPlain({"stauts", "--json"});
  EXPECT_EQ(asJson.exit, 2);
  EXPECT_EQ(json::parse(asJson.out)["error"]["code"], "usage");
}

TEST_F(RunTest, NamesThatTheNodeDoesNotHave) {
  serve(json(wellNode()));
  const auto ran = run({"servers", "--pool", "edg"});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_THAT(ran.err, HasSubstr("did you mean 'edge'"));
  EXPECT_EQ(run({"checks", "--server", "lb7-9"}).exit, 2);
  EXPECT_EQ(run({"servers", "--service", "mail"}).exit, 2);
}

TEST_F(RunTest, AStatusOfAnotherVersionOrShapeIsNotGuessed) {
  auto answer = json(wellNode());
  answer["version"] = 2;
  serve(answer);
  const auto ran = run({"status"});
  EXPECT_EQ(ran.exit, 3);
  EXPECT_THAT(ran.err, HasSubstr("version 2"));
  agent_.reset();
  std::filesystem::remove(folder_.path("control.sock"));
  serve(json{{"servers", "none"}});
  EXPECT_EQ(run({"servers"}).exit, 3);
}

TEST_F(RunTest, RefusalsOfTheAgent) {
  serve(tl::unexpected(control::Refusal{"last-server", "lb7-1 is the last one\nof two lines",
                                        "l4wardctl drain server lb7-1 --force"}));
  const auto ran = run({"drain", "server", "lb7-1"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_EQ(ran.err,
            "l4wardctl: lb7-1 is the last one\nof two lines\n"
            "  -> l4wardctl drain server lb7-1 --force\n");
}

TEST_F(RunTest, DrainAsksForWhatWasTyped) {
  serve(json::object());
  const auto ran =
      run({"drain", "server", "edge/lb7-1", "--for", "90m", "--reason", "update", "--force"});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_THAT(ran.out, HasSubstr("server edge/lb7-1 is draining for 90m"));
  const auto request = control::parseRequest(asked_);
  ASSERT_TRUE(request);
  const auto& set = std::get<control::SetRequest>(*request);
  EXPECT_EQ(set.subject.str(), "server edge/lb7-1");
  EXPECT_EQ(set.seconds, 5400);
  EXPECT_EQ(set.reason, "update");
  EXPECT_TRUE(set.force);
}

TEST_F(RunTest, AnOverrideThatIsNotKeptIsTold) {
  serve(json{{"unsaved", "disk full"}});
  const auto ran = run({"drain", "node"});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_THAT(ran.err, HasSubstr("disk full"));
}

TEST_F(RunTest, AReloadOfAFileWithMistakes) {
  serve(tl::unexpected(
      control::Refusal{"invalid-site", "site.yaml:1:1: one\nsite.yaml:2:1: two", "mend it"}));
  const auto ran = run({"reload"});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_EQ(ran.err, "l4wardctl: site.yaml:1:1: one\nsite.yaml:2:1: two\n  -> mend it\n");
}

TEST_F(RunTest, DrainWaitAsksUntilTheServerIsEmpty) {
  int left = 3;
  bool drained = false;
  agent_ = std::make_unique<FakeAgent>(folder_.path("control.sock"), [&](const std::string& line) {
    if (std::holds_alternative<control::SetRequest>(control::parseRequest(line).value())) {
      drained = true;
      return control::encode(Reply(json::object())) + "\n";
    }
    auto node = wellNode();
    node.countersAt = 4e9;  // later than now
    for (auto& service : node.services) service.destinations.clear();
    Server one = node.servers[0];
    one.activeConnections = static_cast<std::uint64_t>(left);
    one.inactiveConnections = 0;
    node.services[0].destinations = {destination(one, "192.0.2.101:80", 1)};
    node.services[0].destinations[0].weight = 0;
    left = 0;
    return control::encode(Reply(json(node))) + "\n";
  });
  const auto ran = run({"drain", "server", "lb7-1", "--wait", "--limit", "1m"});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_TRUE(drained);
  EXPECT_THAT(ran.out, HasSubstr("3 connections left"));
  EXPECT_THAT(ran.out, HasSubstr("server lb7-1 is empty"));
}

TEST_F(RunTest, PlanSendsTheFile) {
  serve(json{{"text", "1 service is new"}});
  const auto file = folder_.path("site.yaml");
  std::ofstream(file) << "services: {}\n";
  const auto ran = run({"plan", file});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_EQ(ran.out, "1 service is new\n");
  const auto request = control::parseRequest(asked_);
  ASSERT_TRUE(request);
  EXPECT_EQ(std::get<control::PlanRequest>(*request).text, "services: {}\n");
  EXPECT_EQ(run({"plan", folder_.path("none")}).exit, 2);
  std::ofstream(file) << std::string((4 << 20) + 1, '#');
  EXPECT_EQ(run({"plan", file}).exit, 2);
}

TEST_F(RunTest, PlanWithoutAFileIsThatOfAnObserver) {
  serve(json(observingNode()));
  EXPECT_THAT(run({"plan"}).out, HasSubstr("edit 192.0.2.102:80 weight 0"));
  EXPECT_EQ(json::parse(run({"plan", "--json"}).out).size(), 2U);
  serve(json(wellNode()));
  const auto ran = run({"plan"});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_THAT(ran.err, HasSubstr("l4wardctl plan FILE"));
}

TEST_F(RunTest, EventsAreTheLastOnesOfALevel) {
  json events = json::array();
  for (int i = 1; i <= 60; ++i) {
    events.push_back(control::Event{static_cast<std::uint64_t>(i),
                                    kNow + i,
                                    i % 2 == 0 ? "info" : "error",
                                    "id." + std::to_string(i),
                                    {}});
  }
  serve(json{{"events", events}});
  const auto lines = [](const std::string& text) {
    return std::count(text.begin(), text.end(), '\n');
  };
  EXPECT_EQ(lines(run({"events"}).out), 50);
  const auto ran = run({"events", "--last", "2", "--level", "warning"});
  EXPECT_EQ(lines(ran.out), 2);
  EXPECT_THAT(ran.out, HasSubstr("id.57"));
  EXPECT_THAT(ran.out, HasSubstr("id.59"));
  EXPECT_EQ(json::parse(run({"events", "--last", "3", "--json"}).out).size(), 3U);
}

TEST_F(RunTest, EventsThatAreFollowedGoOnBehindTheLastOnes) {
  const auto event = [](std::uint64_t number) {
    return json(control::Event{number, kNow, "info", "id." + std::to_string(number), {}});
  };
  agent_ = std::make_unique<FakeAgent>(
      folder_.path("control.sock"), [&](const std::string& line) -> std::string {
        asked_ = line;
        const auto request = std::get<control::EventsRequest>(control::parseRequest(line).value());
        if (!request.follow) {
          return control::encode(Reply(json{{"events", {event(1), event(2)}}, {"last", 2}})) + "\n";
        }
        return json{{"version", 1}, {"event", event(3)}}.dump() + "\n" + kHangUp;
      });
  const auto ran = run({"events", "--follow", "--last", "1"});
  EXPECT_EQ(ran.exit, 3) << ran.err;  // the agent went
  EXPECT_THAT(ran.out, Not(HasSubstr("id.1")));
  EXPECT_THAT(ran.out, ContainsRegex("id\\.2\n.*id\\.3\n"));
  EXPECT_EQ(asked_, control::encode(control::EventsRequest{2, true}));
}

TEST_F(RunTest, Version) {
  EXPECT_THAT(runPlain({"--version"}).out, HasSubstr("l4wardctl 0."));
  const auto without = run({"version"});
  EXPECT_EQ(without.exit, 3);
  EXPECT_THAT(without.out, HasSubstr("l4wardctl 0."));
  serve(json{{"version", "9.8.7"}});
  EXPECT_THAT(run({"version"}).out, HasSubstr("l4ward 9.8.7"));
}

TEST_F(RunTest, CompletionIsSilentWithoutAnAgent) {
  const auto ran = run({"complete", "servers"});
  EXPECT_EQ(ran.out + ran.err, "");
  EXPECT_THAT(run({"complete", "options", "drain"}).out, HasSubstr("--wait\n"));
}

TEST_F(RunTest, WatchNeedsATerminal) {
  EXPECT_EQ(run({"watch"}).exit, 2);
}

// Plays an HTTP answer to each request.
class FleetRunTest : public RunTest {
 protected:
  static healthcheck::Script answering(std::string body, std::string head = "200 OK") {
    return [body = std::move(body), head = std::move(head)](healthcheck::Connection& connection) {
      const auto request = connection.readRequest();
      const bool right = request.starts_with("GET /api/status HTTP/1.1\r\n") &&
                         request.find("Host: 127.0.0.1:") != std::string::npos;
      connection.send("HTTP/1.1 " + (right ? head : "400 Bad Request") + "\r\nContent-Length: " +
                      std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body);
    };
  }
};

TEST_F(FleetRunTest, ReadsAllNodesAndComparesThem) {
  auto other = wellNode();
  other.node.name = "lb4-2";
  const healthcheck::TestServer first(Family::v4, answering(json(wellNode()).dump()));
  healthcheck::TestServer second(Family::v4, answering(json(other).dump()));
  const auto ran = runPlain({"fleet", first.endpoint().str(), "http://" + second.endpoint().str()});
  EXPECT_EQ(ran.exit, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("all nodes agree"));
  EXPECT_THAT(ran.out, HasSubstr("lb4-2"));
}

TEST_F(FleetRunTest, NodesThatDoNotAnswerWell) {
  const healthcheck::TestServer well(Family::v4, answering(json(wellNode()).dump()));
  const healthcheck::TestServer wrong(Family::v4, answering("{}", "503 Service Unavailable"));
  const healthcheck::TestServer noJson(Family::v4, answering("<html>"));
  const healthcheck::TestServer silent(
      Family::v4, [](healthcheck::Connection& connection) { connection.waitForClose(); });
  const healthcheck::TestServer huge(Family::v4, [](healthcheck::Connection& connection) {
    connection.readRequest();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n");
    connection.waitForClose();
  });
  const auto ran =
      runPlain({"fleet", well.endpoint().str(), wrong.endpoint().str(), noJson.endpoint().str(),
                silent.endpoint().str(), huge.endpoint().str(), "--timeout", "1s", "--json"});
  EXPECT_EQ(ran.exit, 1);
  const auto nodes = json::parse(ran.out)["nodes"];
  ASSERT_EQ(nodes.size(), 5U);
  EXPECT_EQ(nodes[0]["name"], "lb4-1");
  EXPECT_THAT(nodes[1]["error"].get<std::string>(), HasSubstr("503"));
  EXPECT_THAT(nodes[2]["error"].get<std::string>(), HasSubstr("JSON"));
  EXPECT_THAT(nodes[3]["error"].get<std::string>(), HasSubstr("in time"));
  EXPECT_THAT(nodes[4]["error"].get<std::string>(), HasSubstr("body limit"));
}

}  // namespace
}  // namespace l4ward::ctl
