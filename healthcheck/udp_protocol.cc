// UDP probes: one datagram there, one back.
#include "healthcheck/matcher.h"
#include "healthcheck/protocol.h"

namespace l4ward::healthcheck {
namespace {

class UdpDialog : public Dialog {
 public:
  UdpDialog(std::string_view send, const std::optional<Matcher>& matcher)
      : send_(send), matcher_(matcher) {}

  std::string_view opening() override { return send_; }

  std::optional<Judgement> receive(std::string_view datagram) override {
    received_ += datagram.size();
    if (!matcher_) return passed("answered with " + std::to_string(datagram.size()) + " bytes");
    if (matcher_->matches(datagram)) return passed(matcher_->describe() + " in the answer");
    return failed(FailureKind::mismatch, "no " + matcher_->describe() + " in the answer");
  }

  Judgement end() override { return failed(FailureKind::closed, "closed without an answer"); }

  std::size_t received() const override { return received_; }

 private:
  std::string_view send_;
  const std::optional<Matcher>& matcher_;
  std::size_t received_ = 0;
};

class UdpProtocol : public Protocol {
 public:
  UdpProtocol(std::string send, std::optional<Matcher> matcher)
      : send_(std::move(send)), matcher_(std::move(matcher)) {}

  std::unique_ptr<Dialog> begin() const override {
    return std::make_unique<UdpDialog>(send_, matcher_);
  }

 private:
  std::string send_;
  std::optional<Matcher> matcher_;
};

}  // namespace

Result<std::unique_ptr<Protocol>> udpProtocol(const UdpProbe& probe) {
  auto matcher = Matcher::makeIf(probe.expect);
  if (!matcher) return tl::unexpected(matcher.error());
  return std::make_unique<UdpProtocol>(probe.send, std::move(*matcher));
}

}  // namespace l4ward::healthcheck
