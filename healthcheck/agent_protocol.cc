// HAProxy's agent-check (its configuration manual, "agent-check"): a server's own words about
// itself, in one line.
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <initializer_list>
#include <system_error>

#include "healthcheck/clean_text.h"
#include "healthcheck/protocol.h"

namespace l4ward::healthcheck {
namespace {

constexpr std::size_t maxLineBytes = 1024;
constexpr std::size_t maxShownBytes = 80;
constexpr unsigned maxPercent = 256;

// What one line says. Three matters that do not touch each other; of each the last word counts.
struct Statement {
  std::string administrative;  // "ready", "drain", "maint" or nothing
  std::string operational;     // "up", "down", "fail", "failed", "stopped" or nothing
  std::optional<unsigned> percent;
  std::string_view description;  // after '#'
};

std::string lowered(std::string_view word) {
  std::string text(word);
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

bool isOneOf(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// "75%". More than maxPercent counts as that, as HAProxy does it with weights.
std::optional<unsigned> readPercent(std::string_view word) {
  unsigned value = 0;
  const char* end = word.data() + word.size();
  const auto [rest, error] = std::from_chars(word.data(), end, value);
  if (rest == word.data() || rest + 1 != end || *rest != '%') return std::nullopt;
  if (error == std::errc::result_out_of_range) return maxPercent;
  return std::min(value, maxPercent);
}

// Unknown words, and "maxconn:30", are passed over.
void readWord(std::string_view given, Statement& statement) {
  auto word = lowered(given);
  if (isOneOf(word, {"ready", "drain", "maint"})) {
    statement.administrative = std::move(word);
  } else if (isOneOf(word, {"up", "down", "fail", "failed", "stopped"})) {
    statement.operational = std::move(word);
  } else if (const auto percent = readPercent(word)) {
    statement.percent = percent;
  }
}

Statement read(std::string_view line) {
  Statement statement;
  if (const auto sharp = line.find('#'); sharp != line.npos) {
    statement.description = line.substr(sharp + 1);
    line = line.substr(0, sharp);
    const auto blanks = statement.description.find_first_not_of(" \t");
    statement.description.remove_prefix(std::min(blanks, statement.description.size()));
  }
  while (true) {
    line.remove_prefix(std::min(line.find_first_not_of(" \t,"), line.size()));
    if (line.empty()) return statement;
    const auto word = line.substr(0, line.find_first_of(" \t,"));
    readWord(word, statement);
    line.remove_prefix(word.size());
  }
}

Judgement silent(std::string reason) {
  return {Answer::silent, FailureKind::none, std::move(reason), {}, {}};
}

// The worst of what was said decides the answer.
Judgement judgeState(const Statement& said) {
  if (said.administrative == "maint") return failed(FailureKind::reported, "in maintenance");
  if (!said.operational.empty() && said.operational != "up") {
    std::string reason = "reported " + said.operational;
    if (!said.description.empty()) reason += ": " + cleanText(said.description, maxShownBytes);
    return failed(FailureKind::reported, std::move(reason));
  }
  if (said.administrative == "drain")
    return {Answer::drain, FailureKind::none, "reported drain", {}, {}};
  if (said.percent == 0U) return {Answer::drain, FailureKind::none, "weight 0%", {}, {}};
  if (!said.operational.empty()) return passed("reported " + said.operational);
  if (!said.administrative.empty()) return passed("reported " + said.administrative);
  return passed("weight " + std::to_string(*said.percent) + "%");
}

Judgement judge(std::string_view line) {
  const auto said = read(line);
  if (said.administrative.empty() && said.operational.empty() && !said.percent) {
    const auto shown = cleanText(line, maxShownBytes);
    return silent(shown.empty() ? "said nothing" : "said nothing that is known: '" + shown + "'");
  }
  auto judgement = judgeState(said);
  if (said.percent != 0U) judgement.weight = said.percent;
  return judgement;
}

class AgentDialog final : public Dialog {
 public:
  explicit AgentDialog(const std::string& opening) : opening_(opening) {}

  std::string_view opening() override { return opening_; }

  std::optional<Judgement> receive(std::string_view bytes) override {
    received_ += bytes.size();
    const auto end = bytes.find_first_of("\r\n");
    bytes = bytes.substr(0, end);
    if (bytes.size() > maxLineBytes - line_.size()) {
      return silent("said more than " + std::to_string(maxLineBytes) + " bytes in a line");
    }
    line_ += bytes;
    if (end != bytes.npos) return judge(line_);
    return std::nullopt;
  }

  Judgement end() override { return judge(line_); }
  std::size_t received() const override { return received_; }

 private:
  const std::string& opening_;
  std::string line_;
  std::size_t received_ = 0;
};

class AgentProtocol final : public Protocol {
 public:
  explicit AgentProtocol(std::string opening) : opening_(std::move(opening)) {}
  std::unique_ptr<Dialog> begin() const override { return std::make_unique<AgentDialog>(opening_); }

 private:
  std::string opening_;
};

}  // namespace

Result<std::unique_ptr<Protocol>> agentProtocol(const AgentProbe& probe) {
  return std::make_unique<AgentProtocol>(probe.send);
}

}  // namespace l4ward::healthcheck
