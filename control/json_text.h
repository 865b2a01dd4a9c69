// JSON from and for outside.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace l4ward::control {

// Nothing for what is no JSON, or nests more than 32 lists and objects. Never throws.
std::optional<nlohmann::json> parseJson(std::string_view text);

// One line of ASCII, whatever bytes its texts have.
std::string dump(const nlohmann::json& json);

// UTF-8 without control characters (C0, DEL and C1), which a terminal would obey.
bool isOneLine(std::string_view text);

}  // namespace l4ward::control
