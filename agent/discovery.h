// Says when it is time to look at files that others write: soon after something happened where
// they are, and every half a minute in case that was missed. Lives on the agent's loop.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>

#include "base/asio.h"
#include "base/clock.h"
#include "base/directory_watch.h"

namespace l4ward::agent {

class Discovery {
 public:
  struct Pace {
    Millis quiet{100};  // without news before a look: files that change together are seen together
    Millis most{1000};  // but no longer than this from the first news on
    Millis period{30000};
  };

  Discovery(asio::io_context& loop, std::function<void()> look, Pace pace);
  Discovery(asio::io_context& loop, std::function<void()> look)
      : Discovery(loop, std::move(look), Pace{}) {}

  // Files and directories, of which none need exist. Call it again after each look: links may lead
  // elsewhere. Nothing is looked at while there are none.
  void watch(const std::set<std::string>& paths);

 private:
  void onNews();
  void lookAt(TimePoint at);

  std::function<void()> look_;
  Pace pace_;
  asio::steady_timer timer_;
  DirectoryWatch directories_;
  std::optional<TimePoint> firstNews_;
  bool any_ = false;
};

}  // namespace l4ward::agent
