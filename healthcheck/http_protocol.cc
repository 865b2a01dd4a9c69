// HTTP/1 as a dialog: http_probe.h writes the request, http_response.h reads the answer.
#include <cstddef>
#include <utility>

#include "healthcheck/http_probe.h"
#include "healthcheck/http_response.h"
#include "healthcheck/protocol.h"

namespace l4ward::healthcheck {
namespace {

// More than a packet of Ethernet's usual MTU, 1500, can hold.
constexpr std::size_t fullSizeBytes = 1600;

class HttpDialog final : public Dialog {
 public:
  HttpDialog(const std::string& request, const HttpProbe& probe, const Matcher* matcher)
      : request_(request), reader_(probe, matcher) {}

  std::string_view opening() override { return request_; }
  std::optional<Judgement> receive(std::string_view bytes) override { return reader_.feed(bytes); }
  Judgement end() override { return reader_.end(); }
  std::size_t received() const override { return reader_.received(); }

 private:
  const std::string& request_;
  ResponseReader reader_;
};

class HttpProtocol final : public Protocol {
 public:
  HttpProtocol(std::string request, const HttpProbe& probe, std::optional<Matcher> matcher)
      : request_(std::move(request)), probe_(probe), matcher_(std::move(matcher)) {}

  std::unique_ptr<Dialog> begin() const override {
    return std::make_unique<HttpDialog>(request_, probe_, matcher_ ? &*matcher_ : nullptr);
  }

 private:
  std::string request_;
  HttpProbe probe_;
  std::optional<Matcher> matcher_;
};

}  // namespace

Result<std::unique_ptr<Protocol>> httpProtocol(const HttpProbe& probe, const Probe& whole) {
  auto matcher = Matcher::makeIf(probe.body);
  if (!matcher) return tl::unexpected(matcher.error());
  const auto& server = whole.dataPath ? whole.dataPath->vip : whole.target;
  const auto padTo = whole.dataPath && whole.dataPath->fullSize ? fullSizeBytes : 0;
  return std::make_unique<HttpProtocol>(buildRequest(probe, server, whole.tls.has_value(), padTo),
                                        probe, std::move(*matcher));
}

}  // namespace l4ward::healthcheck
