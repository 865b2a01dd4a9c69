#include "agent/setup.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "agent/sysctl.h"
#include "base/file.h"
#include "base/log.h"

namespace l4ward::agent {
namespace {

constexpr std::size_t kMaxPassword = 80;  // RFC 2385 leaves it open; Linux: TCP_MD5SIG_MAXKEYLEN

Result<std::string> readPassword(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return failErrno("cannot read " + path, errno);
  if (status.st_mode & (S_IROTH | S_IWOTH)) {
    return fail(path + " can be read by everyone: run 'chmod o= " + path + "'");
  }
  auto text = readFile(path, kMaxPassword + 2);
  if (!text) return text;
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  const bool printable = std::all_of(text->begin(), text->end(), [](unsigned char c) {
    return c > 0x20 && c < 0x7f && c != '"' && c != '\\' && c != ';';
  });
  if (text->empty() || text->size() > kMaxPassword || !printable) {
    return fail(path +
                ": expected one line of 1 to 80 printable ASCII characters without blanks, "
                "quotes, backslashes and semicolons");
  }
  return text;
}

Result<std::string> findRelay(const std::string& given) {
  if (!given.empty()) {
    if (::access(given.c_str(), X_OK) == 0) return std::filesystem::absolute(given).string();
    return failErrno("--relay: cannot run " + given, errno);
  }
  std::error_code ignored;
  const auto own = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const auto& candidate :
       {own / "l4ward-exabgp", std::filesystem::path("/usr/libexec/l4ward/l4ward-exabgp")}) {
    if (::access(candidate.c_str(), X_OK) == 0) return candidate.string();
  }
  return fail("l4ward-exabgp is neither in " + own.string() +
              " nor in /usr/libexec/l4ward: give its path with --relay");
}

// Keeps what was there before us, unless somebody has changed it since.
void remember(ipvs::ChangedSysctl& record, const SysctlChange& change) {
  if (record.after != change.before || record.before.empty()) record.before = change.before;
  record.after = change.after;
}

}  // namespace

Result<UniqueFd> lockRunDir(const std::string& runDir) {
  const auto hint =
      ": give another directory with --run-dir, or run as a user that may write there";
  std::error_code problem;
  std::filesystem::create_directories(runDir, problem);
  if (problem) return fail("cannot make " + runDir + ": " + problem.message() + hint);
  const auto path = runDir + "/l4ward.lock";
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
  if (!fd) {
    return fail("cannot write to " + runDir + ": " + std::generic_category().message(errno) + hint,
                errno);
  }
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail("another l4ward runs on " + runDir + ": stop it first, or use another --run-dir",
                EEXIST);
  }
  return fd;
}

Result<bgp::ExabgpConfig> exabgpConfig(const config::Site& site, const Options& options) {
  const auto relay = findRelay(options.relay);
  if (!relay) return tl::unexpected(relay.error());
  bgp::ExabgpConfig config;
  config.relayProgram = *relay;
  config.relaySocket = options.runDir + "/bgp.sock";
  config.relayState = options.runDir + "/relay.json";
  config.localAs = site.bgp->localAs;
  config.routerId = site.bgp->routerId;
  // Routes outlive ExaBGP as long as they outlive the agent. RFC 4724: 12 bits of seconds.
  config.gracefulRestart = std::min<Millis>(site.bgp->hold, std::chrono::seconds(4095));
  for (const auto& neighbor : site.bgp->neighbors) {
    bgp::ExabgpNeighbor out{
        neighbor.address,  neighbor.localAddress, neighbor.peerAs,  neighbor.holdTime, {},
        neighbor.multihop, neighbor.ttlSecurity,  neighbor.passive, neighbor.port};
    if (!neighbor.passwordFile.empty()) {
      auto password = readPassword(neighbor.passwordFile);
      if (!password) return tl::unexpected(password.error());
      out.password = std::move(*password);
    }
    config.neighbors.push_back(std::move(out));
  }
  return config;
}

// The site file's own, and those without which answers to probes through a tunnel, which come from
// an address that is this node's too, would be dropped.
std::map<std::string, std::string> wantedSysctls(const config::Site& site) {
  if (site.services.empty()) return {};  // others may use IPVS here, with settings of their own
  auto wanted = site.sysctls;
  const bool throughTunnel =
      std::ranges::any_of(site.checks, [](const auto& entry) { return entry.second.viaTunnel; });
  for (auto uplink : site.dataPath.uplinks) {
    std::ranges::replace(uplink, '.', '/');  // eth0.100: as sysctl(8) has it
    if (throughTunnel) wanted["net.ipv4.conf." + uplink + ".accept_local"] = "1";
  }
  return wanted;
}

void setSiteSysctls(const config::Site& site, MemoryFile& memory) {
  for (const auto& change : applySysctls(wantedSysctls(site))) {
    if (change.error) {
      log::error("sysctl.failed", {{"name", change.name}, {"reason", change.error->message}});
    } else {
      log::info("sysctl.set",
                {{"name", change.name}, {"before", change.before}, {"after", change.after}});
      remember(memory.value.sysctls[change.name], change);
    }
  }
  memory.save();
}

std::string recordPath(const Options& options) {
  return options.runDir + "/ipvs.json";
}

// What a service manager gives an unprivileged process is in its ambient set, and would be
// inherited for ever: by checks of the operator's and by ExaBGP.
void keepCapabilities() {
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

}  // namespace l4ward::agent
