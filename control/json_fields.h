// One list of a struct's fields serves for writing it as JSON and for reading it:
//
//   template <typename Visitor>
//   void fields(Visitor& visit, Like<Visitor, Lookup>& value) { visit("client", value.client); … }
//
// A field that is missing keeps its default, one that nobody knows is ignored (an older and a newer
// program understand each other); one of another type throws nlohmann::json::exception.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <type_traits>

namespace l4ward::control {

class JsonWriter {
 public:
  static constexpr bool isWriter = true;
  explicit JsonWriter(nlohmann::json& json) : json_(json) {}

  template <typename T>
  void operator()(const char* name, const T& value) {
    json_[name] = value;
  }
  template <typename T>
  void operator()(const char* name, const std::optional<T>& value) {
    if (value) json_[name] = *value;
  }

 private:
  nlohmann::json& json_;
};

class JsonReader {
 public:
  static constexpr bool isWriter = false;
  explicit JsonReader(const nlohmann::json& json) : json_(json) {}

  template <typename T>
  void operator()(const char* name, T& value) {
    if (const auto found = json_.find(name); found != json_.end()) found->get_to(value);
  }
  template <typename T>
  void operator()(const char* name, std::optional<T>& value) {
    if (const auto found = json_.find(name); found != json_.end()) value = found->get<T>();
  }

 private:
  const nlohmann::json& json_;
};

// A struct to be read is const for a writer.
template <typename Visitor, typename T>
using Like = std::conditional_t<Visitor::isWriter, const T, T>;

// Within the struct's namespace, behind its fields().
#define L4WARD_JSON(Type)                                                          \
  void to_json(nlohmann::json& json, const Type& value) {                          \
    json = nlohmann::json::object();                                               \
    JsonWriter writer(json);                                                       \
    fields(writer, value);                                                         \
  }                                                                                \
  void from_json(const nlohmann::json& json, Type& value) {                        \
    if (!json.is_object()) {                                                       \
      throw nlohmann::json::type_error::create(302, "type must be object", &json); \
    }                                                                              \
    JsonReader reader(json);                                                       \
    fields(reader, value);                                                         \
  }

}  // namespace l4ward::control
