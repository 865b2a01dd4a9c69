// What all clients of the control server share.
#pragma once

#include "control/desk.h"
#include "control/followers.h"

namespace l4ward::control {

struct Shared {
  Desk desk;
  Followers followers;
};

}  // namespace l4ward::control
