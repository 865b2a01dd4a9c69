#include "config/sections.h"
#include "config/words.h"

namespace l4ward::config {
namespace {

bool isNone(const Value& value) {
  return value.isScalar() && value.node().text == "none";
}

// A wrong one is like `none`.
std::optional<Endpoint> readHttp(const Value& value) {
  if (isNone(value)) return std::nullopt;
  const auto endpoint =
      value.isScalar() ? Endpoint::parse(value.node().text) : fail("not a text at all");
  if (endpoint && endpoint->port != 0 && !endpoint->address.isMulticast()) return *endpoint;
  value.error("an address of this node with a port, as 127.0.0.1:9119 or \"[::1]:9119\", or none");
  return std::nullopt;
}

std::string readPath(const Value& value, const std::string& what) {
  if (isNone(value)) return "";
  return value.text(isAbsoluteFile, "the absolute path of " + what + ", without blanks, or none")
      .value_or("");
}

}  // namespace

Control readControl(const Value& value) {
  const Record record(value, {"http", "overrides", "gdnsd_extfile"});
  Control control;
  if (const auto http = record.find("http")) control.http = readHttp(*http);
  if (const auto dir = record.find("overrides")) control.overrides = readPath(*dir, "a directory");
  if (const auto file = record.find("gdnsd_extfile")) {
    control.gdnsdExtfile = readPath(*file, "a file");
  }
  return control;
}

}  // namespace l4ward::config
