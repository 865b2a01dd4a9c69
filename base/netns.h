// Network namespaces by name, as ip-netns(8) keeps them.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace l4ward {

// Whether ip-netns takes `name`: it is a file's name, 1 to 255 bytes, not "." or "..".
bool isNetnsName(std::string_view name);

// Moves the calling thread, and with it all threads and processes that it starts from now on, into
// the network namespace /run/netns/`name`. Call it before there is another thread. Needs
// CAP_SYS_ADMIN. Errors name the path and say what to do.
Status enterNetns(const std::string& name);

}  // namespace l4ward
