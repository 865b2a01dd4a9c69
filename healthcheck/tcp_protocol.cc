// Connects, says something if there is something to say, and looks for a text in the answer.
#include <cstddef>
#include <utility>

#include "healthcheck/clean_text.h"
#include "healthcheck/collected.h"
#include "healthcheck/protocol.h"

namespace l4ward::healthcheck {
namespace {

constexpr std::size_t maxShownBytes = 40;
// A pattern is tried anew whenever something came. A server that sends 64 KiB byte by byte would
// make that cost seconds; from here on the pattern waits for the end.
constexpr std::size_t maxTriedBytes = 64 * maxMatchedBytes;

// Connected, and sent what there is to send: that is all.
class Greeting final : public Dialog {
 public:
  explicit Greeting(const std::string& text) : text_(text) {}
  std::string_view opening() override { return text_; }
  bool connectionIsEnough() const override { return true; }
  std::optional<Judgement> receive(std::string_view) override { return end(); }
  Judgement end() override { return passed(text_.empty() ? "connected" : "connected, sent"); }
  std::size_t received() const override { return 0; }

 private:
  const std::string& text_;
};

class Conversation final : public Dialog {
 public:
  Conversation(const TcpProbe& probe, const Matcher& matcher)
      : probe_(probe), matcher_(matcher), collected_(*probe.expect, matcher) {}

  std::string_view opening() override { return probe_.send; }

  std::optional<Judgement> receive(std::string_view bytes) override {
    received_ += bytes.size();
    if (collected_.add(bytes)) return found();
    if (collected_.full()) return end();
    if (!probe_.expect->isPattern || tried_ > maxTriedBytes) return std::nullopt;
    tried_ += collected_.bytes().size();
    if (collected_.matches()) return found();
    return std::nullopt;
  }

  Judgement end() override {
    if (collected_.matches()) return found();
    if (received_ == 0) return failed(FailureKind::closed, "closed without an answer");
    return failed(FailureKind::mismatch, "no " + matcher_.describe() + " in the answer: '" +
                                             cleanText(collected_.bytes(), maxShownBytes) + "'");
  }

  std::size_t received() const override { return received_; }

 private:
  Judgement found() const { return passed(matcher_.describe() + " in the answer"); }

  const TcpProbe& probe_;
  const Matcher& matcher_;
  Collected collected_;
  std::size_t received_ = 0;
  std::size_t tried_ = 0;
};

class TcpProtocol final : public Protocol {
 public:
  TcpProtocol(const TcpProbe& probe, std::optional<Matcher> matcher)
      : probe_(probe), matcher_(std::move(matcher)) {}

  std::unique_ptr<Dialog> begin() const override {
    if (!matcher_) return std::make_unique<Greeting>(probe_.send);
    return std::make_unique<Conversation>(probe_, *matcher_);
  }

 private:
  TcpProbe probe_;
  std::optional<Matcher> matcher_;
};

}  // namespace

Result<std::unique_ptr<Protocol>> tcpProtocol(const TcpProbe& probe) {
  auto matcher = Matcher::makeIf(probe.expect);
  if (!matcher) return tl::unexpected(matcher.error());
  return std::make_unique<TcpProtocol>(probe, std::move(*matcher));
}

}  // namespace l4ward::healthcheck
