// Typed access to a YAML tree: each accessor checks one value and records what is wrong with it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ip.h"
#include "config/diagnostics.h"
#include "config/yaml_tree.h"

namespace l4ward::config {

// Both ends inclusive.
struct NumberRange {
  std::uint32_t min = 0;
  std::uint32_t max = 0;
};
struct DurationRange {
  Millis min{0};
  Millis max{0};
};
struct SizeRange {
  std::size_t min = 0;
  std::size_t max = 0;
};

// A value of the file and its key path. Refers to the tree and to the diagnostics, which outlive
// it. What an accessor cannot return it has reported.
class Value {
 public:
  Value(const Node& node, std::string path, Diagnostics& errors);

  const Node& node() const { return *node_; }
  const std::string& path() const { return path_; }
  Diagnostics& errors() const { return *errors_; }
  bool isScalar() const { return node_->kind == Node::Kind::scalar; }
  bool isList() const { return node_->kind == Node::Kind::list; }
  bool isNull() const { return node_->kind == Node::Kind::null; }

  // Reports this value as wrong; `found` defaults to what stands there.
  void error(std::string expected) const;
  void error(std::string found, std::string expected) const;
  // "'text'", "nothing", "a list" or "a map"
  std::string describe() const;

  // Plain decimal digits without leading zeros; quotes make no difference.
  std::optional<std::uint32_t> number(NumberRange range) const;
  std::optional<Millis> duration(DurationRange range) const;
  // As duration, of whole seconds.
  std::optional<Millis> seconds(DurationRange range) const;
  std::optional<bool> boolean() const;  // true or false, nothing else
  // Any IPv4 or IPv6 address but an IPv4-mapped one.
  std::optional<IpAddress> address() const;
  // As address, or with a prefix length and no host bits. An address is its /32 or /128.
  std::optional<Prefix> addressOrPrefix() const;
  // 1 to 64 letters, digits, '.', '_' or '-'.
  std::optional<std::string> name() const;
  // Text for which `valid` holds.
  std::optional<std::string> text(const std::function<bool(std::string_view)>& valid,
                                  const std::string& expected) const;
  // The position in `names` of the one that stands here.
  std::optional<std::size_t> choice(const std::vector<std::string>& names) const;
  // The items; empty if this is not a list or has too few or too many.
  std::vector<Value> list(SizeRange size) const;
  // The items of a list, or the value itself.
  std::vector<Value> oneOrList(SizeRange size) const;

 private:
  const Node* node_;
  std::string path_;
  Diagnostics* errors_;
};

// A map whose keys are known beforehand. Reading it reports duplicate and unknown keys; no map at
// all is reported and then like an empty one.
class Record {
 public:
  Record(const Value& value, std::vector<std::string> keys);

  const Value& value() const { return value_; }
  bool has(std::string_view key) const { return find(key).has_value(); }
  std::optional<Value> find(std::string_view key) const;
  // As find; reports a missing key.
  std::optional<Value> require(std::string_view key, const std::string& expected) const;
  // From now on like a key that is not there.
  void forget(std::string_view key);

  // The key's value; `otherwise` if it is missing or wrong.
  std::uint32_t number(std::string_view key, NumberRange range, std::uint32_t otherwise) const;
  Millis duration(std::string_view key, DurationRange range, Millis otherwise) const;
  bool boolean(std::string_view key, bool otherwise) const;
  std::size_t choice(std::string_view key, const std::vector<std::string>& names,
                     std::size_t otherwise) const;

 private:
  Value value_;
  std::vector<const Node*> entries_;
};

// A map from names to values; reports duplicate names, and the map's size.
struct Named {
  std::string name;
  Value value;
};
std::vector<Named> readEntries(const Value& value, SizeRange size);
// The same with names as Value::name has them. Bad ones are reported and returned too, so that
// references to them are not reported again.
std::vector<Named> readNamed(const Value& value, SizeRange size);

// "a, b or c"
std::string alternatives(const std::vector<std::string>& names);

// "a duration such as 500ms, 2s or 5m, from 10ms to 1h"
std::string durationText(DurationRange range);

}  // namespace l4ward::config
