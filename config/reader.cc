#include "config/reader.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "config/words.h"

namespace l4ward::config {
namespace {

constexpr const char* kAddressText = "an IPv4 or IPv6 address";
constexpr const char* kNameText = "1 to 64 letters, digits, '.', '_' or '-'";

bool isMapped(const IpAddress& address) {
  static constexpr std::uint8_t kPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return !address.isV4() &&
         std::equal(std::begin(kPrefix), std::end(kPrefix), address.bytes().begin());
}

// The address that `text`, a part of `value`, is.
std::optional<IpAddress> parseAddress(const Value& value, std::string_view text,
                                      const std::string& expected) {
  const auto address = IpAddress::parse(text);
  if (!address) {
    value.error(expected);
    return std::nullopt;
  }
  if (isMapped(*address)) {
    value.error("the IPv4 address itself, as 192.0.2.1");
    return std::nullopt;
  }
  return *address;
}

std::string sizeText(SizeRange size, const std::string& noun) {
  const auto max = std::to_string(size.max);
  if (size.min == 0) return "at most " + max + " " + noun;
  return std::to_string(size.min) + " to " + max + " " + noun;
}

// Each key's first entry; reports the others.
std::vector<const Node*> uniqueEntries(const Value& map) {
  std::vector<const Node*> unique;
  std::map<std::string_view, const Node*> seen;
  for (const auto& child : map.node().children) {
    const auto [first, fresh] = seen.emplace(child.key, &child);
    if (fresh) {
      unique.push_back(&child);
    } else {
      map.errors().add(
          child.keyPlace, joinPath(map.path(), child.key),
          "the key " + inQuotes(child.key) + " a second time",
          "it once (line " + std::to_string(first->second->keyPlace.line) + " has it too)");
    }
  }
  return unique;
}

bool checkMap(const Value& value) {
  if (value.node().kind == Node::Kind::map) return true;
  value.error("a map");
  return false;
}

}  // namespace

Value::Value(const Node& node, std::string path, Diagnostics& errors)
    : node_(&node), path_(std::move(path)), errors_(&errors) {
  errors.remember(path_, node.place);
}

std::string Value::describe() const {
  switch (node_->kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::scalar:
      return inQuotes(node_->text);
    case Node::Kind::list:
      return "a list";
    case Node::Kind::map:
      break;
  }
  return "a map";
}

void Value::error(std::string expected) const {
  error(describe(), std::move(expected));
}

void Value::error(std::string found, std::string expected) const {
  errors_->add(node_->place, path_, std::move(found), std::move(expected));
}

std::optional<std::uint32_t> Value::number(NumberRange range) const {
  if (isScalar()) {
    const auto number = parsePlainNumber(node_->text);
    if (number && *number >= range.min && *number <= range.max) return number;
  }
  error("a whole number from " + std::to_string(range.min) + " to " + std::to_string(range.max));
  return std::nullopt;
}

std::optional<Millis> Value::duration(DurationRange range) const {
  if (isScalar()) {
    const auto duration = parseDuration(node_->text);
    if (duration && *duration >= range.min && *duration <= range.max) return *duration;
  }
  error(durationText(range));
  return std::nullopt;
}

std::optional<Millis> Value::seconds(DurationRange range) const {
  const auto time = duration(range);
  if (!time || *time % std::chrono::seconds(1) == Millis::zero()) return time;
  error("whole seconds");
  return std::nullopt;
}

std::optional<bool> Value::boolean() const {
  if (isScalar() && node_->text == "true") return true;
  if (isScalar() && node_->text == "false") return false;
  error("true or false");
  return std::nullopt;
}

std::optional<IpAddress> Value::address() const {
  return parseAddress(*this, isScalar() ? node_->text : "", kAddressText);
}

std::optional<Prefix> Value::addressOrPrefix() const {
  const std::string_view text = isScalar() ? std::string_view(node_->text) : std::string_view();
  const auto slash = text.find('/');
  const auto address = parseAddress(*this, text.substr(0, slash),
                                    kAddressText + std::string(", or a prefix as 192.0.2.0/28"));
  if (!address) return std::nullopt;
  if (slash == text.npos) return Prefix::host(*address);
  const auto length = parsePlainNumber(text.substr(slash + 1));
  if (!length || *length > address->bits()) {
    error("a prefix length from 0 to " + std::to_string(address->bits()));
    return std::nullopt;
  }
  const auto prefix = Prefix::around(*address, *length);
  if (prefix.address != *address) {
    error("a prefix without host bits, as " + prefix.str());
    return std::nullopt;
  }
  return prefix;
}

std::optional<std::string> Value::name() const {
  return text(isName, kNameText);
}

std::optional<std::string> Value::text(const std::function<bool(std::string_view)>& valid,
                                       const std::string& expected) const {
  if (isScalar() && valid(node_->text)) return node_->text;
  error(expected);
  return std::nullopt;
}

std::optional<std::size_t> Value::choice(const std::vector<std::string>& names) const {
  if (isScalar()) {
    const auto found = std::find(names.begin(), names.end(), node_->text);
    if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  }
  error(alternatives(names) + (isScalar() ? didYouMean(node_->text, names) : ""));
  return std::nullopt;
}

std::vector<Value> Value::list(SizeRange size) const {
  const auto& items = node_->children;
  if (!isList()) {
    error("a list");
    return {};
  }
  if (items.size() < size.min || items.size() > size.max) {
    const auto count = std::to_string(items.size());
    error(items.empty() ? "an empty list" : "a list of " + count, sizeText(size, "items"));
    return {};
  }
  std::vector<Value> values;
  values.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    values.emplace_back(items[i], path_ + "[" + std::to_string(i) + "]", *errors_);
  }
  return values;
}

std::vector<Value> Value::oneOrList(SizeRange size) const {
  return isScalar() ? std::vector<Value>{*this} : list(size);
}

Record::Record(const Value& value, std::vector<std::string> keys) : value_(value) {
  if (!checkMap(value)) return;
  for (const auto* entry : uniqueEntries(value)) {
    if (std::find(keys.begin(), keys.end(), entry->key) != keys.end()) {
      entries_.push_back(entry);
      continue;
    }
    std::string expected = "a key that is known here";
    if (const auto guess = didYouMean(entry->key, keys); !guess.empty()) {
      expected += guess;
    } else {
      expected += ":";
      for (const auto& key : keys) expected += " " + key;
    }
    value.errors().add(entry->keyPlace, joinPath(value.path(), entry->key),
                       "the key " + inQuotes(entry->key), expected);
  }
}

std::optional<Value> Record::find(std::string_view key) const {
  for (const auto* entry : entries_) {
    if (entry->key == key) return Value(*entry, joinPath(value_.path(), key), value_.errors());
  }
  return std::nullopt;
}

std::optional<Value> Record::require(std::string_view key, const std::string& expected) const {
  auto found = find(key);
  if (!found && value_.node().kind == Node::Kind::map) {
    value_.errors().add(value_.node().place, joinPath(value_.path(), key), "no such key", expected);
  }
  return found;
}

void Record::forget(std::string_view key) {
  std::erase_if(entries_, [&](const Node* entry) { return entry->key == key; });
}

std::uint32_t Record::number(std::string_view key, NumberRange range,
                             std::uint32_t otherwise) const {
  const auto value = find(key);
  return value ? value->number(range).value_or(otherwise) : otherwise;
}

Millis Record::duration(std::string_view key, DurationRange range, Millis otherwise) const {
  const auto value = find(key);
  return value ? value->duration(range).value_or(otherwise) : otherwise;
}

bool Record::boolean(std::string_view key, bool otherwise) const {
  const auto value = find(key);
  return value ? value->boolean().value_or(otherwise) : otherwise;
}

std::size_t Record::choice(std::string_view key, const std::vector<std::string>& names,
                           std::size_t otherwise) const {
  const auto value = find(key);
  return value ? value->choice(names).value_or(otherwise) : otherwise;
}

std::vector<Named> readEntries(const Value& value, SizeRange size) {
  if (!checkMap(value)) return {};
  const auto count = value.node().children.size();
  if (count < size.min || count > size.max) {
    value.error("a map of " + std::to_string(count), sizeText(size, "entries"));
    return {};
  }
  std::vector<Named> entries;
  for (const auto* entry : uniqueEntries(value)) {
    const auto path = joinPath(value.path(), entry->key);
    value.errors().remember(path, entry->keyPlace);
    entries.push_back({entry->key, Value(*entry, path, value.errors())});
  }
  return entries;
}

std::vector<Named> readNamed(const Value& value, SizeRange size) {
  auto named = readEntries(value, size);
  for (const auto& [name, item] : named) {
    if (isName(name)) continue;
    value.errors().add(item.node().keyPlace, item.path(), "the name " + inQuotes(name), kNameText);
  }
  return named;
}

std::string alternatives(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 < names.size() ? ", " : " or ";
    text += names[i];
  }
  return text;
}

std::string durationText(DurationRange range) {
  return "a duration such as 500ms, 2s or 5m, from " + formatDuration(range.min) + " to " +
         formatDuration(range.max);
}

}  // namespace l4ward::config
