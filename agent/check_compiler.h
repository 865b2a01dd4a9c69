// The checks of a model: one for each probe that must be made, however many services want it.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "agent/model.h"

namespace l4ward::agent {

class CheckCompiler {
 public:
  // `site` and `model` outlive it. Adds to the model's checks and probe services.
  CheckCompiler(const config::Site& site, Model& model) : site_(site), model_(model) {}

  // The checks of this server for a service that is reached at `vip`. `endpoint`: where the server
  // takes the service's packets; port 0 if that is the client's choice.
  std::vector<CheckId> add(const config::Pool& pool, const config::Server& server,
                           const Endpoint& endpoint, const ipvs::Path& path, const IpAddress& vip);

  // Gives each way through a tunnel its mark; once, at the end.
  void assignMarks();

 private:
  // A server as the tunnel reaches it, for packets of one family.
  struct Way {
    Family family = Family::v4;
    IpAddress server;
    ipvs::Path path;
    bool operator<(const Way& other) const;
  };

  static Check make(const config::Check& check, const Endpoint& endpoint, const IpAddress& vip);

  const config::Site& site_;
  Model& model_;
  std::map<Way, std::vector<CheckId>> ways_;
};

}  // namespace l4ward::agent
