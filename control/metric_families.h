// Metric families from lists of plain values, for prometheus-cpp's serializer.
#pragma once

#include <prometheus/metric_family.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/status.h"

namespace l4ward::control {

using Labels = std::vector<prometheus::ClientMetric::Label>;

inline double asNumber(bool value) {
  return value ? 1 : 0;
}
inline double asNumber(std::uint64_t value) {
  return static_cast<double>(value);
}

// A number of each of some items.
template <typename Item>
struct Column {
  std::string_view name;  // one that ends in _total is a counter, any other a gauge
  std::string_view help;
  double (*value)(const Item&);
};

// Families in the order in which they were added; one without metrics is left out. Whoever adds
// sees to it that names and, within a family, labels are unique.
class MetricFamilies {
 public:
  // Of the node: no labels.
  void add(std::string_view name, std::string_view help, double value) {
    family(name, help).metric.push_back(metric({}, name, value));
  }
  void add(std::string_view name, std::string_view help,
           const std::vector<std::pair<Labels, double>>& values);
  // One family a column. labels(item) is called once an item.
  template <typename Item, typename LabelsOf>
  void add(std::span<const Column<Item>> columns, const std::vector<Item>& items, LabelsOf labels);
  // One metric for each item and possible state, 1 for the one it is in.
  template <typename Item, typename LabelsOf, typename StateOf>
  void addStates(std::string_view name, std::string_view help, const std::vector<Item>& items,
                 LabelsOf labels, StateOf state, std::span<const char* const> states);
  void add(std::string_view name, std::string_view help,
           const std::vector<std::pair<Labels, Histogram>>& histograms);

  const std::vector<prometheus::MetricFamily>& all() const { return families_; }

 private:
  prometheus::MetricFamily& family(std::string_view name, std::string_view help);
  static prometheus::ClientMetric metric(Labels labels, std::string_view name, double value);

  std::vector<prometheus::MetricFamily> families_;
};

template <typename Item, typename LabelsOf>
void MetricFamilies::add(std::span<const Column<Item>> columns, const std::vector<Item>& items,
                         LabelsOf labels) {
  if (items.empty()) return;
  const auto first = families_.size();
  for (const auto& column : columns) family(column.name, column.help).metric.reserve(items.size());
  for (const auto& item : items) {
    const Labels common = labels(item);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      families_[first + i].metric.push_back(
          metric(common, columns[i].name, columns[i].value(item)));
    }
  }
}

template <typename Item, typename LabelsOf, typename StateOf>
void MetricFamilies::addStates(std::string_view name, std::string_view help,
                               const std::vector<Item>& items, LabelsOf labels, StateOf state,
                               std::span<const char* const> states) {
  if (items.empty()) return;
  auto& metrics = family(name, help).metric;
  metrics.reserve(items.size() * states.size());
  for (const auto& item : items) {
    const Labels common = labels(item);
    for (const char* possible : states) {
      Labels all = common;
      all.push_back({"state", possible});
      metrics.push_back(metric(std::move(all), name, state(item) == possible ? 1 : 0));
    }
  }
}

}  // namespace l4ward::control
