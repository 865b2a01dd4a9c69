#include "control/ctl/tones.h"

#include <map>
#include <string_view>

namespace l4ward::ctl {

Tone toneOf(const std::string& state) {
  static const std::map<std::string_view, Tone> kTones{
      {"up", Tone::good},          {"announced", Tone::good},   {"running", Tone::good},
      {"warming", Tone::good},     {"draining", Tone::warning}, {"drain", Tone::warning},
      {"disabled", Tone::warning}, {"unknown", Tone::warning},  {"connected", Tone::warning},
      {"starting", Tone::warning}, {"withdrawing", Tone::bad},  {"stopping", Tone::bad},
      {"down", Tone::bad},         {"withdrawn", Tone::bad},    {"last-resort", Tone::warning},
      {"critical", Tone::bad},     {"warning", Tone::warning},  {"disable", Tone::warning},
      {"error", Tone::bad},        {"fail", Tone::bad},         {"silent", Tone::warning}};
  const auto found = kTones.find(state);
  return found == kTones.end() ? Tone::plain : found->second;
}

}  // namespace l4ward::ctl
