// The site file while it is made: equal checks and pools are one, services that differ in their
// addresses only are one, and everything gets a name.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "config/site.h"
#include "import/report.h"

namespace l4ward::keepalived {

// An address or range and a port (0: all) that a service is to have.
struct EntryDraft {
  Prefix vip;
  std::uint16_t port = 0;
  Node* node = nullptr;
};

struct MarkDraft {
  std::uint32_t mark = 0;
  Node* node = nullptr;
};

// What a virtual server has become.
struct ServiceDraft {
  config::Service service;  // without name, VIPs, ports and mark
  std::string name;         // to be called after: a group or an address
  std::vector<EntryDraft> entries;
  std::vector<MarkDraft> marks;
};

class SiteDraft {
 public:
  // The name of this check or pool, or of an equal one that is there. `wanted` is what a new one
  // is called if nothing else is; bytes that names do not have become '-'.
  std::string addCheck(config::Check check, const std::string& wanted);
  std::string addPool(config::Pool pool, const std::string& wanted);
  // One that addPool named; until the next addPool.
  const config::Pool& pool(const std::string& name) const;
  void addService(ServiceDraft draft) { drafts_.push_back(std::move(draft)); }

  config::Timeouts timeouts;

  // Ends the work: ranges that overlap are cut until equal or apart, what stands twice is reported,
  // and the text is made. `origin` is named in its head.
  std::string text(const std::string& origin, Report& report);

 private:
  class Names {
   public:
    // `wanted`, or with a number behind it.
    std::string unique(const std::string& wanted);

   private:
    std::set<std::string> taken_;
  };

  std::string servicesText();
  std::string marksText(Report& report);

  std::vector<config::Check> checks_;
  std::vector<config::Pool> pools_;
  std::map<std::string, std::size_t> poolAt_;
  std::map<std::string, std::string> known_;  // text without a name -> name
  Names checkNames_, poolNames_, serviceNames_;
  std::vector<ServiceDraft> drafts_;
};

// A name of a site file: bytes that it cannot have become '-', and it is cut to 48.
std::string nameFrom(const std::string& wanted);

// Cuts the ranges of all drafts until any two are equal or apart, and takes out what has been taken
// by an earlier one, or is more than a site file may have (reported). Of networks.cc.
void settle(std::vector<ServiceDraft>& drafts, Report& report);
// Both halves of a prefix that is no single address.
std::pair<Prefix, Prefix> halvesOf(const Prefix& prefix);

}  // namespace l4ward::keepalived
