// Step 2 of the alignment: windows near anchors, and which of them are alike.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "align_pair.hpp"

namespace dedup {

class PairWindows : protected PairOfPages {
protected:
    using PairOfPages::PairOfPages;

    void prepare(std::int64_t page_a, std::int64_t page_b) {
        PairOfPages::prepare(page_a, page_b);
        held_.resize(weight_.size());
    }

    void forget() {
        PairOfPages::forget();
        for (const std::size_t start : windows_weighed_) window_weight_[start] = -1;
        windows_weighed_.clear();
    }

    // ---- step 2: windows near anchors ----

    // How often the window of text A that is held has an item, and the weight of that; zero if it has none of it.
    struct Held {
        std::int32_t count = 0, weight = 0;
    };

    // Cells of the grid, row after row, that are to be compared.
    Starts cells(std::span<const std::int64_t> anchor_a, std::span<const std::int64_t> anchor_b) {
        const std::int64_t rows = last_start(0) / s_.cell + 1, columns = last_start(1) / s_.cell + 1;
        if (size(0) == 0 || size(1) == 0) return {};
        Starts out;
        if (s_.all_cells > 0 && size(0) <= s_.all_cells / std::max<std::int64_t>(size(1), 1)) {
            for (std::int64_t i = 0; i < rows; ++i)
                for (std::int64_t j = same_page_ ? i : 0; j < columns; ++j) out.emplace_back(i, j);
            return out;
        }
        for (std::size_t k = 0; k < anchor_a.size(); ++k)
            out.emplace_back(std::min(anchor_a[k] / s_.cell, rows - 1), std::min(anchor_b[k] / s_.cell, columns - 1));
        unique(out);
        Starts wider;  // row by row, from the columns of the anchors in the rows around
        std::vector<std::int64_t> near, row;
        std::size_t low = 0, high = 0;
        for (std::int64_t x = 0; x < rows && low < out.size(); ++x) {
            while (low < out.size() && out[low].first < x - s_.radius) ++low;
            if (low == out.size()) break;
            if (out[low].first > x + s_.radius) x = out[low].first - s_.radius;
            while (high < out.size() && out[high].first <= x + s_.radius) ++high;
            near.clear();
            for (std::size_t k = low; k < high; ++k) near.push_back(out[k].second);
            std::sort(near.begin(), near.end());
            row.clear();
            std::int64_t next = same_page_ ? x : 0;
            for (const std::int64_t column : near)
                for (next = std::max(next, column - s_.radius); next <= std::min(columns - 1, column + s_.radius); ++next)
                    row.push_back(next);
            if (static_cast<std::int64_t>(row.size()) > s_.row_cells) keep_likeliest(row, near);
            for (const std::int64_t column : row) {
                if (static_cast<std::int64_t>(wider.size()) == s_.max_cells) {
                    truncated_ = true;
                    return wider;
                }
                wider.emplace_back(x, column);
            }
        }
        return wider;
    }

    // Of the columns of a row that has too many, those with most anchors' cells around them, ascending.
    void keep_likeliest(std::vector<std::int64_t>& row, const std::vector<std::int64_t>& near) {
        truncated_ = true;
        std::vector<std::pair<std::int64_t, std::int64_t>> ranked;
        for (const std::int64_t column : row) {
            const auto low = std::lower_bound(near.begin(), near.end(), column - s_.radius);
            const auto high = std::upper_bound(low, near.end(), column + s_.radius);
            ranked.emplace_back(low - high, column);
        }
        std::nth_element(ranked.begin(), ranked.begin() + s_.row_cells, ranked.end());
        row.clear();
        for (std::int64_t i = 0; i < s_.row_cells; ++i) row.push_back(ranked[static_cast<std::size_t>(i)].second);
        std::sort(row.begin(), row.end());
    }

    static void unique(Starts& starts) {
        std::sort(starts.begin(), starts.end());
        starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
    }

    std::int64_t last_start(int side) const { return std::max<std::int64_t>(0, size(side) - s_.window); }
    std::int64_t window_end(int side, std::int64_t start) const { return std::min(size(side), start + s_.window); }

    // Starts of windows that are alike, ascending.
    Starts seeds(const Starts& cells) {
        Starts out;
        for (std::size_t begin = 0, end; begin < cells.size(); begin = end) {
            for (end = begin + 1; end < cells.size() && cells[end].first == cells[begin].first;) ++end;
            const std::int64_t row = cells[begin].first * s_.cell;
            starts_.clear();
            for (std::size_t k = begin; k < end; ++k) starts_.push_back(cells[k].second * s_.cell);
            alike_.clear();
            hold(row);
            for_each_alike(s_.cell_dice, [&](std::int64_t start) { alike_.push_back(start); });
            starts_.clear();
            for (const std::int64_t column : alike_)
                for (std::int64_t b = column; b < column + s_.cell && b <= last_start(1); b += s_.step) starts_.push_back(b);
            for (std::int64_t a = row; a < row + s_.cell && a <= last_start(0) && !starts_.empty(); a += s_.step) {
                hold(a);
                for (std::size_t k = 0; k < starts_.size() && same_page_ && starts_[k] < a + s_.window; ++k)
                    if (starts_[k] >= a + s_.least_window && follows(a, starts_[k])) out.emplace_back(a, starts_[k]);
                for_each_alike(s_.seed_dice, [&](std::int64_t b) {
                    if (!same_page_ || b >= a + s_.window) out.emplace_back(a, b);
                });
            }
        }
        release();
        return out;
    }

    // Whether what stands between two places of one page is alike to as much behind the second one: windows do not overlap.
    bool follows(std::int64_t a, std::int64_t b) {
        Rectangle r{{a, b, b, std::min(size(0), 2 * b - a)}, 0, 0, 0};
        load(r);
        unload(r);
        return r.shared2 > 0 && r.shared2 * kThousand >= s_.seed_dice * r.total;
    }

    // Holds the window of text A that begins there; what the one before has in common with it is held already.
    void hold(std::int64_t start) {
        if (start < held_begin_ || start >= held_end_) {
            release();
            held_begin_ = held_end_ = start;
        }
        for (; held_begin_ < start; ++held_begin_) let_go(id(0, held_begin_));
        for (const std::int64_t end = window_end(0, start); held_end_ < end; ++held_end_) {
            Held& item = held_[id(0, held_end_)];
            ++item.count;
            item.weight = static_cast<std::int32_t>(weight(id(0, held_end_)));
            held_weight_ += item.weight;
        }
    }
    void let_go(std::uint32_t id) {
        Held& item = held_[id];
        held_weight_ -= item.weight;
        if (--item.count == 0) item.weight = 0;
    }
    void release() {
        for (; held_begin_ < held_end_; ++held_begin_) let_go(id(0, held_begin_));
    }

    // Those of starts_, ascending, whose windows of text B are alike to the one of text A that is held.
    template <class Use>
    void for_each_alike(std::int64_t least, Use use) {
        for (std::size_t begin = 0, end; begin < starts_.size(); begin = end) {
            for (end = begin + 1; end < starts_.size() && starts_[end] <= starts_[end - 1] + s_.window;) ++end;
            const std::int64_t first = starts_[begin];
            share(first, starts_[end - 1]);
            for (std::size_t k = begin; k < end; ++k) {
                const std::int64_t start = starts_[k];
                const std::int64_t shared = shared_[static_cast<std::size_t>(window_end(1, start) - first)] -
                                            not_shared_[static_cast<std::size_t>(start - first)];
                if (shared > 0 && 2 * shared * kThousand >= least * (held_weight_ + window_weight(start))) use(start);
            }
        }
    }

    // What windows of text B share with the one of text A that is held: for each that starts at first to last, the difference
    // of shared_ at its end and not_shared_ at its start. An item counts as often as it is held, so one that stands again counts
    // but in windows that begin behind as many of its places before.
    void share(std::int64_t first, std::int64_t last) {
        const Numbers& b = *side_[1];
        const auto begin = static_cast<std::uint32_t>(first), end = static_cast<std::uint32_t>(window_end(1, last));
        const auto starts = static_cast<std::uint32_t>(last - first) + 1;
        shared_.resize(end - begin + std::size_t{1});
        not_shared_.assign(starts + std::size_t{1}, 0);
        const auto again = std::span(b.again).first(b.repeats);
        for (auto at = std::lower_bound(again.begin(), again.end(), begin); at != again.end() && *at < end; ++at) {
            const Held& item = held_[b.id[*at]];
            std::uint32_t before = *at;
            for (std::int32_t n = 0; n < item.count && before != kNone; ++n) before = b.before[before];
            if (item.count == 0 || before == kNone || before < begin || *at - before >= s_.window) continue;
            const auto from = std::max<std::int64_t>(*at - s_.window + 1, first) - first;
            not_shared_[static_cast<std::size_t>(from)] += item.weight;
            not_shared_[std::min(before - begin + 1, starts)] -= item.weight;
        }
        std::int32_t sum = 0, not_yet = 0;
        for (std::uint32_t i = 0; i < starts; ++i) {
            not_yet += not_shared_[i];
            not_shared_[i] = sum + not_yet;
            shared_[i] = sum;
            sum += held_[b.id[begin + i]].weight;
        }
        for (std::uint32_t i = starts; i < end - begin; ++i) {
            shared_[i] = sum;
            sum += held_[b.id[begin + i]].weight;
        }
        shared_[end - begin] = sum;
    }

    // Weight of a window of text B, which is remembered.
    std::int64_t window_weight(std::int64_t start) {
        const auto at = static_cast<std::size_t>(start), step = static_cast<std::size_t>(s_.step);
        if (at >= window_weight_.size()) window_weight_.resize(at + 1 + at / 2, -1);
        if (window_weight_[at] >= 0) return window_weight_[at];
        std::int64_t sum = 0, from = start;
        if (at >= step && s_.step <= s_.window && window_weight_[at - step] >= 0) {
            sum = window_weight_[at - step];
            for (std::int64_t i = start - s_.step; i < start; ++i) sum -= weight(id(1, i));
            from = window_end(1, start - s_.step);
        }
        for (std::int64_t i = from; i < window_end(1, start); ++i) sum += weight(id(1, i));
        windows_weighed_.push_back(at);
        return window_weight_[at] = sum;
    }

    std::int64_t held_begin_ = 0, held_end_ = 0, held_weight_ = 0;
    std::vector<Held> held_;
    std::vector<std::int32_t> shared_, not_shared_;
    std::vector<std::int64_t> window_weight_, starts_, alike_;
    std::vector<std::size_t> windows_weighed_;
};

}  // namespace dedup
