#include <algorithm>
#include <string>

#include "healthcheck/protocol.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/targets.h"

namespace l4ward::fuzz {
namespace {

constexpr std::size_t kMaxReply = std::size_t{256} * 1024;

std::optional<healthcheck::Judgement> converse(std::string_view stream, std::size_t piece) {
  static const auto protocol = healthcheck::grpcProtocol({"shop", ""}, {}).value();
  const auto dialog = protocol->begin();
  std::size_t replied = 0;
  for (; !stream.empty(); stream.remove_prefix(std::min(piece, stream.size()))) {
    if (auto judgement = dialog->receive(stream.substr(0, piece))) {
      require(!judgement->reason.empty() && judgement->reason.size() < 300);
      require(std::ranges::all_of(judgement->reason, [](char c) { return c >= ' ' && c < 0x7f; }));
      return judgement;
    }
    replied += dialog->reply().size();
    require(replied <= kMaxReply);
  }
  return std::nullopt;
}

}  // namespace

void grpc(Input stream) {
  const std::string_view bytes(reinterpret_cast<const char*>(stream.data()), stream.size());
  const auto whole = converse(bytes, std::max<std::size_t>(bytes.size(), 1));
  const auto inPieces = converse(bytes, 5);
  require(whole.has_value() == inPieces.has_value());
  require(!whole || whole->answer == inPieces->answer);
}

}  // namespace l4ward::fuzz
