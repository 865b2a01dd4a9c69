#include <algorithm>
#include <string>

#include "healthcheck/dns_message.h"
#include "healthcheck/protocol.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/targets.h"

namespace l4ward::fuzz {
namespace {

using namespace healthcheck;

constexpr const char* kName = "www.example";
constexpr std::size_t kQuestion = 12;
constexpr std::size_t kType = kQuestion + 13;  // behind the name
constexpr DnsType kTypes[] = {DnsType::a,  DnsType::ns,  DnsType::cname, DnsType::soa, DnsType::ptr,
                              DnsType::mx, DnsType::txt, DnsType::aaaa,  DnsType::srv};

// Of the type that the message is about, or A.
DnsType typeIn(Input message) {
  const auto is = [&](DnsType type) {
    return message.size() > kType + 1 && message[kType] == 0 &&
           message[kType + 1] == static_cast<std::uint8_t>(type);
  };
  const auto* found = std::ranges::find_if(kTypes, is);
  return found == std::end(kTypes) ? DnsType::a : *found;
}

// The message as the answer to this query: with its id.
std::string answering(std::string_view query, Input message) {
  std::string answer(message.begin(), message.end());
  std::copy_n(query.begin(), std::min<std::size_t>(2, answer.size()), answer.begin());
  return answer;
}

tl::expected<DnsAnswer, DnsUnusable> parse(Input message) {
  const auto query = encodeDnsQuery(0, kName, typeIn(message)).value();
  return parseDnsAnswer(answering(query, message), query);
}

void converse(Input message, bool overTcp) {
  const auto protocol = dnsProtocol({kName, typeIn(message), {}, overTcp}).value();
  const auto dialog = protocol->begin();
  auto bytes = answering(dialog->opening().substr(overTcp ? 2 : 0), message);
  if (overTcp) {
    const auto size = bytes.size();
    bytes.insert(0, {static_cast<char>(size >> 8 & 0xff), static_cast<char>(size & 0xff)});
  }
  auto judgement = dialog->receive(std::string_view(bytes).substr(0, bytes.size() / 2));
  if (!judgement) judgement = dialog->receive(std::string_view(bytes).substr(bytes.size() / 2));
  if (!judgement) judgement = dialog->end();
  require(!judgement->reason.empty() && judgement->reason.size() < 400);
  require(std::ranges::all_of(judgement->reason, [](char c) { return c >= ' ' && c < 0x7f; }));
}

}  // namespace

std::size_t dnsRecordsIn(Input message) {
  const auto answer = parse(message);
  return answer ? answer->records.size() : 0;
}

void dns(Input message) {
  if (const auto answer = parse(message)) {
    require(answer->records.size() <= maxDnsRecords);
    for (const auto& record : answer->records) require(record.size() <= maxDnsMessageBytes);
  }
  converse(message, false);
  converse(message, true);
}

}  // namespace l4ward::fuzz
