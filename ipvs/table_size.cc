#include "ipvs/table_size.h"

#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstring>
#include <future>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "base/unique_fd.h"
#include "ipvs/maglev.h"
#include "ipvs/netlink.h"

namespace l4ward::ipvs {
namespace {

constexpr std::string_view kOption = "CONFIG_IP_VS_MH_TAB_INDEX=";
constexpr std::size_t kConfigLimit = 4U << 20;
constexpr std::size_t kChunk = 512;  // operations between two looks at the clock

// Plain or packed by gzip.
Result<std::string> readConfig(const std::string& path) {
  errno = 0;
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(::gzopen(path.c_str(), "re"), ::gzclose);
  if (!file) return failErrno("cannot read " + path, errno);
  std::string text(kConfigLimit, '\0');
  const int length = ::gzread(file.get(), text.data(), static_cast<unsigned>(text.size()));
  int problem = Z_OK;
  ::gzerror(file.get(), &problem);
  if (length < 0 || problem != Z_OK) return fail("cannot read " + path);
  text.resize(static_cast<std::size_t>(length));
  return text;
}

const ServiceKey& key() {
  static const ServiceKey kKey{Protocol::tcp, *Endpoint::parse("192.0.2.1:80")};
  return kKey;
}

// 10.0.0.0/8, as far as needed.
Endpoint destination(std::size_t number) {
  const std::array<std::uint8_t, 4> bytes{10, static_cast<std::uint8_t>(1 + (number >> 16)),
                                          static_cast<std::uint8_t>(number >> 8),
                                          static_cast<std::uint8_t>(number)};
  return {*IpAddress::fromBytes(bytes), 80};
}

Status run(Kernel& kernel, const std::vector<Operation>& operations) {
  const auto report = kernel.apply(operations);
  if (report.failures.empty()) return {};
  return tl::unexpected(report.failures.front().error);
}

Status setScheduler(Kernel& kernel, const std::string& scheduler) {
  ServiceConfig config;
  config.scheduler = scheduler;
  return run(kernel, {{key(), EditService{config}}});
}

// Adds destinations until the service has `wanted`, from `present`.
Status grow(Kernel& kernel, std::size_t present, std::size_t wanted, TimePoint deadline) {
  while (present < wanted) {
    if (Clock::now() >= deadline) {
      return fail("the size of the kernel's Maglev table was not found in time", ETIMEDOUT);
    }
    std::vector<Operation> operations;
    for (const auto end = std::min(wanted, present + kChunk); present < end; ++present) {
      operations.push_back(
          {key(), AddDestination{.address = destination(present), .path = {Forward::direct, {}}}});
    }
    if (auto added = run(kernel, operations); !added) return added;
  }
  return {};
}

// Without a local address the kernel takes no IPv4 address for a unicast address.
Status raiseLoopback() {
  const UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  if (!fd || ::ioctl(fd.get(), SIOCSIFFLAGS, &request) != 0) {
    return failErrno("cannot raise lo in a new network namespace", errno);
  }
  return {};
}

// For a thread of its own, whose network namespace ends with it.
Result<std::size_t> tryInNamespace(Millis timeout) {
  const auto deadline = Clock::now() + timeout;
  if (::unshare(CLONE_NEWNET) != 0) return failErrno("cannot make a network namespace", errno);
  if (const auto raised = raiseLoopback(); !raised) return tl::unexpected(raised.error());
  auto kernel = NetlinkKernel::open(NetlinkOptions{.timeout = timeout});
  if (!kernel) return tl::unexpected(kernel.error());
  return tableSizeByBehaviour(**kernel, deadline);
}

}  // namespace

Result<std::size_t> tableSizeFromConfig(std::string_view text) {
  while (!text.empty()) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (!line.starts_with(kOption)) continue;
    line.remove_prefix(kOption.size());
    if (line.ends_with('\r')) line.remove_suffix(1);
    unsigned index = 0;
    const auto [end, problem] = std::from_chars(line.data(), line.data() + line.size(), index);
    const bool number = problem == std::errc() && end == line.data() + line.size();
    if (!number || index < kMinMaglevIndex || index >= kMinMaglevIndex + kMaglevSizes.size()) {
      return fail("CONFIG_IP_VS_MH_TAB_INDEX is not a number from 8 to 17");
    }
    return kMaglevSizes[index - kMinMaglevIndex];
  }
  return fail("CONFIG_IP_VS_MH_TAB_INDEX is not set");
}

std::vector<std::string> kernelConfigPaths() {
  std::vector<std::string> paths{"/proc/config.gz"};
  utsname system{};
  if (::uname(&system) == 0) {
    const std::string release(system.release);
    paths.push_back("/boot/config-" + release);
    paths.push_back("/usr/lib/modules/" + release + "/config");
  }
  return paths;
}

Result<TableSize> tableSizeByConfiguration(const std::vector<std::string>& paths) {
  for (const auto& path : paths) {
    const auto text = readConfig(path);
    if (!text) continue;
    const auto slots = tableSizeFromConfig(*text);
    if (!slots) return fail(path + ": " + slots.error().message);
    return TableSize{*slots, path};
  }
  return fail("the kernel's configuration is not on this machine", ENOENT);
}

Result<std::size_t> tableSizeByBehaviour(Kernel& kernel, TimePoint deadline) {
  // With mh first: a kernel without it says so here.
  if (const auto added = run(kernel, {{key(), AddService{}}}); !added) {
    return tl::unexpected(added.error());
  }
  std::size_t present = 0;
  for (const auto size : kMaglevSizes) {
    if (size == kMaglevSizes.back()) break;
    if (const auto set = setScheduler(kernel, "none"); !set) return tl::unexpected(set.error());
    if (const auto grown = grow(kernel, present, size + 1, deadline); !grown) {
      return tl::unexpected(grown.error());
    }
    present = size + 1;
    const auto set = setScheduler(kernel, "mh");
    if (set) continue;
    if (set.error().code != EINVAL) return tl::unexpected(set.error());
    return size;
  }
  return kMaglevSizes.back();
}

Result<TableSize> tableSizeByBehaviour(Millis timeout) {
  std::packaged_task<Result<std::size_t>()> task([timeout] { return tryInNamespace(timeout); });
  auto answer = task.get_future();
  // A thread starts with its maker's signal mask: signals are for the others.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  Status started;
  try {
    std::thread(std::move(task)).detach();
  } catch (const std::system_error& error) {
    started = failErrno("cannot start a thread", error.code().value());
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (!started) return tl::unexpected(started.error());
  if (answer.wait_for(timeout) != std::future_status::ready) {
    return fail("the size of the kernel's Maglev table was not found in time", ETIMEDOUT);
  }
  const auto slots = answer.get();
  if (!slots) return tl::unexpected(slots.error());
  return TableSize{*slots, "tried in a network namespace"};
}

Result<TableSize> findTableSize(Millis timeout) {
  auto configured = tableSizeByConfiguration(kernelConfigPaths());
  if (configured) return configured;
  auto tried = tableSizeByBehaviour(timeout);
  if (tried) return tried;
  return fail("the size of the kernel's Maglev table is not known: " + configured.error().message +
                  "; " + tried.error().message,
              tried.error().code);
}

}  // namespace l4ward::ipvs
