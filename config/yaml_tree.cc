#include "config/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include "config/diagnostics.h"

namespace l4ward::config {
namespace {

// What this file refuses goes through yaml-cpp's own exception, because unwinding is the only way
// out of its parser. `msg` is what was found; what was expected stands in kExplained.
[[noreturn]] void refuse(Place place, const char* found) {
  YAML::Mark mark;
  mark.line = place.line - 1;
  mark.column = place.column - 1;
  throw YAML::ParserException(mark, found);
}

constexpr const char* kTooMany = "too much content, or aliases that multiply";
constexpr const char* kTooDeep = "lists and maps nested too deeply";
constexpr const char* kTooLong = "a very long text";
constexpr const char* kTagged = "a tag ('!')";
constexpr const char* kNotText = "a key that is not text";
constexpr const char* kSecond = "more text behind the end of the first document";
constexpr const char* kCycle = "an alias that contains itself";

struct Explained {
  std::string_view message;
  std::string_view found;  // empty: the message
  std::string_view expected;
};

constexpr std::string_view kIndent =
    "keys of one map to be indented alike, and quotes around text that contains ': '";
constexpr std::array<Explained, 17> kExplained{{
    {kTooMany, "", "at most 250000 values, aliases replaced by what they stand for"},
    {kTooDeep, "", "at most 32 levels"},
    {kTooLong, "", "at most 4096 bytes for one value or key"},
    {kTagged, "", "plain values; text that begins with '!' stands in quotes"},
    {kNotText, "", "text before the ':'"},
    {kSecond, "", "one document a file, without a second '---' or anything else behind it"},
    {kCycle, "", "an alias (*name) only behind the end of its anchor (&name)"},
    {"illegal map value", "a ':' that belongs to no key", kIndent},
    {"end of map not found", "an indentation that fits no line above", kIndent},
    {"end of sequence not found", "an indentation that fits no line above", kIndent},
    {"end of sequence flow not found", "a '[' that is not closed", "a ']' and ',' between items"},
    {"end of map flow not found", "a '{' that is not closed", "a '}' and ',' between entries"},
    {"illegal EOF in scalar", "a quote that is not closed", "a closing quote"},
    {"illegal flow end", "a ']' or '}' that closes nothing", "as many as were opened"},
    {"the referenced anchor is not defined", "an alias without an anchor",
     "&name above; text that begins with '*' stands in quotes"},
    {"illegal block entry", "a list item ('- ') that belongs to no list",
     "list items below their key, indented alike"},
    {"unknown token", "a character that begins no value",
     "quotes around text that begins with '@', '%' or '`'"},
}};

struct Extent {
  std::size_t nodes = 0;
  std::size_t depth = 0;
};

Extent measure(const Node& node) {
  Extent extent{1, 0};
  const bool nests = node.kind == Node::Kind::list || node.kind == Node::Kind::map;
  for (const auto& child : node.children) {
    const auto below = measure(child);
    extent.nodes += below.nodes;
    extent.depth = std::max(extent.depth, below.depth);
  }
  extent.depth += nests ? 1 : 0;
  return extent;
}

class TreeBuilder : public YAML::EventHandler {
 public:
  std::optional<Node>& root() { return root_; }
  // Where the innermost list or map that is still open began.
  std::optional<Place> innermost() const {
    if (open_.empty()) return std::nullopt;
    return open_.back().node.place;
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) refuse(place(mark), kSecond);
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    finish(makeNode(Node::Kind::null, mark), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) refuse(place(mark), kCycle);
    const auto extent = measure(found->second);
    if (open_.size() + extent.depth > kMaxDepth) refuse(place(mark), kTooDeep);
    spend(extent.nodes, place(mark));
    Node copy = found->second;
    copy.place = place(mark);
    attach(std::move(copy));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    checkTag(mark, tag);
    if (value.size() > kMaxScalar) refuse(place(mark), kTooLong);
    Node node = makeNode(Node::Kind::scalar, mark);
    node.text = value;
    finish(std::move(node), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, anchor, Node::Kind::list);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, anchor, Node::Kind::map);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Node node;
    YAML::anchor_t anchor = 0;
    std::optional<Node> key;  // of a map: read, but its value is not
  };

  static Place place(const YAML::Mark& mark) { return {mark.line + 1, mark.column + 1}; }

  static Node makeNode(Node::Kind kind, const YAML::Mark& mark) {
    Node node;
    node.kind = kind;
    node.place = place(mark);
    return node;
  }

  static void checkTag(const YAML::Mark& mark, const std::string& tag) {
    // yaml-cpp says "?" for plain values and "!" for quoted ones.
    if (!tag.empty() && tag != "?" && tag != "!") refuse(place(mark), kTagged);
  }

  void spend(std::size_t nodes, Place at) {
    spent_ += nodes;
    if (spent_ > kMaxNodes) refuse(at, kTooMany);
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            Node::Kind kind) {
    checkTag(mark, tag);
    if (open_.size() >= kMaxDepth) refuse(place(mark), kTooDeep);
    open_.push_back({makeNode(kind, mark), anchor, std::nullopt});
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    finish(std::move(done.node), done.anchor);
  }

  void finish(Node node, YAML::anchor_t anchor) {
    spend(1, node.place);
    if (anchor != 0) {
      spend(measure(node).nodes, node.place);
      anchors_[anchor] = node;
    }
    attach(std::move(node));
  }

  void attach(Node node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == Node::Kind::map) {
      if (!parent.key) {
        if (node.kind != Node::Kind::scalar) refuse(node.place, kNotText);
        parent.key = std::move(node);
        return;
      }
      node.key = std::move(parent.key->text);
      node.keyPlace = parent.key->place;
      // yaml-cpp gives an empty value the place of whatever comes next.
      if (node.kind == Node::Kind::null) node.place = node.keyPlace;
      parent.key.reset();
    }
    parent.node.children.push_back(std::move(node));
  }

  std::optional<Node> root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Node> anchors_;
  std::size_t spent_ = 0;
  int documents_ = 0;
};

std::string_view lineAt(std::string_view text, int line) {
  for (; line > 1 && !text.empty(); --line) {
    const auto end = text.find('\n');
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  return text.substr(0, text.find('\n'));
}

Diagnostic explain(const YAML::Exception& error, const TreeBuilder& builder, std::string_view text,
                   const std::string& file) {
  Diagnostic result{.file = file,
                    .line = error.mark.line + 1,
                    .column = error.mark.column + 1,
                    .path = "",
                    .found = "text that is not YAML (" + error.msg + ")",
                    .expected = "valid YAML"};
  for (const auto& known : kExplained) {
    if (error.msg != known.message) continue;
    result.found = known.found.empty() ? known.message : known.found;
    result.expected = known.expected;
    if (known.found.empty()) return result;  // valid YAML, refused here
  }
  // These carry the place where the search ended, often the end of the file.
  if (error.msg.ends_with("flow not found") && builder.innermost()) {
    result.line = builder.innermost()->line;
    result.column = builder.innermost()->column;
  }
  const auto line = lineAt(text, result.line);
  const auto tab = line.find('\t');
  if (tab != line.npos && tab == line.find_first_not_of(' ')) {
    result.column = static_cast<int>(tab) + 1;
    result.found = "a tab in the indentation";
    result.expected = "blanks";
  }
  return result;
}

// yaml-cpp takes bytes 0 and 4 for the end of the file and replaces invalid UTF-8 silently.
std::optional<Diagnostic> checkBytes(std::string_view text, const std::string& file) {
  Place at{1, 1};
  const auto bad = [&](std::string found, const char* expected) {
    return Diagnostic{file, at.line, at.column, "", std::move(found), expected};
  };
  while (!text.empty()) {
    const auto length = utf8Length(text);
    if (length == 0) return bad("a byte that is not UTF-8", "UTF-8 text");
    const auto c = static_cast<unsigned char>(text[0]);
    if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f) {
      return bad("control character " + std::to_string(c), "text");
    }
    at = c == '\n' ? Place{at.line + 1, 1} : Place{at.line, at.column + 1};
    text.remove_prefix(length);
  }
  return std::nullopt;
}

}  // namespace

tl::expected<Node, Diagnostic> parseYaml(std::string_view text, const std::string& file) {
  if (auto bad = checkBytes(text, file)) return tl::unexpected(std::move(*bad));
  TreeBuilder builder;
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    return tl::unexpected(explain(error, builder, text, file));
  } catch (const std::exception& error) {
    return tl::unexpected(
        Diagnostic{file, 0, 0, "", std::string("text that fails: ") + error.what(), "valid YAML"});
  }
  if (!builder.root()) return Node{};
  return std::move(*builder.root());
}

}  // namespace l4ward::config
