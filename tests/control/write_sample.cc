// write_sample metrics|status|large: what a node would answer, for tests in other languages.
#include <cstdio>
#include <string>

#include "control/metrics.h"
#include "control/status_json.h"
#include "tests/control/sample_status.h"

int main(int argc, char** argv) {
  using namespace l4ward::control;
  const std::string what = argc == 2 ? argv[1] : "";
  std::string text;
  if (what == "metrics") text = metricsText(sampleStatus());
  if (what == "status") text = nlohmann::json(sampleStatus()).dump();
  if (what == "large") text = nlohmann::json(largeStatus(100, 100)).dump();
  if (text.empty()) {
    std::fputs("usage: write_sample metrics|status|large\n", stderr);
    return 2;
  }
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
}
