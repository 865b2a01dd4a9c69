// Cuts a stream of bytes into lines, with a bound on what one line may hold. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace l4ward::bgp {

class LineBuffer {
 public:
  // `limit`: bytes a line may have, without its end.
  explicit LineBuffer(std::size_t limit) : limit_(limit) {}

  void feed(std::string_view bytes);
  // The next whole line without "\n" or "\r\n"; nothing when more bytes are needed.
  std::optional<std::string> next();
  // Lines that were longer than the limit and are dropped whole.
  std::size_t overlong() const { return overlong_; }

 private:
  std::size_t limit_;
  std::string data_;
  std::size_t begin_ = 0;    // of the first byte that was not handed out
  std::size_t scanned_ = 0;  // no end of line before this one
  bool skipping_ = false;    // inside a line that is too long
  std::size_t overlong_ = 0;
};

}  // namespace l4ward::bgp
