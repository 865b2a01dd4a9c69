#include "bgp/line_buffer.h"

#include <utility>

namespace l4ward::bgp {

void LineBuffer::feed(std::string_view bytes) {
  if (begin_ > 0) {
    data_.erase(0, begin_);
    scanned_ -= begin_;
    begin_ = 0;
  }
  data_.append(bytes);
}

std::optional<std::string> LineBuffer::next() {
  for (;;) {
    const std::size_t end = data_.find('\n', scanned_);
    if (end == std::string::npos) {
      scanned_ = data_.size();
      if (scanned_ - begin_ > limit_) {
        if (!skipping_) ++overlong_;
        skipping_ = true;
      }
      if (skipping_) begin_ = scanned_;
      return std::nullopt;
    }
    std::string line = data_.substr(begin_, end - begin_);
    begin_ = scanned_ = end + 1;
    const bool tail = std::exchange(skipping_, false);
    if (tail) continue;
    if (line.size() > limit_) {
      ++overlong_;
      continue;
    }
    if (!line.empty() && line.back() == '\r') line.pop_back();
    return line;
  }
}

}  // namespace l4ward::bgp
