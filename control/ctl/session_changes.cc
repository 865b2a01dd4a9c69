// Commands that go on for a while, and those that change something.
#include <chrono>
#include <cstdint>
#include <ostream>

#include "control/ctl/interrupts.h"
#include "control/ctl/screens.h"
#include "control/ctl/session.h"
#include "control/ctl/wait.h"
#include "control/status_json.h"

namespace l4ward::ctl {

using nlohmann::json;

namespace {

double wallClock() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string unsavedText(const json& reason) {
  return reason.is_string() ? clean(reason.get<std::string>()) : "the record cannot be written";
}

// The last `count` of those that are wanted.
std::vector<control::Event> lastOf(std::vector<control::Event> events, std::size_t count,
                                   const std::string& level) {
  std::erase_if(events,
                [&](const control::Event& event) { return !isAtLeast(event.level, level); });
  if (events.size() > count) {
    events.erase(events.begin(), events.end() - static_cast<std::ptrdiff_t>(count));
  }
  return events;
}

}  // namespace

int Session::events() {
  if (line_.follow) return followEvents();
  const auto reply = ask(control::EventsRequest{});
  if (!reply) return refuse(reply.error());
  const auto events = lastOf(readEvents(*reply), line_.last.value_or(50), line_.level);
  if (line_.json) {
    print(events);
    return kWell;
  }
  if (events.empty()) terminal_.out << "no events\n";
  for (const auto& event : events) terminal_.out << eventLine(event, style_);
  return kWell;
}

// JSON: an event a line. ^C is how it ends, so that is well.
int Session::followEvents() {
  const auto stop = endSignals();
  options_.stop = stop.get();
  const auto tell = [&](const control::Event& event) {
    terminal_.out << (line_.json
                          ? json(event).dump(-1, ' ', false, json::error_handler_t::replace) + "\n"
                          : eventLine(event, style_));
    terminal_.out.flush();
  };
  const auto ended = [&](const control::Refusal& refusal) {
    return refusal.code == kInterrupted ? int{kWell} : refuse(refusal);
  };
  auto client = Client::connect(options_);
  if (!client) return refuse(client.error());
  auto reply = client->ask(control::EventsRequest{});
  if (!reply) return ended(reply.error());
  const auto past = readEvents(*reply);
  for (const auto& event : lastOf(past, line_.last.value_or(10), line_.level)) tell(event);
  if (const auto refusal = client->follow(past.empty() ? 0 : past.back().number)) {
    return ended(*refusal);
  }
  for (reply = client->next(); reply && terminal_.out; reply = client->next()) {
    for (const auto& event : lastOf(readEvents(*reply), SIZE_MAX, line_.level)) tell(event);
  }
  return reply ? kWell : ended(reply.error());
}

int Session::setOverride(control::Action action) {
  control::SetRequest request{line_.subject, action, std::nullopt, line_.reason, line_.force};
  if (line_.forTime) request.seconds = static_cast<double>(line_.forTime->count()) / 1000;
  const auto reply = ask(request);
  if (!reply) return refuse(reply.error());
  const auto done = wallClock();
  if (reply->is_object() && reply->contains("unsaved") && !line_.json) {
    terminal_.err << "l4wardctl: it holds, but not beyond a restart of the agent: "
                  << unsavedText((*reply)["unsaved"]) << "\n";
  }
  if (line_.wait) return waitFor(action, done);
  if (line_.json) {
    print(*reply);
    return kWell;
  }
  terminal_.out << clean(line_.subject.str()) << " is "
                << (action == control::Action::drain ? "draining" : "disabled");
  if (line_.forTime) terminal_.out << " for " << formatDuration(*line_.forTime);
  terminal_.out << "\n  to take it back: l4wardctl enable " << clean(line_.subject.str()) << "\n";
  return kWell;
}

int Session::waitFor(control::Action action, double since) {
  const auto stop = endSignals();
  options_.stop = stop.get();
  const WaitFor what{line_.subject, action, since, line_.limit};
  // With --json nobody reads along.
  std::ostream nowhere(nullptr);
  const WaitWorld world{[&](const control::Request& request) { return ask(request); },
                        [] { return Clock::now(); },
                        [&](Millis time) { return pauseUnless(stop, time); },
                        line_.json ? nowhere : terminal_.out, terminal_.interactive};
  const auto waited = waitUntilEmpty(what, world);
  if (!waited) return refuse(waited.error());
  if (line_.json) {
    json result{{"subject", line_.subject.str()},
                {"action", control::toString(action)},
                {"ended", waited->end == WaitEnd::empty   ? "empty"
                          : waited->end == WaitEnd::limit ? "limit"
                                                          : "interrupted"},
                {"seconds", static_cast<double>(waited->took.count()) / 1000}};
    if (waited->left) result["connections"] = *waited->left;
    print(result);
  } else {
    terminal_.out << waitText(what, *waited);
  }
  return waited->end == WaitEnd::empty ? kWell : kWrong;
}

int Session::reload() {
  const auto reply = ask(control::ReloadRequest{});
  if (!reply) return refuse(reply.error());
  if (line_.json) {
    print(*reply);
    return kWell;
  }
  terminal_.out << "reloaded";
  if (reply->is_object() && reply->contains("config") && (*reply)["config"].is_string()) {
    terminal_.out << " " << clean((*reply)["config"].get<std::string>());
  }
  terminal_.out << "\n";
  return kWell;
}

int Session::clearOverride() {
  const auto reply = ask(control::ClearRequest{line_.subject});
  if (!reply) return refuse(reply.error());
  if (line_.json) {
    print(*reply);
  } else {
    terminal_.out << clean(line_.subject.str()) << " is enabled again\n";
  }
  return kWell;
}

}  // namespace l4ward::ctl
