// What gdnsd's plugin_extfile reads: whether this node serves each virtual IP (docs/gdnsd.md).
#pragma once

#include <optional>
#include <string>

#include "control/status.h"

namespace l4ward::agent {

// A line an address: "198.51.100.1 => UP", or DOWN where GET /vip/ADDRESS would answer 503
// (control/readiness.h). Virtual IPs that are prefixes are left out: gdnsd asks for addresses
// (gdnsd-plugin-extfile(8)).
std::string gdnsdExtfile(const control::NodeStatus& status);
// The same text with everything DOWN.
std::string allDown(const std::string& extfile);

// Keeps the file up to date. Readers see an old or a new one, whole.
class GdnsdExtfile {
 public:
  bool isWanted() const { return !path_.empty(); }
  // Empty: none. One of an earlier path is deleted, so that it does not say UP for ever.
  void setPath(const std::string& path);
  // Writes gdnsdExtfile()'s text if there is something new. Not to be called before it is known
  // what an earlier agent left announced.
  void update(const std::string& text);
  // The agent stops.
  void setAllDown();

 private:
  void write(const std::string& text);

  std::string path_;
  std::optional<std::string> held_;  // what the file has; nothing: not known
  bool failed_ = false;
};

}  // namespace l4ward::agent
