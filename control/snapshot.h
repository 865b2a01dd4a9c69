// A node's status and its JSON text, which is made once for all who ask at the same time.
#pragma once

#include <memory>
#include <string>

#include "control/status.h"

namespace l4ward::control {

// Not for two threads at a time.
class Snapshot {
 public:
  explicit Snapshot(std::shared_ptr<const NodeStatus> status) : status_(std::move(status)) {}

  const std::shared_ptr<const NodeStatus>& status() const { return status_; }
  // One line, without its end.
  const std::string& json();

 private:
  std::shared_ptr<const NodeStatus> status_;
  std::string json_;
};

}  // namespace l4ward::control
