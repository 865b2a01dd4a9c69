// What the HTTP server answers, as values. Pure; docs/control.md lists the endpoints.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "control/followers.h"
#include "control/http_request.h"
#include "control/request.h"
#include "control/snapshot.h"

namespace l4ward::control {

struct HttpAnswer {
  unsigned status = 200;
  std::string_view type;
  std::string_view body;
  std::shared_ptr<const void> owner;  // of the body
};

// Lines of text, or JSON.
HttpAnswer textAnswer(unsigned status, std::string text);
HttpAnswer jsonAnswer(unsigned status, std::string json);

// {"error": {…}} under /api, else its text.
HttpAnswer errorAnswer(unsigned status, const Refusal& refusal, std::string_view path);
// For all paths that nothing else answers.
HttpAnswer notFound(std::string_view path);

// Status line and fields, for an answer with this body.
std::string headerOf(const HttpAnswer& answer, bool keepAlive);

// The pages that take a status. `snapshot` is null if the agent did not answer in time.
using Snapshots = std::shared_ptr<Snapshot>;
HttpAnswer statusAnswer(const Snapshots& snapshot);
HttpAnswer metricsAnswer(const Snapshots& snapshot);
HttpAnswer healthAnswer(const Snapshots& snapshot);
HttpAnswer readyAnswer(const Snapshots& snapshot);
HttpAnswer vipAnswer(const Snapshots& snapshot, const IpAddress& address);

HttpAnswer eventsAnswer(const Followers& followers, const HttpTarget& target);
// As on the control socket.
tl::expected<Request, Refusal> lookupRequest(const HttpTarget& target);
HttpAnswer replyAnswer(const Reply& reply, std::string_view path);

}  // namespace l4ward::control
