// HTTP_GET and SSL_GET: each `url` becomes a check by itself.
#include <algorithm>
#include <array>

#include "config/words.h"
#include "healthcheck/pattern.h"
#include "import/checks.h"

namespace l4ward::keepalived {
namespace {

using namespace healthcheck;

constexpr std::size_t kMaxStatus = 64;
constexpr std::size_t kMaxPattern = 1024;

constexpr std::array kHttpFates{
    Fate{"fast_recovery", Level::note, "each url is a check of its own, and all run at once", ""},
    Fate{"tls_compliant", Level::note,
         "an end of TLS without a close is taken if the answer is "
         "complete",
         ""},
};

constexpr std::array kUrlFates{
    Fate{"tls_compliant", Level::note,
         "an end of TLS without a close is taken if the answer is "
         "complete",
         ""},
    Fate{"digest", Level::lost, "answers are not compared with a checksum",
         "look for a text that a good answer has: `body`"},
    Fate{"regex_stack", Level::note, "RE2 needs no stack of its own", ""},
    Fate{"regex_min_offset", Level::changed,
         "a pattern is looked for from the beginning of the body", "make it fit one place only"},
    Fate{"regex_max_offset", Level::changed, "a pattern is looked for in the first 64 KiB",
         "make it fit one place only"},
};

// Options that a pattern can say by itself, in RE2 as in PCRE.
constexpr std::array<std::pair<std::string_view, char>, 4> kInline{
    {{"caseless", 'i'}, {"multiline", 'm'}, {"dotall", 's'}, {"ungreedy", 'U'}}};
// Options that do not change what is found.
constexpr std::array<std::string_view, 11> kHarmless{
    "auto_callout",      "dupnames",        "never_ucp",         "never_utf",
    "no_auto_capture",   "no_auto_possess", "no_dotstar_anchor", "no_start_optimize",
    "never_backslash_c", "alt_verbnames",   "use_offset_limit"};

// Flags in front of the pattern; none if an option is one that RE2 does not have.
std::optional<std::string> flagsOf(const Section& url) {
  auto* options = url.last("regex_options");
  if (options == nullptr) return "";
  std::string flags;
  for (std::size_t i = 1; i < options->words.size(); ++i) {
    const std::string_view option = options->words[i];
    const auto known = std::find_if(kInline.begin(), kInline.end(),
                                    [&](const auto& entry) { return entry.first == option; });
    if (known != kInline.end()) {
      if (flags.find(known->second) == flags.npos) flags += known->second;
    } else if (std::find(kHarmless.begin(), kHarmless.end(), option) == kHarmless.end()) {
      url.report().add(*options, {Level::lost, "RE2 has no option like " + std::string(option),
                                  "write the pattern without it, as `body: { pattern: … }`"});
      return std::nullopt;
    }
  }
  return flags.empty() ? "" : "(?" + flags + ")";
}

bool isPrintable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

std::optional<Expectation> readBody(const Section& url) {
  auto* regex = url.last("regex");
  auto* noMatch = url.last("regex_no_match");
  const auto flags = flagsOf(url);
  if (noMatch != nullptr) {
    url.report().add(*noMatch, {Level::lost,
                                "a check cannot demand that a text is missing; it "
                                "looks at the status only",
                                "look for a text that a good answer has: `body`"});
  }
  if (regex == nullptr) {
    if (auto* options = url.last("regex_options")) {
      url.report().add(*options, {Level::note, "there is no regex that they are for"});
    }
    return std::nullopt;
  }
  const auto words = splitQuoted(regex->raw);
  if (!words || words->size() != 2) {
    sayInvalid(*regex, "one pattern", url.report());
    return std::nullopt;
  }
  if (noMatch != nullptr || !flags) {
    url.report().add(*regex, {Level::lost, "its options have no like here", "see their line"});
    return std::nullopt;
  }
  const auto pattern = *flags + (*words)[1];
  if ((*words)[1].empty() || pattern.size() > kMaxPattern || !isPrintable(pattern) ||
      !re2::RE2(pattern, patternOptions()).ok()) {
    url.report().add(*regex, {Level::lost, "RE2 does not take this pattern",
                              "write it anew, as `body: { pattern: … }`"});
    return std::nullopt;
  }
  if (pattern.find('$') != pattern.npos) {
    url.report().add(*regex, {Level::changed, "`$` is the very end, and not before a last newline",
                              "write `\\s*$` if the answer ends with one"});
  }
  return Expectation{pattern, true};
}

std::vector<StatusRange> readStatus(const Section& url) {
  auto* node = url.last("status_code");
  std::vector<StatusRange> ranges;
  for (std::size_t i = 1; node != nullptr && i < node->words.size(); ++i) {
    const std::string_view word = node->words[i];
    const auto dash = word.find('-');
    const auto first = parseNumber(word.substr(0, dash), 100, 599);
    const auto last = dash == word.npos ? first : parseNumber(word.substr(dash + 1), 100, 599);
    if (!first || !last || *first > *last || ranges.size() == kMaxStatus) {
      url.report().add(*node, {Level::lost,
                               "'" + std::string(word) +
                                   "' is no status from 100 to 599 and no range of "
                                   "them, or one too many",
                               "write `status` as it should be"});
    } else {
      ranges.push_back({*first, *last});
    }
  }
  if (ranges.empty()) ranges.push_back({200, 299});
  return ranges;
}

std::string hostOf(const Section& url, const std::optional<Given<std::string>>& outer) {
  const auto own = url.text("virtualhost");
  const auto& host = own ? own : outer;
  if (!host) return "";
  host->node->useful = true;
  if (config::isHost(host->value)) return host->value;
  url.report().add(*host->node, {Level::lost, "not what a Host header may hold", "set `host`"});
  return "";
}

// How the whole checker speaks.
struct Speech {
  bool http10 = true;
  bool sni = false;
  std::string serverName;
};

Speech readSpeech(const Section& checker, bool tls) {
  Speech speech;
  if (const auto version = checker.text("http_protocol")) {
    const auto& value = version->value;
    speech.http10 = value != "1.1";
    if (value == "1.0") {
      checker.report().add(*version->node,
                           {Level::changed, "requests also say `Connection: close`", ""});
    } else if (value != "1.1" && value != "1.0C" && value != "1.0c") {
      sayInvalid(*version->node, "1.0, 1.0C or 1.1", checker.report());
    }
  }
  const auto sni = checker.flag("enable_sni");
  speech.sni = sni && sni->value;
  if (auto* name = checker.last("sni_name")) {
    speech.sni = true;
    speech.serverName = name->word(1);
    expectWords(*name, 2, checker.report());
    if (!config::isServerName(speech.serverName)) {
      if (!speech.serverName.empty()) sayInvalid(*name, "a host name", checker.report());
      speech.serverName.clear();
    }
  }
  if (!tls && sni) checker.report().add(*sni->node, {Level::note, "HTTP_GET has no TLS"});
  return speech;
}

Tls tlsOf(const Speech& speech, const CheckedServer& server, const std::string& host) {
  Tls tls = server.tls;
  tls.verify = false;
  if (!speech.sni) return tls;
  tls.serverName = speech.serverName;
  if (tls.serverName.empty() && config::isServerName(host)) tls.serverName = host;
  return tls;
}

}  // namespace

void readHttpCheck(const Section& checker, const CheckedServer& server, bool tls,
                   const config::Check& common, std::vector<CheckDraft>& checks) {
  auto& report = checker.report();
  checker.say(kHttpFates);
  const auto speech = readSpeech(checker, tls);
  const auto own = checker.text("virtualhost");
  const auto host = own ? own : server.virtualHost;
  if (auto* retries = checker.last("nb_get_retry")) {
    report.add(*retries, {Level::lost, "an old name of `retry`, which Keepalived has given up",
                          "set `fall` to one more"});
  }
  if (tls) {
    report.add(checker.block(), {Level::note,
                                 "certificates are not verified, as with Keepalived; "
                                 "the server needs TLS 1.2",
                                 "`tls: { verify: true }` is safer"});
  }
  const auto urls = checker.all({"url"});
  if (urls.empty()) sayInvalid(checker.block(), "a checker with a `url`", report);
  for (auto* node : urls) {
    const Section url(*node, report);
    url.say(kUrlFates);
    HttpProbe probe;
    probe.http10 = speech.http10;
    probe.host = hostOf(url, host);
    probe.pass = readStatus(url);
    probe.body = readBody(url);
    const auto path = url.text("path");
    if (!path || !config::isHttpPath(path->value)) {
      report.add(path ? *path->node : *node,
                 {Level::lost, "no path that a request can have; this check is left out",
                  "a path begins with '/' and has no blanks"});
      continue;
    }
    probe.path = path->value;
    auto check = common;
    if (tls) check.tls = tlsOf(speech, server, probe.host);
    check.how = std::move(probe);
    checks.push_back({std::move(check), node});
  }
  if (own && !own->node->useful) report.add(*own->node, {Level::note, "every url has its own"});
}

}  // namespace l4ward::keepalived
