// What people say about servers, services, virtual IPs and the node, over what checks say. Pure:
// time is an argument, in seconds since 1970, since it must hold across reboots.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"
#include "base/result.h"

namespace l4ward::control {

// What is meant. Names are the site file's.
struct Subject {
  enum class Kind { node, vip, service, server };
  Kind kind = Kind::node;
  std::string name;  // of the service or server; the virtual IP as Prefix::shortStr gives it
  std::string pool;  // of a server; empty: wherever it is in

  // "node", "vip 198.51.100.1", "service web", "server lb7-1", "server edge/lb7-1"
  std::string str() const;
  // What str() gave. An error names what was expected.
  static Result<Subject> parse(std::string_view text);
  auto operator<=>(const Subject&) const = default;
};

// server: drain - no new connections, those it has go on; disable - the same, and it is not used in
// a panic either. service, vip, node: drain - the virtual IPs are announced as of a node that is
// about to stop; disable - they are withdrawn (a service's, if `announce_when` asks for it).
enum class Action { drain, disable };
std::string_view toString(Action action);  // "drain"
Result<Action> parseAction(std::string_view text);

struct Override {
  Subject subject;
  Action action = Action::drain;
  std::string by;      // a user's name, or the file that says so
  std::string reason;  // at most kMaxReason bytes, one line
  double since = 0;
  double until = 0;       // 0: until it is taken back
  bool fromFile = false;  // ends with the file; not kept in the record

  bool operator==(const Override&) const = default;
};

// "drained by anna: kernel update"
std::string describe(const Override& override);

inline constexpr std::size_t kMaxReason = 200;
inline constexpr std::size_t kMaxOverrides = 10000;
inline constexpr std::size_t kMaxOverridesBytes = 8 << 20;

// At most one of each subject by command, and one by file; the stronger one counts.
class Overrides {
 public:
  // Takes the place of an earlier one of the same subject. An error beyond kMaxOverrides.
  Status set(Override override);
  // Whether there was one by command.
  bool clear(const Subject& subject);
  // All those of files from now on. Whether anything changed.
  bool setFiles(std::vector<Override> files);

  // Takes out and returns those whose time is over.
  std::vector<Override> expire(double now);
  // When expire() has something to do.
  std::optional<double> nextExpiry() const;

  std::vector<Override> all() const;
  const Override* find(const Subject& subject) const;
  // Of a server in a pool, said of it there or everywhere.
  const Override* ofServer(const std::string& pool, const std::string& server) const;

  // The record, without those of files.
  std::string encode() const;
  // An error if it is damaged or of another version.
  static Result<Overrides> decode(std::string_view text);

  bool operator==(const Overrides&) const = default;

 private:
  std::map<Subject, Override> commands_;
  std::map<Subject, Override> files_;
};

}  // namespace l4ward::control
