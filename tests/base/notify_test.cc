#include "base/notify.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "base/unique_fd.h"

namespace l4ward {
namespace {

// A service manager that listens at `name`; '@' begins an abstract name.
class Notify : public testing::Test {
 protected:
  void listen(const std::string& name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name.front() == '@') address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    manager = UniqueFd(::socket(AF_UNIX, SOCK_DGRAM, 0));
    ASSERT_EQ(::bind(manager.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  std::string heard() {
    std::array<char, 100> text{};
    const auto size = ::recv(manager.get(), text.data(), text.size(), MSG_DONTWAIT);
    return {text.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
  }
  void TearDown() override { ::unsetenv("NOTIFY_SOCKET"); }

  UniqueFd manager;
};

TEST_F(Notify, AFile) {
  const auto path = testing::TempDir() + "notify-" + std::to_string(::getpid());
  listen(path);
  EXPECT_TRUE(notifyServiceManager("READY=1"));
  EXPECT_EQ(heard(), "READY=1");
  ::unlink(path.c_str());
  EXPECT_FALSE(notifyServiceManager("READY=1"));
}

TEST_F(Notify, AnAbstractName) {
  listen("@l4ward-test-" + std::to_string(::getpid()));
  EXPECT_TRUE(notifyServiceManager("STOPPING=1"));
  EXPECT_EQ(heard(), "STOPPING=1");
}

TEST_F(Notify, NobodyAsked) {
  EXPECT_FALSE(notifyServiceManager("READY=1"));
  ::setenv("NOTIFY_SOCKET", "relative", 1);
  EXPECT_FALSE(notifyServiceManager("READY=1"));
  ::setenv("NOTIFY_SOCKET", ("/" + std::string(200, 'x')).c_str(), 1);
  EXPECT_FALSE(notifyServiceManager("READY=1"));
}

TEST(WatchdogTime, IsForThisProcessAndANumber) {
  const auto self = std::to_string(::getpid());
  struct {
    const char* limit;
    std::string process;
    std::optional<Millis> expected;
  } const cases[] = {
      {"20000000", self, Millis(20000)},
      {"20000000", "", Millis(20000)},
      {"1", self, Millis(1)},
      {"20000000", "1", std::nullopt},
      {"", self, std::nullopt},
      {"-5", self, std::nullopt},
      {"20s", self, std::nullopt},
  };
  for (const auto& [limit, process, expected] : cases) {
    ::setenv("WATCHDOG_USEC", limit, 1);
    process.empty() ? ::unsetenv("WATCHDOG_PID") : ::setenv("WATCHDOG_PID", process.c_str(), 1);
    EXPECT_EQ(watchdogTime(), expected) << limit << " for " << process;
  }
  ::unsetenv("WATCHDOG_USEC");
  EXPECT_EQ(watchdogTime(), std::nullopt);
  ::unsetenv("WATCHDOG_PID");
}

}  // namespace
}  // namespace l4ward
