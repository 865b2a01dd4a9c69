// Each keyword of Keepalived's checker side, what becomes of it, and a text that shows it.
#pragma once

#include <string>
#include <vector>

namespace l4ward::keepalived {

enum class Where { root, group, virtualServer, realServer };

struct Row {
  const char* scope;    // the block that it stands in
  const char* keyword;  // as the manual has it
  // "carried": the site file has `result`, and the report says nothing worse than a note.
  // "changed", "lost", "note": the report has a line of this level about the keyword.
  const char* fate;
  Where where;  // of `text`
  const char* text;
  const char* result;  // stands in the site file; "" if there is nothing
};

const std::vector<Row>& keywordRows();

// A configuration with `text` at its place; without it nothing but notes are in the report.
std::string configurationWith(Where where, const std::string& text);

}  // namespace l4ward::keepalived
