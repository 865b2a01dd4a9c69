// The status, live, on a terminal.
#pragma once

#include "base/result.h"
#include "control/ctl/client.h"
#include "control/ctl/text.h"

namespace l4ward::ctl {

// Until q or ^C. The terminal is left as it was found, whatever ends it but SIGKILL. An error if
// standard input and output are no terminal.
Status watch(const Client::Options& options, bool colour);

}  // namespace l4ward::ctl
