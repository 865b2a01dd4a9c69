// Reads the answer to an HTTP probe, version 1.0 or 1.1: bytes in, a judgement out. Pure.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "healthcheck/collected.h"
#include "healthcheck/job.h"
#include "healthcheck/judgement.h"
#include "healthcheck/matcher.h"

namespace l4ward::healthcheck {

// The header of one answer, from its status line to the empty line.
inline constexpr std::size_t maxHeaderBytes = std::size_t{16} * 1024;
// What follows the header, as received. An answer that goes on beyond is judged by what came so
// far; chunks make the text itself a little shorter than that.
inline constexpr std::size_t maxBodyBytes = maxMatchedBytes;
// 1xx answers before the one that counts.
inline constexpr unsigned maxInterimAnswers = 8;

// One answer. Holds at most maxHeaderBytes, plus one feed, of what was received, and the body only
// if something must stand in it and the status passes.
class ResponseReader {
 public:
  // `probe` must outlive the reader, and so must `matcher`: of probe.body, or null without it.
  explicit ResponseReader(const HttpProbe& probe, const Matcher* matcher = nullptr);
  ~ResponseReader();
  ResponseReader(const ResponseReader&) = delete;
  ResponseReader& operator=(const ResponseReader&) = delete;

  // The next bytes, at least one. The judgement, once there is one; nothing may be fed after that.
  // A text that must stand in the body is enough as soon as it is there.
  std::optional<Judgement> feed(std::string_view bytes);

  // The server closed its side. This ends an answer without a length; others are cut short.
  Judgement end();

  // All bytes fed.
  std::size_t received() const { return received_; }

 private:
  class Parser;

  std::optional<Judgement> parse(std::string_view& bytes);
  bool mustWait(std::size_t unread) const;
  void expectBody();
  std::optional<Judgement> finishAnswer();
  Judgement judgeWhole() const;

  const HttpProbe& probe_;
  const Matcher* matcher_;
  std::unique_ptr<Parser> parser_;
  std::optional<Collected> body_;
  std::string unread_;  // of an incomplete header, chunk header or trailer
  std::size_t received_ = 0;
  std::size_t headerBytes_ = 0;  // of the answer now read
  std::size_t bodyBytes_ = 0;
  unsigned interim_ = 0;
};

}  // namespace l4ward::healthcheck
