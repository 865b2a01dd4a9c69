#include "control/snapshot.h"

#include "control/json_text.h"
#include "control/status_json.h"

namespace l4ward::control {

const std::string& Snapshot::json() {
  if (json_.empty()) json_ = dump(*status_);
  return json_;
}

}  // namespace l4ward::control
