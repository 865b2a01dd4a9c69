// ExabgpProcess::probe: which ExaBGP is installed.
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "base/unique_fd.h"
#include "bgp/child.h"
#include "bgp/exabgp_process.h"

namespace l4ward::bgp {
namespace {

constexpr Millis kProbeTime{15000};
constexpr std::size_t kProbeBytes = 65536;

// What the program writes until it closes its output or the time is over.
std::string readUntil(int fd, TimePoint end) {
  std::string text;
  std::array<char, 4096> chunk{};
  while (text.size() < kProbeBytes) {
    const auto left = std::chrono::duration_cast<Millis>(end - Clock::now());
    pollfd ready{fd, POLLIN, 0};
    if (left <= Millis::zero() || ::poll(&ready, 1, static_cast<int>(left.count())) == 0) break;
    const ssize_t got = ::read(fd, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(chunk.data(), static_cast<std::size_t>(got));
  }
  return text;
}

}  // namespace

Result<std::string> parseExabgpVersion(const std::string& output) {
  const std::string label = "ExaBGP : ";
  const std::size_t found = output.find(label);
  if (found == std::string::npos) return fail("it does not say its version");
  const std::size_t begin = found + label.size();
  const std::string version = output.substr(begin, output.find_first_of(" \r\n", begin) - begin);
  if (version.starts_with("4.2.") || version.starts_with("5.")) return version;
  return fail("version " + version + " does not work with l4ward; install 4.2 or 5");
}

namespace {

Result<std::string> ask(const std::string& program, const std::string& argument) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return failErrno("cannot make a pipe", errno);
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  const auto id = spawn({{program, argument}, {}, writer.get()});
  if (!id) return fail(id.error().message + " (apt-get install exabgp)", id.error().code);
  writer.reset();
  std::string output = readUntil(reader.get(), Clock::now() + kProbeTime);
  ::kill(id->pid, SIGKILL);  // our own child, not reaped yet
  while (::waitpid(id->pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return output;
}

}  // namespace

Result<std::string> ExabgpProcess::probe(const std::string& program) {
  auto output = ask(program, "--version");
  if (output && output->find("usage:") != std::string::npos) output = ask(program, "version");  // 5
  if (!output) return tl::unexpected(output.error());
  // A machine under load must not keep the agent from its work: silence is no refusal.
  if (output->empty()) return std::string("unknown");
  const auto version = parseExabgpVersion(*output);
  if (!version) return fail(program + ": " + version.error().message);
  return *version;
}

}  // namespace l4ward::bgp
