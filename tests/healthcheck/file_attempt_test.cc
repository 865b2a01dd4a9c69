#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/unique_fd.h"
#include "tests/healthcheck/attempts_fixture.h"

namespace l4ward::healthcheck {
namespace {

class FileAttempts : public AttemptsFixture {
 protected:
  FileAttempts() { use(path("check")); }

  void use(const std::string& file) {
    probe_.how = FileProbe{file};
    attempts_ = fileAttempts(shared_, probe_).value();
  }

  Judgement saying(const std::string& text) {
    write("check", text);
    return judge(*attempts_);
  }

  std::unique_ptr<Attempts> attempts_;
};

Judgement drained(std::string reason) {
  return {Answer::drain, FailureKind::none, std::move(reason), {}, {}};
}

TEST_F(FileAttempts, TheFirstWordCounts) {
  EXPECT_EQ(saying("up\n"), passed("up"));
  EXPECT_EQ(saying("ready"), passed("ready"));
  EXPECT_EQ(saying("drain\n"), drained("drain"));
  EXPECT_EQ(saying("down\n"), failed(FailureKind::reported, "down"));
  EXPECT_EQ(saying("maint\n"), failed(FailureKind::reported, "maint"));
  EXPECT_EQ(saying("\n \t DRAIN\r\nup\n"), drained("drain"));
}

TEST_F(FileAttempts, TheRestOfTheLineIsForPeople) {
  EXPECT_EQ(saying("drain \t new kernel,\x1b Ada \nand more\n"), drained("new kernel, Ada"));
  EXPECT_EQ(saying("down " + std::string(5000, 'x')),
            failed(FailureKind::reported, std::string(200, 'x')));
}

TEST_F(FileAttempts, NothingIsUp) {
  EXPECT_EQ(judge(*attempts_), passed("no such file"));
  EXPECT_EQ(saying(""), passed("empty"));
  EXPECT_EQ(saying(" \n\n"), passed("empty"));
  use(path("no/such/directory"));
  EXPECT_EQ(judge(*attempts_), passed("no such file"));
  use(path("check/is/a/file"));
  EXPECT_EQ(judge(*attempts_), passed("no such file"));
}

TEST_F(FileAttempts, OtherWordsAreNoVerdict) {
  EXPECT_EQ(saying("foo bar"), notMade("'foo' is not up, drain or down"));
  EXPECT_EQ(saying("update"), notMade("'update' is not up, drain or down"));
  EXPECT_EQ(saying("up\x01"), notMade("'up' is not up, drain or down"));
  EXPECT_LT(saying(std::string(100000, 'u')).reason.size(), 100U);
}

TEST_F(FileAttempts, OnlyRegularFilesAreRead) {
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  for (const auto& file : {path("fifo"), folder(), std::string("/dev/zero")}) {
    use(file);
    EXPECT_EQ(judge(*attempts_), notMade(file + " is not a regular file"));
  }
}

TEST_F(FileAttempts, WithoutPermissionThereIsNoVerdict) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  write("check", "down");
  ASSERT_EQ(::seteuid(65534), 0);
  const auto judgement = judge(*attempts_);
  ASSERT_EQ(::seteuid(0), 0);
  EXPECT_EQ(judgement, notMade("cannot open " + path("check") + ": Permission denied"));
}

class FileWatch : public FileAttempts {
 protected:
  void watch() {
    attempts_->watch([this] { ++calls_; });
  }
  // Whether there is a call because of this.
  bool noticed(const std::function<void()>& change) {
    runReady();
    calls_ = 0;
    change();
    runReady();  // the kernel has queued the event before the change returned
    return calls_ > 0;
  }

  int calls_ = 0;
};

TEST_F(FileWatch, NoticesWhatHappensToTheFile) {
  watch();
  EXPECT_TRUE(noticed([&] { write("check", "up"); })) << "made";
  EXPECT_TRUE(noticed([&] { write("check", "drain"); })) << "written";
  EXPECT_TRUE(noticed([&] {
    write("new", "down");
    std::filesystem::rename(path("new"), path("check"));
  })) << "renamed over";
  EXPECT_TRUE(noticed([&] { std::filesystem::rename(path("check"), path("away")); })) << "moved";
  EXPECT_TRUE(noticed([&] { std::filesystem::create_symlink("away", path("check")); })) << "linked";
  EXPECT_TRUE(noticed([&] { std::filesystem::remove(path("check")); })) << "deleted";
}

TEST_F(FileWatch, DoesNotNoticeOtherFilesNorItsOwnReading) {
  write("check", "up");
  watch();
  EXPECT_FALSE(noticed([&] { write("check2", "down"); }));
  EXPECT_FALSE(noticed([&] { judge(*attempts_); }));
}

// A file that is written anew is empty in between, which would be "up".
TEST_F(FileWatch, WaitsForTheWriterToFinish) {
  write("check", "drain");
  watch();
  std::ofstream file;
  EXPECT_FALSE(noticed([&] { file.open(path("check")); }));
  EXPECT_TRUE(noticed([&] {
    file << "drain";
    file.close();
  }));
}

TEST_F(FileWatch, TheDirectoryMayComeLater) {
  use(path("run/check"));
  watch();
  std::filesystem::create_directory(path("run"));
  EXPECT_EQ(judge(*attempts_), passed("no such file"));
  EXPECT_TRUE(noticed([&] { write("run/check", "drain"); }));
  EXPECT_TRUE(noticed([&] { std::filesystem::remove_all(path("run")); }));
  std::filesystem::create_directory(path("run"));
  EXPECT_EQ(judge(*attempts_), passed("no such file"));
  EXPECT_TRUE(noticed([&] { write("run/check", "drain"); })) << "made anew";
}

TEST_F(FileWatch, TheDirectoryMayBeReplaced) {
  std::filesystem::create_directories(path("a/run"));
  use(path("a/run/check"));
  watch();
  std::filesystem::rename(path("a"), path("b"));
  std::filesystem::create_directories(path("a/run"));
  judge(*attempts_);
  EXPECT_FALSE(noticed([&] { write("b/run/check", "drain"); }));
  EXPECT_TRUE(noticed([&] { write("a/run/check", "drain"); }));
}

TEST_F(FileWatch, MayEndItself) {
  bool called = false;
  attempts_->watch([&] {
    called = true;
    attempts_.reset();
  });
  write("check", "up");
  runUntil([&] { return called; });
  EXPECT_FALSE(noticed([&] { write("check", "up"); }));
}

TEST_F(FileWatch, MayEndBetweenAnEventAndItsHandler) {
  watch();
  write("check", "up");
  attempts_.reset();
  runReady();
  EXPECT_EQ(calls_, 0);
}

TEST_F(FileWatch, GoesOnWithoutInotify) {
  std::vector<UniqueFd> taken;  // fs.inotify.max_user_instances, usually 128
  while (taken.size() < 500 && (taken.empty() || taken.back())) {
    taken.emplace_back(::inotify_init1(IN_CLOEXEC));
  }
  if (taken.back()) GTEST_SKIP() << "inotify instances abound";
  watch();
  EXPECT_FALSE(noticed([&] { write("check", "drain"); }));
  EXPECT_EQ(judge(*attempts_), drained("drain"));
}

}  // namespace
}  // namespace l4ward::healthcheck
