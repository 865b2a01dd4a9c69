// keepalived.conf -> site file. Pure but for includesOf(): text in; text, and what is to be said,
// out.
//
// Only what Keepalived's checker process does is carried over: virtual servers, their groups, real
// servers and checks (keepalived.conf(5), "LVS CONFIGURATION"). VRRP, BFD and the rest are reported
// as blocks. Nothing is dropped silently: every statement of the file is either used or in the
// report, which the tree of statements keeps account of.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "import/lines.h"
#include "import/report.h"

namespace l4ward::keepalived {

struct Import {
  std::string siteYaml;  // config::loadSite takes it
  std::vector<ReportLine> report;
};

// `file` is named in the report, and in the head of the site file. `configId`: see lines.h. An
// error names file and line: the file cannot be read as Keepalived's, or is larger than the limits
// of lines.h, tree.h and of site files.
Result<Import> importKeepalived(std::string_view text, const std::string& file,
                                const ReadInclude& readInclude, const std::string& configId = {});

// The report for people: what is lost first, equal remarks together, each with its lines.
std::string importText(const Import& import);

// Reads files for `include`: a pattern as glob(3) has it, relative to the directory of the file
// that has it; at most 1000 files of 4 MiB.
Result<std::vector<File>> includesOf(const std::string& pattern, const std::string& includedBy);

}  // namespace l4ward::keepalived
