#include "tests/ipvs/scripted_channel.h"

#include <linux/genetlink.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace l4ward::ipvs {
namespace {

std::vector<ScriptedRequest> split(ByteView datagram) {
  std::vector<ScriptedRequest> requests;
  while (!datagram.empty()) {
    nlmsghdr header{};
    genlmsghdr command{};
    std::memcpy(&header, datagram.data(), sizeof header);
    std::memcpy(&command, datagram.data() + NLMSG_HDRLEN, sizeof command);
    if (header.nlmsg_type != kFamilyNumber || header.nlmsg_len > datagram.size()) {
      throw std::logic_error("not a request to IPVS");
    }
    const auto payload =
        datagram.subspan(NLMSG_HDRLEN + GENL_HDRLEN, header.nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN);
    requests.push_back(
        {command.cmd, header.nlmsg_flags, header.nlmsg_seq, {payload.begin(), payload.end()}});
    datagram = datagram.subspan(NLMSG_ALIGN(header.nlmsg_len));
  }
  return requests;
}

class ScriptedChannel final : public Channel {
 public:
  explicit ScriptedChannel(Script& script) : script_(script) {}

  std::uint16_t family() const override { return kFamilyNumber; }
  std::uint32_t nextSequence() override { return ++sequence_; }
  TimePoint now() const override { return script_.now; }

  Status send(ByteView datagram) override {
    script_.sent.push_back(split(datagram));
    for (auto& answer : script_.kernel(script_.sent.back())) waiting_.push_back(std::move(answer));
    return {};
  }

  Result<ByteView> receive(TimePoint deadline) override {
    script_.now += script_.perDatagram;
    if (waiting_.empty() && script_.endless) waiting_.emplace_back(script_.endless());
    if (waiting_.empty()) {
      script_.now = deadline;
      return fail("the kernel did not answer in time", ETIMEDOUT);
    }
    const auto answer = std::move(waiting_.front());
    waiting_.pop_front();
    if (const auto* error = std::get_if<Error>(&answer)) return tl::unexpected(*error);
    current_ = std::get<Bytes>(answer);
    current_.shrink_to_fit();  // so that the sanitizer sees a byte too far
    return ByteView(current_);
  }

 private:
  Script& script_;
  std::deque<ScriptedAnswer> waiting_;
  Bytes current_;
  std::uint32_t sequence_ = 0;
};

}  // namespace

ChannelFactory channels(Script& script) {
  return [&script]() -> Result<std::unique_ptr<Channel>> {
    if (script.openError != 0) return failErrno("cannot open a channel", script.openError);
    ++script.opened;
    return std::make_unique<ScriptedChannel>(script);
  };
}

}  // namespace l4ward::ipvs
