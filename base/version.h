// The version of these programs, that of the Debian package: packaging/debian/changelog.
#pragma once

namespace l4ward {

// "0.1.0"; in one object of its own, so that another version compiles nothing else again.
extern const char* const kVersion;

}  // namespace l4ward
