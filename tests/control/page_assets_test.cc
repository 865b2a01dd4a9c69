#include "control/page_assets.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace l4ward::control {
namespace {

std::string fileOf(const Asset& asset) {
  const std::string name(asset.path == "/" ? "/index.html" : asset.path);
  std::ifstream file(L4WARD_SOURCE_DIR "/control/page" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(PageAssetsTest, HoldEveryFileByteForByte) {
  const std::filesystem::directory_iterator folder(L4WARD_SOURCE_DIR "/control/page");
  EXPECT_EQ(pageAssets().size(),
            static_cast<std::size_t>(std::distance(begin(folder), end(folder))));
  for (const auto& asset : pageAssets()) EXPECT_EQ(asset.content, fileOf(asset)) << asset.path;
}

TEST(PageAssetsTest, SayTheirTypes) {
  const auto typeOf = [](std::string_view path) -> std::string_view {
    const auto all = pageAssets();
    const auto found = std::ranges::find(all, path, &Asset::path);
    return found == all.end() ? "none" : found->type;
  };
  EXPECT_EQ(typeOf("/"), "text/html; charset=utf-8");
  EXPECT_EQ(typeOf("/style.css"), "text/css; charset=utf-8");
  EXPECT_EQ(typeOf("/app.js"), "text/javascript; charset=utf-8");
}

// With the strict policy a browser would ignore them; and nothing comes from elsewhere.
TEST(PageAssetsTest, AllowForTheStrictPolicy) {
  for (const auto& asset : pageAssets()) {
    for (const auto* forbidden : {"innerHTML", "outerHTML", "insertAdjacentHTML", " style=\"",
                                  " onclick=", "https://", "eval("}) {
      EXPECT_THAT(std::string(asset.content), testing::Not(testing::HasSubstr(forbidden)))
          << asset.path;
    }
  }
}

}  // namespace
}  // namespace l4ward::control
