#include "control/http_answer.h"

#include <charconv>

#include "config/diagnostics.h"
#include "control/json_text.h"
#include "control/metrics.h"
#include "control/page_assets.h"
#include "control/readiness.h"

namespace l4ward::control {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kJson = "application/json";

const Refusal kSilent{"timeout", "the agent does not answer", "see its log: journalctl -u l4ward"};

std::string_view reasonOf(unsigned status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 413:
      return "Content Too Large";
    case 421:
      return "Misdirected Request";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    default:
      return "Internal Server Error";
  }
}

HttpAnswer owning(unsigned status, std::string_view type, std::string body) {
  const auto owner = std::make_shared<const std::string>(std::move(body));
  return {status, type, *owner, owner};
}

bool isApi(std::string_view path) {
  return path.starts_with("/api/");
}

// By the code, since the agent has more codes than this file knows.
unsigned statusOf(const Refusal& refusal) {
  if (refusal.code == "bad-request") return 400;
  if (refusal.code.starts_with("unknown-")) return 404;
  const bool later = refusal.code == "timeout" || refusal.code == "stopping";
  return later ? 503 : 500;
}

HttpAnswer silent(std::string_view path) {
  return errorAnswer(503, kSilent, path);
}

}  // namespace

HttpAnswer textAnswer(unsigned status, std::string text) {
  return owning(status, kText, std::move(text));
}

HttpAnswer jsonAnswer(unsigned status, std::string json) {
  return owning(status, kJson, std::move(json) + "\n");
}

HttpAnswer errorAnswer(unsigned status, const Refusal& refusal, std::string_view path) {
  if (!isApi(path)) {
    auto text = refusal.message + "\n";
    if (!refusal.next.empty()) text += refusal.next + "\n";
    return textAnswer(status, std::move(text));
  }
  const Json json = {
      {"error", {{"code", refusal.code}, {"message", refusal.message}, {"next", refusal.next}}}};
  return jsonAnswer(status, dump(json));
}

HttpAnswer notFound(std::string_view path) {
  return errorAnswer(404,
                     {"not-found", "there is no " + config::inQuotes(path),
                      "there are: / /metrics /api/status /api/events /api/lookup /healthz /readyz "
                      "/vip/ADDRESS"},
                     path);
}

std::string headerOf(const HttpAnswer& answer, bool keepAlive) {
  std::string header = "HTTP/1.1 " + std::to_string(answer.status) + " ";
  header += reasonOf(answer.status);
  header += "\r\nContent-Type: ";
  header += answer.type;
  header += "\r\nContent-Length: " + std::to_string(answer.body.size());
  if (answer.status == 405) header += "\r\nAllow: GET, HEAD";
  header += "\r\nCache-Control: no-store\r\nContent-Security-Policy: ";
  header += kPagePolicy;
  header +=
      "\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer"
      "\r\nCross-Origin-Resource-Policy: same-origin\r\nConnection: ";
  header += keepAlive ? "keep-alive" : "close";
  return header + "\r\n\r\n";
}

HttpAnswer statusAnswer(const Snapshots& snapshot) {
  if (!snapshot) return silent("/api/status");
  return {200, kJson, snapshot->json(), snapshot};
}

HttpAnswer metricsAnswer(const Snapshots& snapshot) {
  if (!snapshot) return silent("/metrics");
  return owning(200, "text/plain; version=0.0.4; charset=utf-8", metricsText(*snapshot->status()));
}

HttpAnswer healthAnswer(const Snapshots& snapshot) {
  return snapshot ? textAnswer(200, "ok\n") : silent("/healthz");
}

HttpAnswer readyAnswer(const Snapshots& snapshot) {
  if (!snapshot) return silent("/readyz");
  std::string lines;
  for (const auto& reason : whyNotReady(*snapshot->status())) lines += reason + "\n";
  return lines.empty() ? textAnswer(200, "ready\n") : textAnswer(503, std::move(lines));
}

HttpAnswer vipAnswer(const Snapshots& snapshot, const IpAddress& address) {
  if (!snapshot) return silent("/vip/");
  const auto reason = whyNotUsable(*snapshot->status(), address);
  if (!reason) return textAnswer(404, address.str() + " is no virtual IP of this node\n");
  return reason->empty() ? textAnswer(200, "usable\n") : textAnswer(503, *reason + "\n");
}

HttpAnswer eventsAnswer(const Followers& followers, const HttpTarget& target) {
  const auto text = target.get("after");
  std::uint64_t after = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), after);
  if (!text.empty() && (ec != std::errc() || end != text.data() + text.size())) {
    return errorAnswer(
        400,
        {"bad-request", "after: found " + config::inQuotes(text) + ", expected an event's number",
         "/api/events?after=0"},
        target.path);
  }
  return jsonAnswer(200, followers.after(after));
}

tl::expected<Request, Refusal> lookupRequest(const HttpTarget& target) {
  Json json = {{"command", "lookup"}};
  for (const char* const key : {"client", "vip", "protocol"}) {
    if (const auto found = target.query.find(key); found != target.query.end()) {
      json[key] = found->second;
    }
  }
  return parseRequest(dump(json));
}

HttpAnswer replyAnswer(const Reply& reply, std::string_view path) {
  if (!reply) return errorAnswer(statusOf(reply.error()), reply.error(), path);
  return jsonAnswer(200, dump(*reply));
}

}  // namespace l4ward::control
