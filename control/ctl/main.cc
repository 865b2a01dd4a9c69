#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <string_view>

#include "control/ctl/run.h"

namespace {

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): one thread
  return value == nullptr ? "" : value;
}

bool isInteractive() {
  return ::isatty(STDOUT_FILENO) == 1 && environment("TERM") != "dumb";
}

// As https://no-color.org asks.
bool showsColours() {
  return isInteractive() && environment("NO_COLOR").empty();
}

// A pipe or file gets lines as long as they are: nothing is cut for those who grep.
std::size_t width(int fd) {
  winsize size{};
  if (::isatty(fd) != 1) return 0;
  if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return l4ward::ctl::run({argv + 1, argv + argc},
                            {std::cout, std::cerr, isInteractive(), showsColours(),
                             width(STDOUT_FILENO), width(STDERR_FILENO)});
  } catch (const std::exception& problem) {
    std::cerr << "l4wardctl: " << problem.what() << '\n';
    return 2;
  }
}
