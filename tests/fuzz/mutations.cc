#include "tests/fuzz/mutations.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <random>

#include "base/file.h"
#include "tests/fuzz/require.h"

namespace l4ward::fuzz {
namespace {

using Random = std::mt19937;

std::size_t below(std::size_t limit, Random& random) {
  return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
}

std::uint8_t someByte(Random& random) {
  static constexpr std::uint8_t kTelling[] = {0, 1, 2, 3, 4, 5, 8, 16, 0x7f, 0x80, 0xff};
  return below(3, random) == 0 ? static_cast<std::uint8_t>(below(256, random))
                               : kTelling[below(std::size(kTelling), random)];
}

// One to four bytes or pieces changed, removed, repeated or taken from `other`.
Bytes mutate(Bytes bytes, const Bytes& other, Random& random) {
  for (auto changes = below(4, random) + 1; changes > 0 && !bytes.empty(); --changes) {
    const auto at = below(bytes.size(), random);
    const auto here = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    const auto length = std::min(below(64, random) + 1, bytes.size() - at);
    switch (below(8, random)) {
      case 0:
        bytes.erase(here, here + static_cast<std::ptrdiff_t>(length));
        break;
      case 1: {
        const Bytes piece(here, here + static_cast<std::ptrdiff_t>(length));
        bytes.insert(here, piece.begin(), piece.end());
        break;
      }
      case 2:
        bytes.resize(at);
        break;
      case 3: {
        if (other.empty()) break;
        const auto from = other.begin() + static_cast<std::ptrdiff_t>(below(other.size(), random));
        bytes.insert(here, from, other.end());
        break;
      }
      default:
        *here = someByte(random);
    }
  }
  return bytes;
}

}  // namespace

std::vector<Bytes> filesIn(const std::string& directory, const std::string& extension) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(L4WARD_SOURCE_DIR) + "/" + directory)) {
    if (extension.empty() || entry.path().extension() == extension) paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  std::vector<Bytes> files;
  for (const auto& path : paths) {
    const auto text = readFile(path, 1U << 20).value();
    files.emplace_back(text.begin(), text.end());
  }
  return files;
}

void run(void (*target)(Input), const std::vector<Bytes>& files, int mutations) {
  require(!files.empty());
  Random random(20260131);
  for (const auto& file : files) {
    target(file);
    for (int i = 0; i < mutations; ++i) {
      target(mutate(file, files[below(files.size(), random)], random));
    }
  }
}

}  // namespace l4ward::fuzz
