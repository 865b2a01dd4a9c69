#include "agent/override_keeper.h"

#include <fmt/chrono.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <utility>

#include "base/file.h"
#include "base/log.h"

namespace l4ward::agent {
namespace {

using control::Override;

// A time beyond what a calendar can say is no error here.
std::string timeText(double seconds) {
  constexpr double kLast = 253402300799;  // 9999-12-31T23:59:59Z
  if (seconds == 0) return "taken back";
  const auto time = static_cast<std::time_t>(std::min(seconds, kLast));
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(time));
}

void logSet(const char* id, const Override& override) {
  log::warning(id, {{"subject", override.subject.str()},
                    {"action", toString(override.action)},
                    {"by", override.by},
                    {"reason", override.reason},
                    {"until", timeText(override.until)}});
}

void logEnd(const char* id, const Override& override) {
  log::info(id, {{"subject", override.subject.str()},
                 {"action", toString(override.action)},
                 {"by", override.by},
                 {"reason", override.reason}});
}

// By command or by file.
std::vector<Override> those(const control::Overrides& overrides, bool fromFile) {
  auto all = overrides.all();
  std::erase_if(all, [&](const Override& one) { return one.fromFile != fromFile; });
  return all;
}

const Override* findIn(const std::vector<Override>& overrides, const control::Subject& subject) {
  const auto found = std::ranges::find(overrides, subject, &Override::subject);
  return found == overrides.end() ? nullptr : &*found;
}

void logFiles(const std::vector<Override>& before, const std::vector<Override>& after) {
  for (const auto& old : before) {
    if (!findIn(after, old.subject)) logEnd("override.cleared", old);
  }
  for (const auto& now : after) {
    const auto* old = findIn(before, now.subject);
    if (!old || old->action != now.action) logSet("override.set", now);
  }
}

}  // namespace

double OverrideKeeper::systemTime() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

OverrideKeeper::OverrideKeeper(asio::io_context& loop, Paths paths, std::function<void()> changed,
                               Millis period, WallClock clock)
    : paths_(std::move(paths)),
      changed_(std::move(changed)),
      period_(period),
      clock_(std::move(clock)),
      timer_(loop) {}

OverrideKeeper::~OverrideKeeper() = default;

void OverrideKeeper::load() {
  readRecord();
  for (const auto& override : overrides_.all()) logSet("override.found", override);
  update();
  arm();
}

void OverrideKeeper::readRecord() {
  std::error_code problem;
  std::filesystem::create_directories(paths_.stateDir, problem);
  if (problem) {
    log::error("override.not_saved",
               {{"reason", "cannot make " + paths_.stateDir + ": " + problem.message()}});
  }
  const auto text = readFile(recordPath(), control::kMaxOverridesBytes);
  if (!text) {
    if (text.error().code != ENOENT) setAside(text.error());
    return;
  }
  auto decoded = control::Overrides::decode(*text);
  if (!decoded) return setAside(decoded.error());
  overrides_ = std::move(*decoded);
}

// For people to look at: what it said is not in force.
void OverrideKeeper::setAside(const Error& problem) {
  const auto aside = recordPath() + ".bad";
  const bool isMoved = ::rename(recordPath().c_str(), aside.c_str()) == 0;
  log::error("override.record_damaged", {{"file", isMoved ? aside : recordPath()},
                                         {"reason", problem.message},
                                         {"effect", "what it said is not in force"}});
}

void OverrideKeeper::setDirectory(const std::string& directory) {
  paths_.directory = directory;
  if (update()) changed_();
}

Status OverrideKeeper::set(Override override) {
  override.since = clock_();
  if (auto taken = overrides_.set(override); !taken) return taken;
  save();
  logSet("override.set", override);
  arm();
  changed_();
  return {};
}

Status OverrideKeeper::clear(const control::Subject& subject) {
  const auto commands = those(overrides_, false);
  const auto* cleared = findIn(commands, subject);
  if (!cleared) {
    const auto* file = overrides_.find(subject);
    if (!file) return fail("nobody has drained or disabled " + subject.str());
    return fail(subject.str() + " is " + describe(*file) + "; remove that file");
  }
  overrides_.clear(subject);
  save();
  logEnd("override.cleared", *cleared);
  changed_();
  return {};
}

void OverrideKeeper::save() {
  const auto saved = replaceFileDurably(recordPath(), overrides_.encode());
  if (!saved && !unsaved_) {
    log::error("override.not_saved", {{"reason", saved.error().message},
                                      {"effect", "a restart forgets what was said since"}});
  }
  unsaved_ = saved ? std::nullopt : std::optional(saved.error());
}

// Brings current() in line with time and files. Whether anything changed.
bool OverrideKeeper::update() {
  const auto expired = overrides_.expire(clock_());
  for (const auto& override : expired) logEnd("override.expired", override);
  if (!expired.empty() || unsaved_) save();
  auto files = files_.look(paths_.directory);
  if (!files) return !expired.empty();
  const auto before = those(overrides_, true);
  const bool isNew = overrides_.setFiles(std::move(*files));
  logFiles(before, those(overrides_, true));
  return isNew || !expired.empty();
}

// The wall clock may jump, so no wait is longer than the period.
void OverrideKeeper::arm() {
  auto wait = std::chrono::duration<double, std::milli>(period_);
  if (const auto next = overrides_.nextExpiry()) {
    wait = std::min(wait, decltype(wait)((*next - clock_()) * 1000));
  }
  timer_.expires_after(std::max(std::chrono::ceil<Millis>(wait), Millis(1)));
  timer_.async_wait([this](ErrorCode error) {
    if (error) return;
    const bool isNew = update();
    arm();
    if (isNew) changed_();
  });
}

}  // namespace l4ward::agent
