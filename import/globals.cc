#include "import/globals.h"

#include <algorithm>
#include <array>

#include "config/words.h"

namespace l4ward::keepalived {
namespace {

constexpr std::uint32_t kMaxTimeout = 596 * 3600;  // seconds; INT_MAX / HZ in the kernel

constexpr const char* kVrrp =
    "l4ward speaks no VRRP: it announces VIPs by BGP, from all nodes at "
    "the same time, and holds them on its own interface";
constexpr const char* kBgp = "fill in `bgp` (docs/bgp.md, docs/routers.md)";
constexpr const char* kSystem = "l4ward sets no addresses or routes but VIPs";
constexpr const char* kNetwork = "leave it to the system's network configuration";
constexpr const char* kProcess = "about Keepalived's own processes";

constexpr std::array kRootFates{
    Fate{"vrrp_instance", Level::lost, kVrrp, kBgp},
    Fate{"vrrp_sync_group", Level::lost, kVrrp, kBgp},
    Fate{"vrrp_script", Level::lost, kVrrp,
         "what it watches becomes a check of the pool, or takes "
         "the node out with `l4wardctl`"},
    Fate{"vrrp_track_process", Level::lost, kVrrp, "systemd keeps programs running"},
    Fate{"vrrp_track_file", Level::lost, kVrrp, "a file of overrides takes a node out"},
    Fate{"garp_group", Level::lost, kVrrp, kBgp},
    Fate{"track_group", Level::lost, kVrrp, kBgp},
    Fate{"track_file", Level::lost, "a file's number changes no weight",
         "a check of type file or agent"},
    Fate{"track_process", Level::lost, kVrrp, "systemd keeps programs running"},
    Fate{"track_bfd", Level::lost, kVrrp, kBgp},
    Fate{"bfd_instance", Level::lost, "l4ward speaks no BFD",
         "BGP's hold time, or BFD in the routers (docs/routers.md)"},
    Fate{"static_ipaddress", Level::lost, kSystem, kNetwork},
    Fate{"static_routes", Level::lost, kSystem, kNetwork},
    Fate{"static_rules", Level::lost, kSystem, kNetwork},
    Fate{"linkbeat_interfaces", Level::lost, kVrrp, kBgp},
    Fate{"linkbeat_use_polling", Level::lost, kVrrp, kBgp},
    Fate{"interface_up_down_delays", Level::lost, kVrrp, kBgp},
    Fate{"net_namespace", Level::lost, "the unit says where l4ward runs",
         "NetworkNamespacePath= of systemd"},
    Fate{"net_namespace_ipvs", Level::lost, "l4ward programs the IPVS of its own namespace",
         "NetworkNamespacePath= of systemd"},
    Fate{"namespace_with_ipsets", Level::note, kProcess, ""},
    Fate{"instance", Level::note, kProcess, ""},
    Fate{"use_pid_dir", Level::note, kProcess, ""},
    Fate{"child_wait_time", Level::note, kProcess, ""},
};

constexpr std::array kGlobalFates{
    Fate{"lvs_sync_daemon", Level::lost, "nodes with mh need not exchange connections",
         "where other schedulers or persistence need it: `ipvs: { sync: … }`"},
    Fate{"lvs_flush", Level::note, "l4ward goes on with what the kernel holds", ""},
    Fate{"lvs_flush_on_stop", Level::changed, "a stopping node leaves IPVS as it is",
         "see `shutdown`"},
    Fate{"net_namespace", Level::lost, "the unit says where l4ward runs",
         "NetworkNamespacePath= of systemd"},
    Fate{"net_namespace_ipvs", Level::lost, "l4ward programs the IPVS of its own namespace",
         "NetworkNamespacePath= of systemd"},
    Fate{"notification_email", Level::lost, "l4ward sends no mail", "alert on the metrics"},
    Fate{"smtp_alert", Level::lost, "l4ward sends no mail", "alert on the metrics"},
    Fate{"smtp_alert_checker", Level::lost, "l4ward sends no mail", "alert on the metrics"},
    Fate{"lvs_notify_fifo", Level::lost, "there is no FIFO of events",
         "follow the log or the metrics"},
    Fate{"lvs_notify_fifo_script", Level::lost, "there is no FIFO of events",
         "follow the log or the metrics"},
    Fate{"notify_fifo", Level::lost, "there is no FIFO of events", "follow the log or the metrics"},
    Fate{"notify_fifo_script", Level::lost, "there is no FIFO of events",
         "follow the log or the metrics"},
    Fate{"startup_script", Level::lost, "l4ward runs no programs but checks",
         "ExecStartPre= of systemd"},
    Fate{"shutdown_script", Level::lost, "l4ward runs no programs but checks",
         "ExecStopPost= of systemd"},
    Fate{"nftables_ipvs", Level::lost, "l4ward makes no rules by itself",
         "a service with `mark`; `l4ward --print-nftables` prints its rule"},
    Fate{"enable_snmp_checker", Level::lost, "l4ward has no SNMP", "use the metrics"},
    Fate{"checker_log_all_failures", Level::note, "the log has each change and its reason",
         "for every probe see the metrics"},
};

// lvs_timeouts [tcp SECS] [tcpfin SECS] [udp SECS]
void readTimeouts(const Section& globals, config::Timeouts& timeouts) {
  auto* node = globals.last("lvs_timeouts");
  if (node == nullptr) return;
  for (std::size_t i = 1; i < node->words.size(); i += 2) {
    const auto& name = node->words[i];
    const auto seconds = parseNumber(node->word(i + 1), 1, kMaxTimeout);
    auto* timeout = name == "tcp"      ? &timeouts.tcp
                    : name == "tcpfin" ? &timeouts.tcpFin
                    : name == "udp"    ? &timeouts.udp
                                       : nullptr;
    if (timeout == nullptr || !seconds) {
      sayInvalid(*node, "tcp, tcpfin and udp with seconds each", globals.report());
    } else {
      *timeout = std::chrono::seconds(*seconds);
    }
  }
}

void readGlobalDefs(Node& node, Globals& result, SiteDraft& site, Report& report) {
  const Section globals(node, report);
  readTimeouts(globals, site.timeouts);
  if (auto* user = globals.last("script_user")) {
    if (config::isUserName(user->word(1))) {
      result.scriptUser = user->word(1);
      if (user->words.size() > 2) {
        report.add(*user, {Level::changed, "a program has its user's own group",
                           "make that group the user's"});
      }
    } else {
      sayInvalid(*user, "the name of a user", report);
    }
  }
  globals.say(kGlobalFates);
  for (auto& child : node.children) {
    if (child.seen) continue;
    markSeen(child);
    report.add(child, {Level::note, "about VRRP, or about Keepalived's own processes"});
  }
}

std::string readFile(const Section& ssl, std::string_view keyword) {
  const auto file = ssl.text(keyword);
  if (!file) return "";
  if (config::isAbsoluteFile(file->value)) return file->value;
  ssl.report().add(*file->node, {Level::lost, "not an absolute path without blanks",
                                 "write it at the checks' `tls`"});
  return "";
}

void readSsl(Node& node, Globals& result, Report& report) {
  const Section ssl(node, report);
  result.tls.certificate = readFile(ssl, "certificate");
  result.tls.key = readFile(ssl, "key");
  result.tls.caFile = readFile(ssl, "ca");
  if (!result.tls.caFile.empty()) {
    report.add(*ssl.last("ca"), {Level::note,
                                 "it is carried over, but certificates are not "
                                 "verified, as with Keepalived",
                                 "`verify: true` does that"});
  }
  for (auto* password : ssl.all({"password"})) {
    password->words.resize(1);  // it belongs in no report
    report.add(*password, {Level::lost, "keys have no password", "decrypt the key's file"});
  }
  if (result.tls.certificate.empty() == result.tls.key.empty()) return;
  for (const auto* half : {"certificate", "key"}) {
    if (auto* given = ssl.last(half)) {
      report.add(*given, {Level::lost, "a certificate and its key go together",
                          "write both at the checks' `tls`"});
    }
  }
  result.tls.certificate.clear();
  result.tls.key.clear();
}

}  // namespace

Globals readGlobals(const Section& root, SiteDraft& site) {
  Globals result;
  for (auto* node : root.all({"global_defs"})) {
    readGlobalDefs(*node, result, site, root.report());
  }
  for (auto* node : root.all({"SSL"})) readSsl(*node, result, root.report());
  root.say(kRootFates);
  result.groups = readGroups(root);
  return result;
}

const std::vector<std::string>& knownKeywords() {
  static const std::vector<std::string> keywords{"virtual_server",
                                                 "virtual_server_group",
                                                 "real_server",
                                                 "sorry_server",
                                                 "lvs_sched",
                                                 "lb_algo",
                                                 "lvs_method",
                                                 "lb_kind",
                                                 "persistence_timeout",
                                                 "persistence_granularity",
                                                 "persistence_engine",
                                                 "protocol",
                                                 "quorum",
                                                 "hysteresis",
                                                 "quorum_up",
                                                 "quorum_down",
                                                 "delay_loop",
                                                 "delay_before_retry",
                                                 "connect_timeout",
                                                 "retry",
                                                 "warmup",
                                                 "weight",
                                                 "uthreshold",
                                                 "lthreshold",
                                                 "inhibit_on_failure",
                                                 "notify_up",
                                                 "notify_down",
                                                 "virtualhost",
                                                 "HTTP_GET",
                                                 "SSL_GET",
                                                 "TCP_CHECK",
                                                 "SMTP_CHECK",
                                                 "DNS_CHECK",
                                                 "MISC_CHECK",
                                                 "UDP_CHECK",
                                                 "PING_CHECK",
                                                 "FILE_CHECK",
                                                 "BFD_CHECK",
                                                 "connect_ip",
                                                 "connect_port",
                                                 "bindto",
                                                 "bind_if",
                                                 "bind_port",
                                                 "url",
                                                 "path",
                                                 "digest",
                                                 "status_code",
                                                 "regex",
                                                 "regex_options",
                                                 "regex_no_match",
                                                 "enable_sni",
                                                 "http_protocol",
                                                 "misc_path",
                                                 "misc_timeout",
                                                 "misc_dynamic",
                                                 "helo_name",
                                                 "payload",
                                                 "require_reply",
                                                 "global_defs",
                                                 "vrrp_instance",
                                                 "ha_suspend",
                                                 "alpha",
                                                 "omega",
                                                 "ops"};
  return keywords;
}

}  // namespace l4ward::keepalived
