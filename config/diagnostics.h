// Collects what is wrong with a site file, and helps to say it.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/load.h"
#include "config/yaml_tree.h"

namespace l4ward::config {

inline constexpr std::size_t kMaxDiagnostics = 100;
// To guess takes a look at every name that is known.
inline constexpr std::size_t kMaxGuesses = 1000;

// " (did you mean 'interval'?)" if one of `known` is a slip of the pen away from `text`, or "".
std::string didYouMean(std::string_view text, const std::vector<std::string>& known);

template <typename T>
std::string didYouMean(std::string_view text, const std::map<std::string, T>& known) {
  std::vector<std::string> names;
  for (const auto& [name, value] : known) names.push_back(name);
  return didYouMean(text, names);
}

class Diagnostics {
 public:
  // `file` is only named.
  explicit Diagnostics(std::string file) : file_(std::move(file)) {}
  const std::string& file() const { return file_; }

  void add(Place place, const std::string& path, std::string found, std::string expected);
  // As add, at the place of `path`, or of what contains it if that was left to its default.
  void addAt(const std::string& path, std::string found, std::string expected);

  void remember(const std::string& path, Place place) { places_.emplace(path, place); }
  // {0, 0} if neither `path` nor anything that contains it stands in the file.
  Place placeOf(std::string path) const;

  // didYouMean, as long as there were not too many.
  template <typename T>
  std::string guess(std::string_view text, const std::map<std::string, T>& known) {
    return ++guesses_ > kMaxGuesses ? "" : didYouMean(text, known);
  }

  // What is wrong with another file that this one names.
  void append(const std::vector<Diagnostic>& others);

  bool empty() const { return kept_.empty() && others_.empty(); }
  // Whether something at `path` or within it was reported.
  bool isWrong(const std::string& path) const;
  // The first kMaxDiagnostics, in the order of the file, then those of other files.
  std::vector<Diagnostic> take() const;

 private:
  struct ByPlace {
    bool operator()(const Diagnostic& a, const Diagnostic& b) const;
  };

  std::string file_;
  std::multiset<Diagnostic, ByPlace> kept_;
  std::vector<Diagnostic> others_;
  std::unordered_map<std::string, Place> places_;
  std::size_t guesses_ = 0;
};

// "pools" + "edge" -> "pools.edge"; other than [A-Za-z0-9_-] in brackets: sysctls["net.ipv4.vs.x"].
std::string joinPath(const std::string& parent, std::string_view key);

// Whether `path` is `outer` or a part of it.
bool isPathWithin(std::string_view path, std::string_view outer);

// 'text', cut to a readable length, with control characters and invalid UTF-8 shown as '?'.
std::string inQuotes(std::string_view text);

// Bytes of the UTF-8 character (RFC 3629) that `text` begins with, 0 if there is none.
std::size_t utf8Length(std::string_view text);

}  // namespace l4ward::config
