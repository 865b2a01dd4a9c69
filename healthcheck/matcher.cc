#include "healthcheck/matcher.h"

#include <re2/re2.h>
#include <string.h>

#include <utility>

#include "healthcheck/clean_text.h"
#include "healthcheck/pattern.h"

namespace l4ward::healthcheck {
namespace {

constexpr std::size_t maxDescribedBytes = 60;

}  // namespace

Result<Matcher> Matcher::make(const Expectation& expectation) {
  std::unique_ptr<re2::RE2> pattern;
  if (expectation.isPattern) {
    pattern = std::make_unique<re2::RE2>(expectation.text, patternOptions());
    if (!pattern->ok()) return fail(pattern->error());
  }
  return Matcher(expectation, std::move(pattern));
}

Result<std::optional<Matcher>> Matcher::makeIf(const std::optional<Expectation>& expectation) {
  if (!expectation) return std::nullopt;
  auto made = make(*expectation);
  if (!made) return tl::unexpected(made.error());
  return std::move(*made);
}

Matcher::Matcher(Expectation expectation, std::unique_ptr<re2::RE2> pattern)
    : expectation_(std::move(expectation)), pattern_(std::move(pattern)) {}

Matcher::Matcher(Matcher&&) noexcept = default;
Matcher& Matcher::operator=(Matcher&&) noexcept = default;
Matcher::~Matcher() = default;

bool Matcher::matches(std::string_view text) const {
  text = text.substr(0, maxMatchedBytes);
  if (pattern_) {
    const re2::StringPiece piece(text.data(), text.size());
    return pattern_->Match(piece, 0, piece.size(), re2::RE2::UNANCHORED, nullptr, 0);
  }
  const auto& sought = expectation_.text;
  if (sought.empty() || text.size() < sought.size()) return sought.empty();
  // Takes linear time, unlike string_view::find.
  return memmem(text.data(), text.size(), sought.data(), sought.size()) != nullptr;
}

std::string Matcher::describe() const {
  const char* quote = expectation_.isPattern ? "/" : "'";
  return quote + cleanText(expectation_.text, maxDescribedBytes) + quote;
}

}  // namespace l4ward::healthcheck
