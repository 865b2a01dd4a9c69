#include "base/host_name.h"

#include <unistd.h>

#include <array>
#include <climits>

namespace l4ward {

std::string hostName() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

std::string shortHostName() {
  const auto name = hostName();
  return name.substr(0, name.find('.'));
}

}  // namespace l4ward
