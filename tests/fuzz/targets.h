// What is fuzzed: each function takes any bytes, hands them to a parser of what comes from outside,
// and checks what must hold of the result. A finding is a crash, a sanitizer's report or a thrown
// exception. By libFuzzer with `make fuzz`, by mutations.h in the unit tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace l4ward::fuzz {

using Input = std::span<const std::uint8_t>;

inline constexpr const char* kRecordIdentity = "boot net:1";

void netlink(Input datagram);  // from the kernel, about IPVS
void memory(Input text);       // the record ipvs.json, with this identity
void site(Input text);         // site.yaml
void keepalived(Input text);   // keepalived.conf, to be imported
void http(Input answer);       // a server's, to probes with and without a body
void agent(Input answer);      // of HAProxy's agent-check
void grpc(Input stream);       // a server's answer to a gRPC health check
void dns(Input message);       // a server's answer about www.example
void control(Input text);      // of clients: requests (socket and HTTP), and replies to them

// The records that the target finds, of the type that the message asks for.
std::size_t dnsRecordsIn(Input message);

}  // namespace l4ward::fuzz
