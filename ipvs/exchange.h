// One request datagram and all its answers.
#pragma once

#include <functional>

#include "base/clock.h"
#include "base/result.h"
#include "ipvs/channel.h"
#include "ipvs/messages.h"

namespace l4ward::ipvs {

// True: this was the last answer. Answers to earlier requests come here, too; Reply::sequence
// tells.
using OnReply = std::function<Result<bool>(const Reply& reply)>;

// Sends `request` and hands every message that comes back to `onReply`, until that says it is
// enough. `timeout` is for all of it, also if answers come without end (ETIMEDOUT). After an error
// the channel may hold a half-read dump: throw it away.
Status exchange(Channel& channel, ByteView request, Millis timeout, const OnReply& onReply);

}  // namespace l4ward::ipvs
