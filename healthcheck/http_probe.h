// HTTP probes: the request, and what a status says. Pure; http_response.h reads the answer.
#pragma once

#include <cstddef>
#include <string>

#include "healthcheck/job.h"
#include "healthcheck/judgement.h"

namespace l4ward::healthcheck {

// The whole request, without content (RFC 9112). Method, path, host and headers must be free of
// control characters, and all but the headers' values of blanks; config/ sees to that. Host is the
// probe's, or else `server`'s address; the port follows where it is not the scheme's own (80, with
// TLS 443) and the host does not name one itself. A header X-Padding makes the request at least
// `padTo` bytes long.
std::string buildRequest(const HttpProbe& probe, const Endpoint& server, bool tls = false,
                         std::size_t padTo = 0);

// A complete answer with this status. `drain` is looked up before `pass`.
Judgement judgeStatus(unsigned status, const HttpProbe& probe);

}  // namespace l4ward::healthcheck
