#include "control/ctl/estimate.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace l4ward::ctl {
namespace {

using Kind = control::Subject::Kind;

constexpr std::size_t kLeastSamples = 3;
constexpr double kMost = 7 * 86400.0;  // beyond that nobody should rely on it

bool isMeant(const control::Subject& subject, const control::Service& service,
             const control::Destination& destination) {
  switch (subject.kind) {
    case Kind::node:
      return true;
    case Kind::service:
      return service.name == subject.name;
    case Kind::vip:
      return std::any_of(service.vips.begin(), service.vips.end(), [&](const std::string& vip) {
        const auto prefix = Prefix::parse(vip);
        return (prefix ? prefix->shortStr() : vip) == subject.name;
      });
    case Kind::server:
      break;
  }
  return destination.server == subject.name &&
         (subject.pool.empty() || destination.pool == subject.pool);
}

}  // namespace

std::optional<Sample> sampleOf(const control::NodeStatus& status, const control::Subject& subject) {
  if (!(status.countersAt > 0)) return std::nullopt;
  Sample sample;
  sample.at = status.countersAt;
  for (const auto& service : status.services) {
    for (const auto& destination : service.destinations) {
      if (!isMeant(subject, service, destination)) continue;
      sample.active += destination.activeConnections;
      sample.closing += destination.inactiveConnections;
      if (subject.kind == Kind::server && destination.weight > 0) sample.settled = false;
    }
  }
  return sample;
}

std::optional<double> secondsLeft(const std::vector<Sample>& samples) {
  if (samples.size() < kLeastSamples || samples.back().left() == 0) return std::nullopt;
  const auto number = static_cast<double>(samples.size());
  double meanAt = 0;
  double meanLog = 0;
  const auto logOf = [](const Sample& sample) {
    return std::log(static_cast<double>(std::max<std::uint64_t>(sample.left(), 1)));
  };
  for (const auto& sample : samples) {
    meanAt += sample.at / number;
    meanLog += logOf(sample) / number;
  }
  double covariance = 0;
  double variance = 0;
  for (const auto& sample : samples) {
    covariance += (sample.at - meanAt) * (logOf(sample) - meanLog);
    variance += (sample.at - meanAt) * (sample.at - meanAt);
  }
  if (!(variance > 0) || !(covariance < 0)) return std::nullopt;
  const double decay = -covariance / variance;
  // The longest of n exponential times is H(n) / k in the mean, H(n) being about ln n + 0.577.
  const double left = (logOf(samples.back()) + std::numbers::egamma) / decay;
  return left <= kMost ? std::optional(left) : std::nullopt;
}

}  // namespace l4ward::ctl
