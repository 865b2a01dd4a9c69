// HTTP probes: the request, and what a status says. Pure; http_response.h reads the answer.
#pragma once

#include <string>

#include "healthcheck/job.h"
#include "healthcheck/judgement.h"

namespace l4ward::healthcheck {

// The whole GET request (RFC 9112). Path and host must be free of blanks and control characters;
// config/ sees to that. Host is the probe's, or else the target's address; the port follows where
// it is not 80 and the host does not name one itself.
std::string buildRequest(const HttpProbe& probe, const Endpoint& target);

// A complete answer with this status. `drain` is looked up before `pass`.
Judgement judgeStatus(unsigned status, const HttpProbe& probe);

}  // namespace l4ward::healthcheck
