#include "import/tree.h"

namespace l4ward::keepalived {
namespace {

// Cuts a line where braces stand outside of double quotes: "url { path / }" is four pieces.
std::vector<std::string_view> piecesOf(std::string_view text) {
  std::vector<std::string_view> pieces;
  std::size_t start = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (quoted || (text[i] != '{' && text[i] != '}')) continue;
    pieces.push_back(trim(text.substr(start, i - start)));
    pieces.push_back(text.substr(i, 1));
    start = i + 1;
  }
  pieces.push_back(trim(text.substr(start)));
  std::erase(pieces, std::string_view());
  return pieces;
}

tl::unexpected<Error> failAt(const Place& place, const std::string& what) {
  return fail(place.str() + ": " + what);
}

class Parser {
 public:
  Status add(const Line& line) {
    if (isOpenQuoted(line.text)) return failAt(line.place, "a quote without an end");
    for (const auto piece : piecesOf(line.text)) {
      if (piece == "{") {
        if (auto opened = open(line.place); !opened) return opened;
      } else if (piece == "}") {
        if (auto closed = close(line.place); !closed) return closed;
      } else {
        auto words = splitWords(piece);
        if (words.empty()) continue;
        open_.back()->children.push_back(
            {std::move(words), std::string(piece), line.place, false, {}, false, false});
      }
    }
    return {};
  }

  Result<Node> finish() {
    if (open_.size() == 1) return std::move(root_);
    return failAt(open_.back()->place, "the block '" + open_.back()->keyword() + "' has no end");
  }

 private:
  Status open(const Place& place) {
    auto& siblings = open_.back()->children;
    if (siblings.empty() || siblings.back().block) return failAt(place, "'{' without a keyword");
    if (open_.size() > kMaxNesting) {
      return failAt(place, "more than " + std::to_string(kMaxNesting) + " blocks in each other");
    }
    siblings.back().block = true;
    // The list of the parent does not grow while its last child is open.
    open_.push_back(&siblings.back());
    return {};
  }

  Status close(const Place& place) {
    if (open_.size() == 1) return failAt(place, "'}' without a block");
    open_.pop_back();
    return {};
  }

  Node root_;
  std::vector<Node*> open_{&root_};
};

}  // namespace

const std::string& Node::word(std::size_t index) const {
  static const std::string none;
  return index < words.size() ? words[index] : none;
}

Result<Node> parseTree(const std::vector<Line>& lines) {
  Parser parser;
  for (const auto& line : lines) {
    if (auto added = parser.add(line); !added) return tl::unexpected(added.error());
  }
  return parser.finish();
}

void markSeen(Node& node) {
  node.seen = true;
  for (auto& child : node.children) markSeen(child);
}

}  // namespace l4ward::keepalived
