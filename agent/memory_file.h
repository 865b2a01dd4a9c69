// What must outlive the agent, in <run dir>/ipvs.json: which services and addresses are ours, and
// the last weights that the kernel does not tell (ipvs/memory.h).
#pragma once

#include <string>

#include "ipvs/memory.h"

namespace l4ward::agent {

class MemoryFile {
 public:
  // An empty path keeps nothing (tests). `identity` names this boot and network namespace; a record
  // of another one is ignored, as is a damaged one.
  MemoryFile(std::string path, std::string identity);

  void load();
  // Writes if the content changed since the last load() or save(). A failure is logged; the next
  // agent then does not know, which costs a few edits more.
  void save();
  // From now on save() writes nothing.
  void forgetFile() { path_.clear(); }

  ipvs::Memory value;

 private:
  std::string path_;
  std::string identity_;
  ipvs::Memory saved_;  // what the file holds
};

}  // namespace l4ward::agent
