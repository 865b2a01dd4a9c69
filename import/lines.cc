#include "import/lines.h"

#include <optional>

#include "import/definitions.h"
#include "import/sequence.h"
#include "import/words.h"

namespace l4ward::keepalived {
namespace {

constexpr unsigned kMaxDepth = 32;         // of definitions of several lines in each other
constexpr unsigned kMaxReplacements = 32;  // of names in one line, one after the other
constexpr std::size_t kMaxWork = std::size_t{128} << 20;  // bytes of lines that are looked at

tl::unexpected<Error> failAt(const Place& place, const std::string& what) {
  return fail(place.str() + ": " + what);
}

// "include FILE", and its variants that differ in what Keepalived says of missing files.
std::optional<std::string> includedBy(std::string_view line) {
  const auto blank = line.find_first_of(" \t");
  if (blank == line.npos) return std::nullopt;
  for (const auto* keyword :
       {"include", "includer", "includem", "includew", "includeb", "includea"}) {
    if (line.substr(0, blank) == keyword) return std::string(trim(line.substr(blank)));
  }
  return std::nullopt;
}

// A definition of several lines that goes on.
struct Unfinished {
  std::string name;
  std::vector<std::string> lines;
  Place place;
};

class Reader {
 public:
  Reader(const std::string& configId, const ReadInclude& readInclude, Report& report)
      : configId_(configId), readInclude_(readInclude), report_(report) {
    definitions_.set("_HASH", {"#"});
    definitions_.set("_BANG", {"!"});
    definitions_.set("_INSTANCE", {configId});
  }

  Status readFile(const File& file, unsigned depth) {
    const auto name = std::make_shared<const std::string>(file.name);
    size_ += file.text.size();
    if (size_ > kMaxText) return failAt({name, 0}, "more than 4 MiB with what it includes");
    const auto slash = file.name.rfind('/');
    definitions_.set("_PWD", {slash == file.name.npos ? "." : file.name.substr(0, slash)});
    int number = 0;
    for (std::string_view text = file.text; !text.empty();) {
      const auto end = text.find('\n');
      const auto line = text.substr(0, end);
      text.remove_prefix(end == text.npos ? text.size() : end + 1);
      if (auto read = readLine(line, {name, ++number}, depth); !read) return read;
    }
    return {};
  }

  Result<std::vector<Line>> finish() {
    if (unfinished_) {
      return failAt(unfinished_->place, "the definition of " + unfinished_->name + " has no end");
    }
    return std::move(lines_);
  }

 private:
  Status readLine(std::string_view raw, const Place& place, unsigned depth) {
    if (raw.size() > kMaxLine) return failAt(place, "a line of more than 64 KiB");
    if (raw.find('\0') != raw.npos) return failAt(place, "a NUL character");
    const auto text = withoutComment(raw);
    if (unfinished_) {
      goOn(text);
      return {};
    }
    return expand(text, place, depth, 0);
  }

  // A blank line ends a definition, and so does one without a backslash at its end.
  void goOn(std::string_view text) {
    const bool more = text.ends_with('\\');
    if (more) text.remove_suffix(1);
    text = trim(text);
    if (!text.empty()) unfinished_->lines.emplace_back(text);
    if (more) return;
    definitions_.set(unfinished_->name, std::move(unfinished_->lines));
    unfinished_.reset();
  }

  void define(Definition definition, const Place& place) {
    if (!definition.value.ends_with('\\')) {
      definitions_.set(definition.name, {std::move(definition.value)});
      return;
    }
    definition.value.pop_back();
    const std::string first(trim(definition.value));
    unfinished_ = Unfinished{std::move(definition.name), {}, place};
    if (!first.empty()) unfinished_->lines.push_back(first);
  }

  // What is behind "@id", or nothing if the line is for another node.
  std::string conditional(const std::string& text, const Place& place) {
    const bool others = text.starts_with("@^");
    const auto blank = text.find_first_of(" \t");
    const auto idAt = others ? 2U : 1U;
    const auto id = text.substr(idAt, blank == text.npos ? text.npos : blank - idAt);
    if (blank != text.npos && (id == configId_) != others)
      return std::string(trim(text.substr(blank)));
    report_.add(place, text.substr(0, blank), blank == text.npos ? "" : text.substr(blank + 1),
                {Level::note, "the line is for other nodes than '" + configId_ + "'",
                 "import with each node's own id if the nodes differ"});
    return {};
  }

  Status expand(std::string text, const Place& place, unsigned depth, unsigned nesting) {
    work_ += text.size();
    if (++steps_ > 2 * kMaxLines || work_ > kMaxWork || nesting > kMaxDepth) {
      return failAt(place, "definitions that stand for too many lines");
    }
    std::vector<std::string> following;
    for (unsigned i = 0; i < kMaxReplacements; ++i) {
      text = trim(text);
      if (text.starts_with('@')) {
        text = conditional(text, place);
        continue;
      }
      if (text.empty()) return expandAll(following, place, depth, nesting);
      if (auto definition = parseDefinition(text)) {
        define(std::move(*definition), place);
        return expandAll(following, place, depth, nesting);
      }
      if (isSequence(text)) {
        if (auto done = repeat(text, place, depth, nesting); !done) return done;
        return expandAll(following, place, depth, nesting);
      }
      auto next = definitions_.replace(text);
      if (!next.changed) {
        if (auto added = add(text, place, depth); !added) return added;
        return expandAll(following, place, depth, nesting);
      }
      if (next.random) reportRandom(text, place);
      following.insert(following.begin(), next.following.begin(), next.following.end());
      text = withoutComment(next.text);
      if (text.size() > kMaxLine) return failAt(place, "a line of more than 64 KiB");
    }
    return failAt(place, "a definition that contains itself");
  }

  void reportRandom(const std::string& text, const Place& place) {
    report_.add(place, "_RANDOM", text,
                {Level::changed, "a site file is the same whenever it is made: the smallest value",
                 "write the value that you want"});
  }

  Status expandAll(const std::vector<std::string>& texts, const Place& place, unsigned depth,
                   unsigned nesting) {
    for (const auto& text : texts) {
      if (unfinished_) {
        goOn(text);
      } else if (auto done = expand(text, place, depth, nesting + 1); !done) {
        return done;
      }
    }
    return {};
  }

  Status repeat(const std::string& text, const Place& place, unsigned depth, unsigned nesting) {
    const auto close = text.find(')');
    const auto head = definitions_.replace(text.substr(0, close)).text;
    const auto sequence = parseSequence(head + (close == text.npos ? "" : text.substr(close)));
    if (!sequence) return failAt(place, sequence.error().message);
    for (const auto& round : sequence->rounds) {
      for (const auto& [name, value] : round) definitions_.set(name, {value});
      if (auto done = expand(sequence->rest, place, depth, nesting + 1); !done) return done;
    }
    return {};
  }

  Status add(const std::string& text, const Place& place, unsigned depth) {
    if (const auto pattern = includedBy(text)) return include(*pattern, place, depth);
    written_ += text.size();
    if (lines_.size() == kMaxLines || written_ > kMaxText) {
      return failAt(place, "more lines than " + std::to_string(kMaxLines) + " or 4 MiB");
    }
    lines_.push_back({text, place});
    return {};
  }

  Status include(const std::string& pattern, const Place& place, unsigned depth) {
    if (depth == kMaxIncludes) return failAt(place, "files that include each other without end");
    const auto words = splitWords(pattern);
    const auto files = readInclude_ ? readInclude_(words.empty() ? "" : words[0], *place.file)
                                    : Result<std::vector<File>>();
    if (!files || files->empty()) {
      report_.add(place, "include", pattern,
                  {Level::lost, files ? "there is no such file" : files.error().message,
                   "import on the node that has the file, or paste it in"});
      return {};
    }
    for (const auto& file : *files) {
      if (auto read = readFile(file, depth + 1); !read) return read;
    }
    const auto slash = place.file->rfind('/');
    definitions_.set("_PWD", {slash == place.file->npos ? "." : place.file->substr(0, slash)});
    return {};
  }

  const std::string& configId_;
  const ReadInclude& readInclude_;
  Report& report_;
  Definitions definitions_;
  std::optional<Unfinished> unfinished_;
  std::vector<Line> lines_;
  std::size_t size_ = 0;
  std::size_t written_ = 0;
  std::size_t steps_ = 0;
  std::size_t work_ = 0;
};

}  // namespace

Result<std::vector<Line>> readLines(const File& file, const std::string& configId,
                                    const ReadInclude& readInclude, Report& report) {
  Reader reader(configId, readInclude, report);
  if (auto read = reader.readFile(file, 0); !read) return tl::unexpected(read.error());
  return reader.finish();
}

}  // namespace l4ward::keepalived
