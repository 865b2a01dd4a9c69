// The control server's values as JSON and back. from_json throws nlohmann::json::exception.
#pragma once

#include <nlohmann/json.hpp>

#include "control/event.h"
#include "control/lookup.h"
#include "control/override.h"
#include "control/status.h"

namespace l4ward::control {

// subject and action as text
void to_json(nlohmann::json& json, const Override& value);
void from_json(const nlohmann::json& json, Override& value);
void to_json(nlohmann::json& json, const Event& value);
void from_json(const nlohmann::json& json, Event& value);
void to_json(nlohmann::json& json, const Lookup& value);
void from_json(const nlohmann::json& json, Lookup& value);
void to_json(nlohmann::json& json, const Histogram& value);
void from_json(const nlohmann::json& json, Histogram& value);
void to_json(nlohmann::json& json, const Reloads& value);
void from_json(const nlohmann::json& json, Reloads& value);
void to_json(nlohmann::json& json, const Work& value);
void from_json(const nlohmann::json& json, Work& value);
void to_json(nlohmann::json& json, const Node& value);
void from_json(const nlohmann::json& json, Node& value);
void to_json(nlohmann::json& json, const Alarm& value);
void from_json(const nlohmann::json& json, Alarm& value);
void to_json(nlohmann::json& json, const Neighbor& value);
void from_json(const nlohmann::json& json, Neighbor& value);
void to_json(nlohmann::json& json, const Relay& value);
void from_json(const nlohmann::json& json, Relay& value);
void to_json(nlohmann::json& json, const Vip& value);
void from_json(const nlohmann::json& json, Vip& value);
void to_json(nlohmann::json& json, const Destination& value);
void from_json(const nlohmann::json& json, Destination& value);
void to_json(nlohmann::json& json, const Service& value);
void from_json(const nlohmann::json& json, Service& value);
void to_json(nlohmann::json& json, const Server& value);
void from_json(const nlohmann::json& json, Server& value);
void to_json(nlohmann::json& json, const CheckResult& value);
void from_json(const nlohmann::json& json, CheckResult& value);
void to_json(nlohmann::json& json, const Check& value);
void from_json(const nlohmann::json& json, Check& value);
void to_json(nlohmann::json& json, const Difference& value);
void from_json(const nlohmann::json& json, Difference& value);
void to_json(nlohmann::json& json, const NodeStatus& value);
void from_json(const nlohmann::json& json, NodeStatus& value);

}  // namespace l4ward::control
