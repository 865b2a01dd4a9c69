// What an import has to say: each thing that is not carried over exactly, where it stands, why, and
// what to do about it.
#pragma once

#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace l4ward::keepalived {

struct Node;

// Where something stands; line 0 is the file as a whole.
struct Place {
  std::shared_ptr<const std::string> file;
  int line = 0;

  // "keepalived.conf:12"
  std::string str() const;
};

enum class Level {
  lost,     // the site file does without it
  changed,  // the site file has something that is not quite the same
  note      // nothing to do, but good to know
};

std::string_view toString(Level level);

struct ReportLine {
  std::string file;
  int line = 0;         // counts from 1; 0: the file as a whole
  std::string keyword;  // "persistence_granularity"
  std::string value;    // the words behind it; long ones are cut
  Level level = Level::note;
  std::string why;
  std::string advice;  // empty: nothing to do

  // "keepalived.conf:12: changed: retry 200: … ; …"
  std::string str() const;
};

struct Remark {
  Level level = Level::note;
  std::string why;
  std::string advice = {};
};

class Report {
 public:
  // About a statement of the file, which counts as seen from now on. Said once, however often.
  void add(Node& node, Remark remark);
  // About something that is no statement.
  void add(const Place& place, std::string keyword, std::string value, Remark remark);

  // In the order of the files and their lines; the file as a whole comes first.
  std::vector<ReportLine> take();

 private:
  std::vector<ReportLine> lines_;
  std::set<std::tuple<std::string, int, std::string, std::string>> known_;
  std::vector<std::string> files_;  // in the order of their first lines
};

}  // namespace l4ward::keepalived
