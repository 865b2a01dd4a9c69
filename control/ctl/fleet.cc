#include "control/ctl/fleet.h"

#include <algorithm>
#include <map>
#include <set>

#include "config/words.h"
#include "control/ctl/screens.h"

namespace l4ward::ctl {
namespace {

using control::NodeStatus;

constexpr const char* kAbsent = "not there";

// What each node says of each thing, in the order in which things were first seen.
class Book {
 public:
  void add(const std::string& of, const std::string& value, const std::string& node) {
    const auto [at, isNew] = index_.try_emplace(of, things_.size());
    if (isNew) things_.push_back({of, {}});
    auto& said = things_[at->second].said;
    const auto found = std::find_if(
        said.begin(), said.end(), [&](const Difference::Said& one) { return one.value == value; });
    if (found == said.end()) {
      said.push_back({value, {node}});
    } else {
      found->nodes.push_back(node);
    }
  }

  // Those of which not all of `nodes` say the same. Most nodes first: the odd one stands last.
  std::vector<Difference> differences(const std::vector<std::string>& nodes) const {
    std::vector<Difference> differences;
    for (Difference thing : things_) {
      addAbsent(thing, nodes);
      if (thing.said.size() < 2) continue;
      std::stable_sort(thing.said.begin(), thing.said.end(),
                       [](const Difference::Said& a, const Difference::Said& b) {
                         return a.nodes.size() > b.nodes.size();
                       });
      differences.push_back(std::move(thing));
    }
    return differences;
  }

 private:
  static void addAbsent(Difference& thing, const std::vector<std::string>& nodes) {
    std::set<std::string> heard;
    for (const auto& said : thing.said) heard.insert(said.nodes.begin(), said.nodes.end());
    Difference::Said absent{kAbsent, {}};
    for (const auto& node : nodes) {
      if (!heard.contains(node)) absent.nodes.push_back(node);
    }
    if (!absent.nodes.empty()) thing.said.push_back(std::move(absent));
  }

  std::map<std::string, std::size_t> index_;
  std::vector<Difference> things_;
};

void write(Book& book, const NodeStatus& status, const std::string& node) {
  book.add("version", status.node.version, node);
  book.add("site file", status.node.siteHash, node);
  if (status.node.tableSlots > 0) {
    book.add("Maglev table", std::to_string(status.node.tableSlots) + " slots", node);
  }
  for (const auto& service : status.services) {
    book.add("service " + service.key, service.digest.empty() ? "no digest" : service.digest, node);
  }
  for (const auto& server : status.servers) {
    book.add("server " + server.pool + "/" + server.name, server.state, node);
  }
  for (const auto& vip : status.vips) book.add("VIP " + vip.prefix, vip.state, node);
  for (const auto& override : status.overrides) {
    book.add("override of " + override.subject.str(),
             std::string(control::toString(override.action)), node);
  }
}

}  // namespace

Result<NodeUrl> NodeUrl::parse(const std::string& text) {
  const auto bad = [&] {
    return fail("found '" + clean(text) + "', expected http://HOST:PORT or HOST[:PORT]");
  };
  NodeUrl url{text, text};
  if (const auto scheme = text.find("://"); scheme != text.npos) {
    if (text.substr(0, scheme) != "http") {
      return fail("found '" + clean(text) + "': only http:// is spoken");
    }
    url.host = text.substr(scheme + 3);
  }
  if (url.host.ends_with('/')) url.host.pop_back();
  if (!IpAddress::parse(url.host)) {
    const auto colon = url.host.rfind(':');
    const auto bracket = url.host.rfind(']');
    if (colon != url.host.npos && (bracket == url.host.npos || colon > bracket)) {
      url.port = url.host.substr(colon + 1);
      url.host.erase(colon);
      const auto port = config::parsePlainNumber(url.port);
      if (!port || *port == 0 || *port > 65535) return bad();
    }
    if (url.host.starts_with('[') && url.host.ends_with(']')) {
      url.host = url.host.substr(1, url.host.size() - 2);
      if (!IpAddress::parse(url.host)) return bad();
    }
  }
  if (!IpAddress::parse(url.host) && !config::isDomainName(url.host)) return bad();
  return url;
}

Comparison compare(const std::vector<NodeAnswer>& answers) {
  Comparison comparison;
  Book book;
  std::vector<std::string> nodes;
  std::map<std::string, int> names;
  for (const auto& answer : answers) {
    if (answer.status) ++names[answer.status->node.name];
  }
  for (const auto& answer : answers) {
    if (!answer.status) {
      comparison.complete = false;
      continue;
    }
    const auto& name = answer.status->node.name;
    nodes.push_back(names[name] > 1 ? name + " (" + answer.url + ")" : name);
    write(book, *answer.status, nodes.back());
  }
  comparison.differences = book.differences(nodes);
  return comparison;
}

}  // namespace l4ward::ctl
