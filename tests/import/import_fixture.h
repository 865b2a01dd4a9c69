// Imports of texts, as the site that l4ward would read.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "config/load.h"
#include "import/keepalived.h"

namespace l4ward::keepalived {

struct Imported {
  Import import;
  config::Site site;

  // The report's lines about a keyword.
  std::vector<ReportLine> about(const std::string& keyword) const {
    std::vector<ReportLine> lines;
    std::copy_if(import.report.begin(), import.report.end(), std::back_inserter(lines),
                 [&](const auto& line) { return line.keyword == keyword; });
    return lines;
  }
};

inline Imported importOf(const std::string& text,
                         const std::map<std::string, std::string>& includes = {},
                         const std::string& configId = "lb1") {
  const auto read = [&](const std::string& pattern,
                        const std::string&) -> Result<std::vector<File>> {
    const auto found = includes.find(pattern);
    if (found == includes.end()) return std::vector<File>();
    return std::vector<File>{{found->first, found->second}};
  };
  Imported result;
  auto import = importKeepalived(text, "keepalived.conf", read, configId);
  EXPECT_TRUE(import) << import.error().message;
  if (!import) return result;
  result.import = std::move(*import);
  auto site = config::loadSite(result.import.siteYaml, "site.yaml", "node");
  EXPECT_TRUE(site) << result.import.siteYaml;
  if (site) result.site = std::move(*site);
  return result;
}

}  // namespace l4ward::keepalived
