#include "control/metric_families.h"

#include <algorithm>

namespace l4ward::control {
namespace {

using prometheus::MetricType;

bool isCounter(std::string_view name) {
  return name.ends_with("_total");
}

// Buckets without a count are as good as empty ones: what is shown never contradicts itself.
prometheus::ClientMetric::Histogram shown(const Histogram& histogram) {
  prometheus::ClientMetric::Histogram result;
  const auto buckets = std::min(histogram.bounds.size(), histogram.counts.size());
  for (std::size_t i = 0; i < buckets; ++i) {
    result.bucket.push_back({histogram.counts[i], histogram.bounds[i]});
  }
  result.sample_count = histogram.counts.empty() ? 0 : histogram.counts.back();
  result.sample_sum = histogram.sum;
  return result;
}

}  // namespace

prometheus::MetricFamily& MetricFamilies::family(std::string_view name, std::string_view help) {
  return families_.emplace_back(
      prometheus::MetricFamily{std::string(name),
                               std::string(help),
                               isCounter(name) ? MetricType::Counter : MetricType::Gauge,
                               {}});
}

prometheus::ClientMetric MetricFamilies::metric(Labels labels, std::string_view name,
                                                double value) {
  prometheus::ClientMetric result;
  result.label = std::move(labels);
  (isCounter(name) ? result.counter.value : result.gauge.value) = value;
  return result;
}

void MetricFamilies::add(std::string_view name, std::string_view help,
                         const std::vector<std::pair<Labels, double>>& values) {
  if (values.empty()) return;
  auto& metrics = family(name, help).metric;
  for (const auto& [labels, value] : values) metrics.push_back(metric(labels, name, value));
}

void MetricFamilies::add(std::string_view name, std::string_view help,
                         const std::vector<std::pair<Labels, Histogram>>& histograms) {
  if (histograms.empty()) return;
  auto& added = family(name, help);
  added.type = MetricType::Histogram;
  for (const auto& [labels, histogram] : histograms) {
    auto& metric = added.metric.emplace_back();
    metric.label = labels;
    metric.histogram = shown(histogram);
  }
}

}  // namespace l4ward::control
