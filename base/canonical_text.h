// Values one after the other as text, each with its length, so that no two lists of them look
// alike: for hashes and comparisons, not for people.
//
//   class Writer : public CanonicalText<Writer> {
//    public:
//     using CanonicalText::add;
//     void add(const Point& point) { all(point.x, point.y); }
//   };
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/ip.h"

namespace l4ward {

template <typename Writer>
class CanonicalText {
 public:
  std::string take() && { return std::move(text_); }

  void add(std::string_view text) {
    text_ += std::to_string(text.size());
    text_ += ':';
    text_ += text;
  }
  void add(const std::string& text) { add(std::string_view(text)); }
  template <typename T>
  requires std::is_integral_v<T> || std::is_enum_v<T>
  void add(T number) { add(std::string_view(std::to_string(static_cast<long long>(number)))); }
  void add(Millis duration) { add(duration.count()); }
  void add(const Endpoint& endpoint) { add(endpoint.str()); }
  void add(const IpAddress& address) { add(address.str()); }
  void add(const Prefix& prefix) { add(prefix.str()); }
  template <typename A, typename B>
  void add(const std::pair<A, B>& pair) {
    all(pair.first, pair.second);
  }
  template <typename T>
  void add(const std::optional<T>& value) {
    add(value.has_value());
    if (value) self().add(*value);
  }
  template <typename T>
  void add(const std::vector<T>& values) {
    add(values.size());
    for (const auto& value : values) self().add(value);
  }
  template <typename K, typename V>
  void add(const std::map<K, V>& values) {
    add(values.size());
    for (const auto& value : values) self().add(value);
  }

  template <typename... Values>
  void all(const Values&... values) {
    (self().add(values), ...);
  }

 private:
  Writer& self() { return static_cast<Writer&>(*this); }

  std::string text_;
};

}  // namespace l4ward
