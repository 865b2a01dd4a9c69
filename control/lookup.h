// The answer to `lookup`: where a flow goes, and why.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace l4ward::control {

struct Lookup {
  std::string client;   // "203.0.113.9:40000"
  std::string vip;      // "198.51.100.1:80"
  std::string service;  // the IPVS service that takes it: "tcp 198.51.100.1:80"
  std::string name;     // in the site file
  std::string digest;
  std::uint64_t slots = 0;
  std::uint64_t slot = 0;  // of a new flow of this client
  std::string owner;       // the slot's server: "192.0.2.101:80"
  std::string ownerName;
  bool fallback = false;  // the owner takes no new connections, another one is asked
  std::string server;     // who gets a new flow; empty: it is refused
  std::string serverName;
  // The kernel already holds this flow; then its packets go there, whatever the table says.
  std::optional<std::string> held;
  std::string heldName;
  std::string heldState;  // "ESTABLISHED"
  std::string text;       // all of it in a sentence
};

}  // namespace l4ward::control
