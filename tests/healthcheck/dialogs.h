// Plays the server's part of a dialog.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string_view>

#include "healthcheck/protocol.h"

namespace l4ward::healthcheck {

// What the dialog says of an answer fed in pieces of `piece` bytes; nothing if it wants more.
inline std::optional<Judgement> feed(Dialog& dialog, std::string_view answer, std::size_t piece) {
  for (std::size_t at = 0; at < answer.size(); at += piece) {
    if (auto judgement = dialog.receive(answer.substr(at, piece))) return judgement;
  }
  return std::nullopt;
}

// The same of an answer after which the server closes.
inline Judgement converse(const Protocol& protocol, std::string_view answer,
                          std::size_t piece = 1 << 20) {
  const auto dialog = protocol.begin();
  if (auto judgement = feed(*dialog, answer, piece)) return *judgement;
  return dialog->end();
}

// The judgement must not depend on how the bytes arrive.
inline void expectEveryWay(const Protocol& protocol, std::string_view answer,
                           const Judgement& expected) {
  for (const std::size_t piece : {1, 2, 3, 7, 100, 1 << 20}) {
    const auto judgement = converse(protocol, answer, piece);
    EXPECT_EQ(judgement, expected)
        << answer.substr(0, 200) << " by " << piece << ": " << judgement.reason;
  }
}

}  // namespace l4ward::healthcheck
