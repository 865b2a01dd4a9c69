#include "ipvs/connections.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <vector>

namespace l4ward::ipvs {
namespace {

constexpr const char* kTable = "/proc/thread-self/net/ip_vs_conn";
constexpr std::size_t kMaxLine = 1024;  // with a persistence engine's data; others have 130
constexpr std::size_t kLinesBetweenLooks = 1024;

// The columns; behind these come those of a persistence engine.
enum Column : std::size_t {
  kProtocol,
  kClient,
  kClientPort,
  kVip,
  kVipPort,
  kServer,
  kServerPort,
  kState,
  kExpires,
  kColumns
};

std::optional<std::array<std::string_view, kColumns>> split(std::string_view line) {
  std::array<std::string_view, kColumns> columns;
  for (auto& column : columns) {
    const auto begin = line.find_first_not_of(' ');
    if (begin == line.npos) return std::nullopt;
    const auto end = std::min(line.find(' ', begin), line.size());
    column = line.substr(begin, end - begin);
    line.remove_prefix(end);
  }
  return columns;
}

template <typename Number>
std::optional<Number> parseNumber(std::string_view text, int base) {
  Number number{};
  const auto* end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, number, base);
  if (problem != std::errc() || rest != end) return std::nullopt;
  return number;
}

std::optional<Protocol> protocolOf(std::string_view text) {
  if (text == "TCP") return Protocol::tcp;
  if (text == "UDP") return Protocol::udp;
  if (text == "SCTP") return Protocol::sctp;
  return std::nullopt;
}

// "C6336401", or eight groups of four hexadecimal digits with colons.
std::optional<IpAddress> parseAddress(std::string_view text) {
  if (text.size() == 8) {
    const auto number = parseNumber<std::uint32_t>(text, 16);
    if (!number) return std::nullopt;
    const std::array<std::uint8_t, 4> bytes{
        static_cast<std::uint8_t>(*number >> 24), static_cast<std::uint8_t>(*number >> 16),
        static_cast<std::uint8_t>(*number >> 8), static_cast<std::uint8_t>(*number)};
    return *IpAddress::fromBytes(bytes);
  }
  auto address = IpAddress::parse(text);
  if (!address || address->isV4()) return std::nullopt;
  return *address;
}

std::optional<Endpoint> parseEndpoint(std::string_view address, std::string_view port) {
  const auto parsed = parseAddress(address);
  const auto number = parseNumber<std::uint16_t>(port, 16);
  if (!parsed || !number || port.size() != 4) return std::nullopt;
  return Endpoint{*parsed, *number};
}

}  // namespace

std::optional<Connection> parseConnection(std::string_view line) {
  const auto columns = split(line);
  if (!columns) return std::nullopt;
  const auto at = [&](Column column) { return (*columns)[column]; };
  const auto protocol = protocolOf(at(kProtocol));
  const auto client = parseEndpoint(at(kClient), at(kClientPort));
  const auto vip = parseEndpoint(at(kVip), at(kVipPort));
  const auto server = parseEndpoint(at(kServer), at(kServerPort));
  const auto expires = parseNumber<unsigned>(at(kExpires), 10);
  if (!protocol || !client || !vip || !server || !expires) return std::nullopt;
  // Templates stand for many connections: their clients have no port.
  if (client->port == 0) return std::nullopt;
  return Connection{{*protocol, *client, *vip}, *server, std::string(at(kState)), *expires};
}

Result<std::optional<Connection>> findConnection(std::istream& table, const Flow& flow,
                                                 TimePoint deadline) {
  std::array<char, kMaxLine> line;
  for (std::size_t count = 0; table.getline(line.data(), line.size()); ++count) {
    auto connection = parseConnection(line.data());
    if (connection && connection->flow == flow) return connection;
    if (count % kLinesBetweenLooks == 0 && Clock::now() >= deadline) {
      return fail("IPVS has too many connections to look through them all in time", ETIMEDOUT);
    }
  }
  if (!table.eof()) return fail("IPVS's connections could not be read to their end", EIO);
  return std::nullopt;
}

Result<std::optional<Connection>> findConnection(const Flow& flow, TimePoint deadline) {
  std::vector<char> buffer(64 * 1024);
  std::ifstream table;
  table.rdbuf()->pubsetbuf(buffer.data(), static_cast<std::streamsize>(buffer.size()));
  table.open(kTable);
  if (!table) return failErrno(std::string("cannot read ") + kTable, errno);
  return findConnection(table, flow, deadline);
}

}  // namespace l4ward::ipvs
