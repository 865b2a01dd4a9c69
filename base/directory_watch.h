// Says when something happens in directories (inotify(7)).
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "base/asio.h"

namespace l4ward {

// Lives on the loop's thread.
class DirectoryWatch {
 public:
  // Of an entry that was made, written and closed, renamed, deleted, or given other rights. Its
  // name is empty where the directory itself is meant, or where events were lost.
  using Changed = std::function<void(std::string_view name)>;

  // Without inotify to be had nothing is ever said: look by yourself from time to time.
  DirectoryWatch(asio::io_context& loop, Changed changed);
  ~DirectoryWatch();  // nothing is said any more

  // These and no others from now on. One that is not there, or no directory, is left out; call
  // again when it may be. A path that leads to another directory than before means that one.
  void watch(const std::set<std::string>& directories);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace l4ward
