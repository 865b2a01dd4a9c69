// Reads the answer to an HTTP probe: bytes in, a judgement out. Pure.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "healthcheck/job.h"
#include "healthcheck/judgement.h"

namespace l4ward::healthcheck {

// The header of one answer, from its status line to the empty line.
inline constexpr std::size_t maxHeaderBytes = std::size_t{16} * 1024;
// What follows the header, as received. An answer that goes on beyond is judged by its status.
inline constexpr std::size_t maxBodyBytes = std::size_t{64} * 1024;
// 1xx answers before the one that counts.
inline constexpr unsigned maxInterimAnswers = 8;

// One answer. Holds at most maxHeaderBytes, plus one feed, of what was received; discards the body.
class ResponseReader {
 public:
  // `probe` must outlive the reader.
  explicit ResponseReader(const HttpProbe& probe);
  ~ResponseReader();
  ResponseReader(const ResponseReader&) = delete;
  ResponseReader& operator=(const ResponseReader&) = delete;

  // The next bytes, at least one. The judgement, once there is one; nothing may be fed after that.
  std::optional<Judgement> feed(std::string_view bytes);

  // The server closed its side. This ends an answer without a length; others are cut short.
  Judgement end();

  // All bytes fed.
  std::size_t received() const { return received_; }

 private:
  class Parser;

  std::optional<Judgement> parse(std::string_view& bytes);
  std::optional<Judgement> finishAnswer();

  const HttpProbe& probe_;
  std::unique_ptr<Parser> parser_;
  std::string unread_;  // of an incomplete header, chunk header or trailer
  std::size_t received_ = 0;
  std::size_t headerBytes_ = 0;  // of the answer now read
  std::size_t bodyBytes_ = 0;
  unsigned interim_ = 0;
};

}  // namespace l4ward::healthcheck
