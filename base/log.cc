#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <shared_mutex>
#include <utility>

namespace l4ward::log {
namespace {

// systemd.exec(5): "device:inode" of the stream to the journal. A child of a service may have
// another standard error than the service.
bool isJournal(int fd) {
  const char* const named = std::getenv("JOURNAL_STREAM");  // NOLINT(concurrency-mt-unsafe)
  struct stat info {};
  if (!named || ::fstat(fd, &info) != 0) return false;
  return std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino) == named;
}

bool toJournal() {
  static const bool instance = isJournal(STDERR_FILENO);
  return instance;
}

spdlog::logger& logger() {
  static const auto instance = [] {
    auto made = std::make_shared<spdlog::logger>("l4ward",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern(toJournal() ? "%v" : "%Y-%m-%dT%H:%M:%S.%eZ %l %v",
                      spdlog::pattern_time_type::utc);
    made->flush_on(spdlog::level::debug);
    return made;
  }();
  return *instance;
}

spdlog::level::level_enum toSpdlog(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      break;
  }
  return spdlog::level::err;
}

// syslog(3)'s number of it.
std::string journalPrefix(Level level) {
  switch (level) {
    case Level::debug:
      return "<7>debug ";
    case Level::info:
      return "<6>info ";
    case Level::warning:
      return "<4>warning ";
    case Level::error:
      break;
  }
  return "<3>error ";
}

// Who listens, for all threads.
struct Ear {
  std::shared_mutex mutex;
  Listener listener;
};

Ear& ear() {
  static Ear instance;
  return instance;
}

void tellListener(Level level, std::string_view id, Fields fields) {
  if (level == Level::debug) return;
  const std::shared_lock lock(ear().mutex);
  if (!ear().listener) return;
  const std::chrono::duration<double> at = std::chrono::system_clock::now().time_since_epoch();
  ear().listener(level, id, fields, at.count());
}

bool isPlain(std::string_view value) {
  return !value.empty() && std::all_of(value.begin(), value.end(), [](unsigned char c) {
    return c > 0x20 && c < 0x7f && c != '"' && c != '=' && c != '\\';
  });
}

void appendQuoted(std::string& out, std::string_view value) {
  constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (const unsigned char c : value) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c < 0x20 || c >= 0x7f) {
      out += "\\u00";
      out += kHex[c >> 4];
      out += kHex[c & 15];
    } else {
      out += static_cast<char>(c);
    }
  }
  out += '"';
}

}  // namespace

std::string format(std::string_view id, Fields fields) {
  std::string line(id);
  for (const auto& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    if (isPlain(field.value)) {
      line += field.value;
    } else {
      appendQuoted(line, field.value);
    }
  }
  return line;
}

void event(Level level, std::string_view id, Fields fields) {
  const auto target = toSpdlog(level);
  if (logger().should_log(target)) {
    logger().log(target, (toJournal() ? journalPrefix(level) : "") + format(id, fields));
  }
  tellListener(level, id, fields);
}

void setListener(Listener listener) {
  const std::unique_lock lock(ear().mutex);
  ear().listener = std::move(listener);
}

std::string_view toString(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warning:
      return "warning";
    case Level::error:
      break;
  }
  return "error";
}

void setLevel(Level level) {
  logger().set_level(toSpdlog(level));
}

}  // namespace l4ward::log
