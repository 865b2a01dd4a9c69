// A little fuzzing without libFuzzer: files, and mutations of them that are the same in every run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/fuzz/targets.h"

namespace l4ward::fuzz {

using Bytes = std::vector<std::uint8_t>;

// The files of a directory of the source tree that have this extension (empty: all), by name.
std::vector<Bytes> filesIn(const std::string& directory, const std::string& extension = {});

// Gives `target` each of `files` and that many mutations of each. There must be a file.
void run(void (*target)(Input), const std::vector<Bytes>& files, int mutations);

}  // namespace l4ward::fuzz
