// Step 3 of the alignment: windows that are alike and lie close together.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "align_windows.hpp"

namespace dedup {

class PairClusters : protected PairWindows {
protected:
    using PairWindows::PairWindows;

    // Windows that are alike and lie close together: their starts, the first and the last one in each text, and how far the
    // ends of their rectangle may go.
    struct Cluster {
        Starts seeds;
        Ends starts{}, limits{};
    };

    // ---- step 3: clusters ----

    // Seeds of one row, each within reach of the one before: which ones, and the first and the last start in text B.
    struct Run {
        std::size_t begin, end;
        std::int64_t first, last;
    };

    // Seeds that lie close together in both texts, near one diagonal, in the order of their first ones; those of one seed, too.
    // Of two seeds of one row no more than `gap` apart both are in one cluster, so rows are looked at by runs of those.
    std::vector<Cluster> clusters(const Starts& seeds, const Ends& within) {
        const std::int64_t reach = s_.window + s_.gap, gap = std::min(reach, s_.drift);
        runs_.clear();
        rows_.clear();
        for (std::size_t i = 0; i < seeds.size(); ++i) {
            const auto [a, b] = seeds[i];
            const bool same_row = i > 0 && seeds[i - 1].first == a;
            if (!same_row) rows_.push_back({a, runs_.size()});
            if (!same_row || b - seeds[i - 1].second > gap) runs_.push_back({i, i, b, b});
            runs_.back().end = i + 1;
            runs_.back().last = b;
        }
        rows_.push_back({0, runs_.size()});
        root_.resize(runs_.size());
        std::iota(root_.begin(), root_.end(), std::size_t{0});
        for (std::size_t row = 0, low = 0; row + 1 < rows_.size(); ++row) {
            while (rows_[low].first < rows_[row].first - reach) ++low;
            for (std::size_t before = low; before < row; ++before) link_rows(before, row, reach);
        }
        std::vector<Cluster> out;
        number_.assign(runs_.size(), runs_.size());
        for (std::size_t k = 0; k < runs_.size(); ++k) {
            const Run& run = runs_[k];
            std::size_t& own = number_[root(k)];
            const std::int64_t a = seeds[run.begin].first;
            if (own == runs_.size()) own = out.size(), out.push_back({{}, {a, a, run.first, run.last}, within});
            Cluster& cluster = out[own];
            cluster.seeds.insert(cluster.seeds.end(), seeds.begin() + static_cast<std::ptrdiff_t>(run.begin),
                                 seeds.begin() + static_cast<std::ptrdiff_t>(run.end));
            Ends& starts = cluster.starts;
            starts = {starts[0], a, std::min(starts[2], run.first), std::max(starts[3], run.last)};
        }
        if (!same_page_) bound(out);
        return out;
    }

    // The first run that is known to be in the cluster of a run.
    std::size_t root(std::size_t k) {
        while (root_[k] != k) k = root_[k] = root_[root_[k]];
        return k;
    }

    // Joins the runs of two rows that have seeds near each other: starts in text B differ by low to high. As seeds of a run are
    // no farther apart than those two, such seeds there are where the ends of the runs allow it.
    void link_rows(std::size_t before, std::size_t row, std::int64_t reach) {
        const std::int64_t rise = rows_[row].first - rows_[before].first;
        const std::int64_t low = std::max(-reach, rise - s_.drift), high = std::min(reach, rise + s_.drift);
        std::size_t at = rows_[before].second;
        const std::size_t end = rows_[before + 1].second;
        for (std::size_t k = rows_[row].second; k < rows_[row + 1].second; ++k) {
            while (at < end && runs_[at].last < runs_[k].first - high) ++at;
            for (std::size_t other = at; other < end && runs_[other].first <= runs_[k].last - low; ++other) {
                const std::size_t x = root(k), y = root(other);
                root_[std::max(x, y)] = std::min(x, y);
            }
        }
    }

    // No cluster goes farther than midway to another copy of what it has in one of the texts.
    void bound(std::vector<Cluster>& clusters) const {
        std::vector<std::size_t> order(clusters.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        for (const std::size_t side : {0, 2}) {
            const auto first = [&](std::size_t k) { return clusters[k].starts[side]; };
            std::sort(order.begin(), order.end(), [&](std::size_t x, std::size_t y) { return first(x) < first(y); });
            for (Cluster& x : clusters) {
                const std::int64_t last = x.starts[side + 1], most = std::min(last - x.starts[side], 2 * s_.window), far = last + 2 * s_.window + s_.gap;
                for (auto at = std::lower_bound(order.begin(), order.end(), last - most / 2,
                                                [&](std::size_t k, std::int64_t start) { return first(k) < start; });
                     at != order.end() && first(*at) <= far; ++at) {
                    Cluster& y = clusters[*at];
                    const std::int64_t gap = first(*at) - last;  // between the starts of their windows, which may overlap a little
                    if (2 * gap < -std::min(most, y.starts[side + 1] - first(*at)) || &x == &y) continue;
                    if (!is_of(x.starts, y.starts, 2 - side)) continue;
                    const std::int64_t middle = last + (s_.window + gap) / 2;
                    x.limits[side + 1] = std::min(x.limits[side + 1], middle);
                    y.limits[side] = std::max(y.limits[side], middle);
                }
            }
        }
    }

    // Whether two ranges of a text say about the same of it.
    bool is_of(const Ends& x, const Ends& y, std::size_t s) const {
        const std::int64_t common = std::min(x[s + 1], y[s + 1]) - std::max(x[s], y[s]);
        return common > 0 && common * kThousand >= s_.again_share * std::max(x[s + 1] - x[s], y[s + 1] - y[s]);
    }

    std::vector<Run> runs_;
    std::vector<std::pair<std::int64_t, std::size_t>> rows_;  // start in text A, first run
    std::vector<std::size_t> root_, number_;
};

}  // namespace dedup
