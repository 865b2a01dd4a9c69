// The log: one line an event on standard error, with a stable event id and key=value fields:
//
//   2026-01-31T12:00:00.123Z warning server.down pool=edge server=lb7-1 reason="status 503"
//
// docs/events.md lists every id. Where standard error is the journal's ($JOURNAL_STREAM), the time
// is left out, which the journal has, and the line begins with the level as sd-daemon(3) has it:
//
//   <4>warning server.down pool=edge server=lb7-1 reason="status 503"
//
// Safe from any thread.
#pragma once

#include <concepts>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

namespace l4ward::log {

enum class Level { debug, info, warning, error };
std::string_view toString(Level level);  // "warning"

struct Field {
  template <typename T>
  requires std::is_arithmetic_v<T> Field(std::string_view k, T v)
      : key(k), value(std::to_string(v)) {}
  Field(std::string_view k, bool v) : key(k), value(v ? "yes" : "no") {}
  Field(std::string_view k, std::string v) : key(k), value(std::move(v)) {}
  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(v) {}

  std::string_view key;
  std::string value;
};
using Fields = std::initializer_list<Field>;

void event(Level level, std::string_view id, Fields fields = {});
inline void debug(std::string_view id, Fields fields = {}) {
  event(Level::debug, id, fields);
}
inline void info(std::string_view id, Fields fields = {}) {
  event(Level::info, id, fields);
}
inline void warning(std::string_view id, Fields fields = {}) {
  event(Level::warning, id, fields);
}
inline void error(std::string_view id, Fields fields = {}) {
  event(Level::error, id, fields);
}

// Called with each event at info and above, whatever setLevel() says; by the thread that logs,
// maybe by several at once. It must not log, block nor throw. To be set once at most, and taken
// away with nullptr when what it needs ends: no call is under way then. `at`: seconds since 1970.
using Listener = std::function<void(Level level, std::string_view id, Fields fields, double at)>;
void setListener(Listener listener);

// Events below `level` are dropped. Default: info.
void setLevel(Level level);

// The text behind the time stamp and level. Values with blanks, quotes, '=' or bytes outside
// printable ASCII are quoted and escaped (JSON's escapes), so that a line is always one line.
std::string format(std::string_view id, Fields fields);

}  // namespace l4ward::log
