// Aligned passages: rectangles (a token range in each of two texts) that maximise a weighted score of the words they
// share. docs/design/alignment.md has the method, its constants and its figures; twin_align.py says the same plainly.
//
// Everything is counted in integers, so the results are the same on every machine: weights in 1/64 of a rare word, shares
// in thousandths, the score G in 1/64000.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <numeric>
#include <span>
#include <stdexcept>
#include <tuple>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "sets.hpp"

namespace dedup {

using Items = std::span<const std::uint32_t>;

// What an item's lowest two bits say; the rest is a hash.
inline constexpr std::uint32_t kStartsSentence = 1, kHalf = 2;
inline constexpr int kItemFlags = 2;

inline constexpr std::int64_t kRare = 64;        // weight of an item that stands once
inline constexpr std::int64_t kThousand = 1000;  // shares are in thousandths

// The method's constants, in the order of dedup/align.py's.
struct AlignSettings {
    std::int64_t window, cell, step, radius, cell_dice, seed_dice, gap, theta, factor, drop, moves, border_cost, evidence,
        evidence_theta, least_dice, pseudo_window, all_cells, max_cells, min_halves, border_reach, again_dice, joint_reach,
        row_cells, again_share, tries, drift, least_window;

    static constexpr std::size_t kCount = 27;
    static AlignSettings of(Offsets v) {
        if (v.size() != kCount) throw std::invalid_argument("settings: 27 values are needed");
        for (const std::int64_t value : v)
            if (value < 0 || value > std::int64_t{1} << 40) throw std::invalid_argument("settings: a value is out of range");
        for (const std::size_t i : {0, 1, 2, 15})
            if (v[i] < 1 || v[i] > 4096) throw std::invalid_argument("settings: a length must be 1 to 4096");
        return {v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10], v[11], v[12], v[13], v[14], v[15], v[16],
                v[17], v[18], v[19], v[20], v[21], v[22], v[23], v[24], v[25], v[26]};
    }
};

// floor(2^16 * log2(x)), by squaring: the same bits on every machine.
inline std::uint32_t fixed_log2(std::uint64_t x) {
    const int whole = 63 - std::countl_zero(x);
    std::uint64_t m = whole > 31 ? x >> (whole - 31) : x << (31 - whole);  // 1.0 to 2.0 in 1/2^31
    std::uint32_t out = static_cast<std::uint32_t>(whole);
    for (int bit = 0; bit < 16; ++bit) {
        m = (m * m) >> 31;
        out <<= 1;
        if (m >> 32) m >>= 1, out |= 1;
    }
    return out;
}

// Gates that stop a rectangle, one bit each: too little evidence, too low a Dice, too short, around one window only, and words
// that stand in better passages.
inline constexpr std::uint8_t kEvidence = 1, kDice = 2, kLength = 4, kWindows = 8, kOverlap = 16;

// A token range in each text, what they share (twice the shared weight, and the weight of both sides), and the gates that
// stop it.
struct Rectangle {
    std::array<std::int64_t, 4> end{};  // a0, a1, b0, b1
    std::int64_t shared2 = 0, total = 0;
    std::uint8_t gates = 0;
    std::int64_t& operator[](std::size_t i) { return end[i]; }
    std::int64_t operator[](std::size_t i) const { return end[i]; }
    std::int64_t length(int side) const { return end[2 * static_cast<std::size_t>(side) + 1] - end[2 * static_cast<std::size_t>(side)]; }
};

// Aligns pairs of pages, one after the other, and keeps what it knows of the larger page for the next pair.
class Aligner {
public:
    Aligner(Items items, Offsets page_first, const AlignSettings& settings)
        : items_(items), page_first_(page_first), s_(settings) {}

    bool truncated() const { return truncated_; }

    // Verified passages of two pages, a's first; anchors are token numbers in each page. If they are to be judged, those that
    // a gate stops follow them, in the same order.
    std::vector<Rectangle> align(std::int64_t page_a, std::int64_t page_b, std::span<const std::int64_t> anchor_a,
                                 std::span<const std::int64_t> anchor_b, bool judge) {
        prepare(page_a, page_b);
        truncated_ = false;
        judge_ = judge;
        stopped_.clear();
        std::vector<Rectangle> found;
        limits_ = {0, size(0), 0, size(1)};
        for (Cluster& cluster : clusters(seeds(cells(anchor_a, anchor_b)), limits_)) rectangles(std::move(cluster), found);
        found = resolved(std::move(found));
        for (std::vector<Rectangle>* rows : {&found, &stopped_})
            std::sort(rows->begin(), rows->end(), [](const Rectangle& x, const Rectangle& y) {
                return std::tie(x.end, x.gates) < std::tie(y.end, y.gates);
            });
        found.insert(found.end(), stopped_.begin(), stopped_.end());
        forget();
        return found;
    }

    // What parts of one page share with parts of another: twice the shared weight, and the weight of both sides.
    std::pair<std::int64_t, std::int64_t> measure(std::int64_t page_a, std::int64_t page_b, Offsets a0, Offsets a1, Offsets b0,
                                                  Offsets b1) {
        prepare(page_a, page_b);
        check_ranges(a0, a1, size(0), "a");
        check_ranges(b0, b1, size(1), "b");
        Rectangle r;
        for (std::size_t i = 0; i < a0.size(); ++i)
            for (std::int64_t at = a0[i]; at < a1[i]; ++at) add(r, 0, id(0, at));
        for (std::size_t i = 0; i < b0.size(); ++i)
            for (std::int64_t at = b0[i]; at < b1[i]; ++at) add(r, 1, id(1, at));
        for (std::size_t i = 0; i < a0.size(); ++i)
            for (std::int64_t at = a0[i]; at < a1[i]; ++at) counts_[0][id(0, at)] = 0;
        for (std::size_t i = 0; i < b0.size(); ++i)
            for (std::int64_t at = b0[i]; at < b1[i]; ++at) counts_[1][id(1, at)] = 0;
        forget();
        return {r.shared2, r.total};
    }

private:
    using Starts = std::vector<std::pair<std::int64_t, std::int64_t>>;
    using Ends = std::array<std::int64_t, 4>;

    // Windows that are alike and lie close together: their starts, the first and the last one in each text, and how far the
    // ends of their rectangle may go.
    struct Cluster {
        Starts seeds;
        Ends starts{}, limits{};
    };

    // ---- the pair's vocabulary ----

    static constexpr std::uint32_t kNone = 0xffffffffU;

    Items page(std::int64_t p) const {
        const auto first = static_cast<std::size_t>(page_first_[static_cast<std::size_t>(p)]);
        return items_.subspan(first, static_cast<std::size_t>(page_first_[static_cast<std::size_t>(p) + 1]) - first);
    }

    std::int64_t pseudo_windows(std::size_t tokens) const {
        return (static_cast<std::int64_t>(tokens) + s_.pseudo_window - 1) / s_.pseudo_window;
    }

    // A page's items by number, where each one stood before (kNone: nowhere), and the places, `repeats` of them, of those that
    // stood less than a window before.
    struct Numbers {
        std::vector<std::uint32_t> id, before, again;
        std::size_t repeats = 0;
    };

    // New numbers are given as items come; `windows` counts the pseudo-windows that hold each. Half of the items are new, so
    // nothing branches on that.
    void number(Items page, Numbers& out, std::vector<std::uint32_t>& windows) {
        const auto size = static_cast<std::uint32_t>(page.size()), window = static_cast<std::uint32_t>(s_.window);
        out.id.resize(size);
        out.before.resize(size);
        grow(out.again, size, 0);
        grow(windows, count_ + size, 0);
        grow(last_, count_ + size, 0);
        filled_.resize(size);
        std::uint32_t count = count_, fresh = 0, repeats = 0, window_begin = 0;
        for (std::uint32_t i = 0; i < size; ++i) {
            if (i - window_begin == s_.pseudo_window) window_begin = i;
            const std::uint32_t item = page[i] >> kItemFlags;
            std::size_t slot = (item * 0x9E3779B1U) & mask_;
            while (table_[slot].second != kNone && table_[slot].first != item) slot = (slot + 1) & mask_;
            const bool is_new = table_[slot].second == kNone;
            const std::uint32_t id = is_new ? count : table_[slot].second;
            table_[slot] = {item, id};
            filled_[fresh] = static_cast<std::uint32_t>(slot);
            fresh += is_new;
            count += is_new;
            const std::uint32_t next_to_last = last_[id];  // 0 where there was none
            last_[id] = i + 1;
            windows[id] += next_to_last <= window_begin;
            out.id[i] = id;
            out.before[i] = next_to_last - 1;
            out.again[repeats] = i;
            repeats += next_to_last != 0 && i + 1 - next_to_last < window;
        }
        count_ = count;
        filled_.resize(fresh);
        out.repeats = repeats;
        for (const std::uint32_t id : out.id) last_[id] = 0;
    }

    static void grow(std::vector<std::uint32_t>& values, std::size_t size, std::uint32_t fill) {
        if (values.size() < size) values.resize(std::max(size, 2 * values.size()), fill);
    }

    // The larger page is numbered once for all pairs in a row that have it.
    void prepare(std::int64_t page_a, std::int64_t page_b) {
        const Items a = page(page_a), b = page(page_b);
        same_page_ = page_a == page_b;
        const bool a_is_larger = a.size() >= b.size();
        const std::int64_t larger = a_is_larger ? page_a : page_b;
        const std::size_t smaller_size = std::min(a.size(), b.size());
        std::size_t wanted = 64;
        while (wanted < 2 * (page(larger).size() + smaller_size)) wanted *= 2;
        if (larger != larger_ || wanted > mask_ + 1) {
            larger_ = larger;
            table_.assign(wanted, {0, kNone});
            mask_ = wanted - 1;
            filled_.clear();
            count_ = 0;
            windows_.clear();
            number(page(larger), large_, windows_);
            large_count_ = count_;
        }
        windows_.resize(large_count_);
        other_windows_.assign(0, 0);
        filled_.clear();  // from here on: what the smaller page adds
        if (!same_page_) number(a_is_larger ? b : a, small_, other_windows_);
        other_windows_.resize(count_, 0);
        windows_.resize(count_, 0);
        weight_.resize(std::max<std::size_t>(weight_.size(), count_), -1);
        held_.resize(std::max<std::size_t>(held_.size(), count_));
        ways_.resize(std::max<std::size_t>(ways_.size(), count_), 0);
        for (auto& counts : counts_) counts.resize(std::max<std::size_t>(counts.size(), count_), 0);
        total_windows_ = pseudo_windows(a.size()) + (same_page_ ? 0 : pseudo_windows(b.size())) + 2;
        while (log_.size() < static_cast<std::size_t>(total_windows_) + 2)
            log_.push_back(log_.empty() ? 0 : fixed_log2(log_.size()));
        side_[0] = a_is_larger ? &large_ : &small_;
        side_[1] = same_page_ || !a_is_larger ? &large_ : &small_;
        side_items_ = {a, b};
    }

    // Takes back what the smaller page added, so that the table holds the larger one alone.
    void forget() {
        for (const std::uint32_t slot : filled_) table_[slot] = {0, kNone};
        filled_.clear();
        count_ = large_count_;
        for (const std::uint32_t id : weighed_) weight_[id] = -1;
        weighed_.clear();
        for (const std::size_t start : windows_weighed_) window_weight_[start] = -1;
        windows_weighed_.clear();
    }

    std::int64_t size(int side) const { return static_cast<std::int64_t>(side_items_[static_cast<std::size_t>(side)].size()); }
    std::uint32_t id(int side, std::int64_t at) const { return side_[side]->id[static_cast<std::size_t>(at)]; }

    std::int64_t weight(std::uint32_t id) {
        std::int32_t& w = weight_[id];
        if (w < 0) {
            const auto log_all = static_cast<std::int64_t>(log_[static_cast<std::size_t>(total_windows_) + 1]);
            const auto log_own = static_cast<std::int64_t>(log_[windows_[id] + other_windows_[id]]);
            w = static_cast<std::int32_t>((2 * kRare * (log_all - log_own) + log_all) / (2 * log_all));
            weighed_.push_back(id);
        }
        return w;
    }

    // ---- step 2: windows near anchors ----

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

    // How often the window of text A that is held has an item, and the weight of that; zero if it has none of it.
    struct Held {
        std::int32_t count = 0, weight = 0;
    };

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

    // What the windows of a cluster cover; in one page the first range ends where the second one begins.
    Rectangle box(const Cluster& cluster) const {
        const Ends &at = cluster.starts, &limit = cluster.limits;
        Rectangle r{{std::max(at[0], limit[0]), std::min(window_end(0, at[1]), limit[1]), std::max(at[2], limit[2]),
                     std::min(window_end(1, at[3]), limit[3])}, 0, 0, 0};
        if (same_page_ && r[1] > r[2]) r[1] = r[2];
        return r;
    }

    // Clusters of the seeds inside a rectangle in one text, and before or behind it in the other: the middle of a window says
    // where it lies; of those before, or behind, one at least does with all of its tokens.
    void beside(const Cluster& cluster, const Rectangle& r, std::vector<Cluster>& out) {
        const auto side_of = [&](std::size_t end, std::int64_t start) {
            const std::int64_t middle = start + s_.window / 2;
            return middle < r[end] ? -1 : middle < r[end + 1] ? 0 : 1;
        };
        std::array<Starts, 4> rest;  // behind and before it in text A, and in text B
        std::array<bool, 4> whole{};
        for (const auto& seed : cluster.seeds) {
            const int a = side_of(0, seed.first), b = side_of(2, seed.second);
            if ((a == 0) == (b == 0)) continue;
            const std::size_t side = a != 0 ? 0 : 2;
            const std::int64_t start = a != 0 ? seed.first : seed.second;
            const bool behind = a + b > 0;
            const std::size_t part = side + !behind;
            rest[part].push_back(seed);
            whole[part] |= behind ? start >= r[side + 1] : start + s_.window <= r[side];
        }
        for (std::size_t part = 0; part < 4; ++part) {
            if (!whole[part]) continue;
            Ends limits = cluster.limits;
            const std::size_t side = part / 2 * 2;
            if (part % 2 == 0) limits[side] = r[side + 1];
            else limits[side + 1] = r[side];
            for (Cluster& more : clusters(rest[part], limits))
                if (more.seeds.size() > 1) out.push_back(std::move(more));
        }
    }

    // Steps 3 to 6 of a cluster. One text may stand twice beside one copy of it: their windows may be one cluster, but a
    // rectangle holds one copy. So the windows beside a rectangle that stands are tried again.
    void rectangles(Cluster cluster, std::vector<Rectangle>& found) {
        if (cluster.seeds.size() == 1 && !judge_) return;
        std::vector<Cluster> left;
        left.push_back(std::move(cluster));
        for (std::size_t next = 0; next < left.size(); ++next) {
            if (static_cast<std::int64_t>(next) == s_.tries) {
                truncated_ = true;
                break;
            }
            Rectangle r = box(left[next]);
            if (r.length(0) < 1 || r.length(1) < 1) continue;
            limits_ = left[next].limits;
            load(r);
            move_ends(r, true);
            snap(r);
            unload(r);
            const auto gates = static_cast<std::uint8_t>((left[next].seeds.size() == 1 ? kWindows : 0) | gates_of(r));
            if (gates != 0) {
                stop(r, gates);
                continue;
            }
            found.push_back(r);
            const Cluster own = std::move(left[next]);  // `left` grows
            if (!same_page_) beside(own, r, left);
        }
    }

    // ---- step 4: ends ----

    void load(Rectangle& r) {
        r.shared2 = r.total = 0;
        for (int side = 0; side < 2; ++side)
            for (std::int64_t i = r[2 * static_cast<std::size_t>(side)]; i < r[2 * static_cast<std::size_t>(side) + 1]; ++i)
                add(r, side, id(side, i));
    }
    void unload(const Rectangle& r) {
        for (int side = 0; side < 2; ++side)
            for (std::int64_t i = r[2 * static_cast<std::size_t>(side)]; i < r[2 * static_cast<std::size_t>(side) + 1]; ++i)
                counts_[side][id(side, i)] = 0;
    }
    void add(Rectangle& r, int side, std::uint32_t id) {
        const std::int64_t w = weight(id);
        r.total += w;
        if (counts_[side][id]++ < counts_[1 - side][id]) r.shared2 += 2 * w;
    }
    void remove(Rectangle& r, int side, std::uint32_t id) {
        const std::int64_t w = weight(id);
        r.total -= w;
        if (counts_[side][id]-- <= counts_[1 - side][id]) r.shared2 -= 2 * w;
    }

    // Puts an end somewhere else, counts and sums with it.
    void put(Rectangle& r, std::size_t end, std::int64_t to) {
        const int side = static_cast<int>(end / 2);
        if (end % 2 == 0) {
            while (r[end] > to) add(r, side, id(side, --r[end]));
            while (r[end] < to) remove(r, side, id(side, r[end]++));
        } else {
            while (r[end] < to) add(r, side, id(side, r[end]++));
            while (r[end] > to) remove(r, side, id(side, --r[end]));
        }
    }

    // How far an end may go outwards, and inwards (one token stays).
    std::int64_t outer_limit(const Rectangle& r, std::size_t end) const {
        if (end == 1 && same_page_) return std::min(limits_[1], r[2]);
        if (end == 2 && same_page_) return std::max(limits_[2], r[1]);
        return limits_[end];
    }
    static std::int64_t inner_limit(const Rectangle& r, std::size_t end) { return end % 2 ? r[end - 1] + 1 : r[end + 1] - 1; }

    struct Move {
        std::int64_t gain = 0, to = 0;
        std::size_t end = 0;
    };

    // Best change of G when an end walks one way; it stops when it falls `drop` below the best. The counts stay as they are.
    Move walk(const Rectangle& r, std::size_t end, bool outwards, std::int64_t theta, std::int64_t reach) {
        const std::int64_t limit = outwards ? outer_limit(r, end) : inner_limit(r, end);
        const std::int64_t steps = std::min(std::abs(limit - r[end]), reach);
        return outwards ? walk_way<true>(r, end, theta, steps) : walk_way<false>(r, end, theta, steps);
    }

    template <bool kOutwards>
    Move walk_way(const Rectangle& r, std::size_t end, std::int64_t theta, std::int64_t steps) {
        const std::size_t side = end / 2;
        std::int32_t* const mine = counts_[side].data();
        const std::int32_t* const other = counts_[1 - side].data();
        const std::int64_t step = (end % 2 == 0) == kOutwards ? -1 : 1, drop = s_.drop * kRare;
        const std::uint32_t* const ids = side_[side]->id.data();
        const std::int64_t first = step < 0 ? r[end] - 1 : r[end];
        const std::int64_t shared = kOutwards ? 2 * kThousand - theta : theta - 2 * kThousand, single = kOutwards ? -theta : theta;
        std::int64_t gain = 0, most = 0, best = 0, at = 0;
        for (; at < steps && gain >= most - drop;) {
            const std::uint32_t item = ids[first + at * step];
            const bool both = kOutwards ? mine[item]++ < other[item] : mine[item]-- <= other[item];
            gain += weight(item) * (both ? shared : single);
            ++at;
            best = gain > most ? at : best;
            most = std::max(most, gain);
        }
        while (at-- > 0) mine[ids[first + at * step]] += kOutwards ? -1 : 1;
        return {most, r[end] + best * step, end};
    }

    std::int64_t dice(const Rectangle& r) const { return r.total > 0 ? r.shared2 * kThousand / r.total : 0; }
    std::int64_t theta_of(const Rectangle& r) const { return std::max(s_.theta, s_.factor * dice(r) / kThousand); }

    static constexpr std::size_t kNoEnd = 4;
    static constexpr std::int64_t kFar = std::int64_t{1} << 40;

    // Ways of the ends, one bit each: inwards and outwards, end after end.
    static constexpr std::uint32_t kAllWays = 0xff;
    static constexpr std::uint32_t way_of(std::size_t end, bool out) { return 1U << (2 * end + out); }

    // The single move that gains most; one end is held where it is, and some ways are not tried.
    Move best_move(const Rectangle& r, bool outwards, std::int64_t theta, std::size_t held, std::int64_t reach, std::uint32_t ways) {
        Move best;
        for (std::size_t end = 0; end < 4; ++end)
            for (const bool out : {true, false}) {
                if (end == held || (out && !outwards) || !(ways & way_of(end, out))) continue;
                const Move move = walk(r, end, out, theta, reach);
                if (move.gain > best.gain) best = move;
            }
        return best;
    }

    // Notes of the items that the ends may meet within a joint move which ways do, or forgets that again.
    void note_ways(const std::array<std::int64_t, 4>& ends, bool forget) {
        for (std::size_t end = 0; end < 4; ++end) {
            const int side = static_cast<int>(end / 2);
            const std::int64_t at = ends[end], first = std::max<std::int64_t>(at - s_.joint_reach, 0);
            const std::int64_t last = std::min(at + s_.joint_reach, size(side));
            for (std::int64_t i = first; i < last; ++i) {
                std::uint8_t& ways = ways_[id(side, i)];
                ways = forget ? 0 : static_cast<std::uint8_t>(ways | way_of(end, (i < at) == (end % 2 == 0)));
            }
        }
    }

    // Where no single move gains, two ends may hold each other: one goes step by step elsewhere and is held there, while the
    // others answer with their best moves. The best outcome of all is taken; false where none gains. Only such ways are tried as
    // a first answer as may gain more than before: on which an item is met that the held end took in, and the other text has not,
    // or that it left, and the other text has. Such an item is taken in by the other text, or left at the opposite end; or the
    // other way round.
    bool joint_move(Rectangle& r, std::int64_t theta) {
        const std::array<std::int64_t, 4> start = r.end;
        const auto score = [&] { return r.shared2 * kThousand - theta * r.total; };
        const auto go = [&](const std::array<std::int64_t, 4>& ends) {
            for (std::size_t end = 0; end < 4; ++end) put(r, end, ends[end]);
        };
        const std::int64_t before = score();
        std::int64_t best = before;
        std::array<std::int64_t, 4> to = start;
        note_ways(start, false);
        for (std::size_t held = 0; held < 4; ++held)
            for (const bool out : {true, false}) {
                const std::int64_t limit = out ? outer_limit(r, held) : inner_limit(r, held);
                const int side = static_cast<int>(held / 2);
                const std::int64_t step = (held % 2 == 0) == out ? -1 : 1;
                const std::size_t other = held < 2 ? 2 : 0;
                const std::uint32_t answers = way_of(held ^ 1, !out) | way_of(other, out) | way_of(other + 1, out);
                const bool gives_way = out && r.length(side) <= s_.joint_reach + 1;  // the opposite end may go farther
                std::uint32_t ways = same_page_ ? kAllWays : gives_way ? way_of(held ^ 1, false) : 0;
                for (std::int64_t n = 1; n <= s_.joint_reach && start[held] + (n - 1) * step != limit; ++n) {
                    put(r, held, start[held] + n * step);
                    const std::uint32_t item = id(side, step < 0 ? r[held] : r[held] - 1);
                    const std::int32_t mine = counts_[side][item], others = counts_[1 - side][item];
                    if (out ? others < mine : others > mine) ways |= ways_[item] & answers;
                    if (score() < before - s_.drop * kRare) break;
                    for (std::int64_t moves = 0; moves < s_.moves; ++moves) {
                        const Move move = best_move(r, true, theta, held, s_.joint_reach, moves == 0 ? ways : kAllWays);
                        if (move.gain <= 0) break;
                        put(r, move.end, move.to);
                    }
                    if (score() > best) best = score(), to = r.end;
                    std::array<std::int64_t, 4> back = start;
                    back[held] = r[held];
                    go(back);
                }
                go(start);
            }
        note_ways(start, true);
        go(to);
        return best > before;
    }

    // The move that gains most, again and again, and a joint one where none does.
    void move_ends(Rectangle& r, bool outwards) {
        std::int64_t theta = outwards ? s_.theta : theta_of(r);
        for (std::int64_t moves = 0; moves < s_.moves; ++moves) {
            const Move best = best_move(r, outwards, theta, kNoEnd, kFar, kAllWays);
            if (best.gain > 0) put(r, best.end, best.to);
            else if (theta == theta_of(r) && !(outwards && joint_move(r, theta))) break;
            theta = theta_of(r);
        }
    }

    // ---- step 5: sentence borders ----

    bool starts_sentence(int side, std::int64_t at) const {
        return at <= 0 || at >= size(side) || (side_items_[static_cast<std::size_t>(side)][static_cast<std::size_t>(at)] & kStartsSentence);
    }

    // The next border from an end on one way, and what G loses on the way there; none within reach: gain -1, to = end.
    Move border(const Rectangle& r, std::size_t end, bool outwards, std::int64_t theta) {
        const int side = static_cast<int>(end / 2);
        const std::int64_t limit = outwards ? outer_limit(r, end) : inner_limit(r, end);
        const std::int64_t step = (end % 2 == 0) == outwards ? -1 : 1;
        std::int64_t to = r[end];
        for (std::int64_t steps = 0; to != limit && steps < s_.border_reach; ++steps) {
            to += step;
            if (!starts_sentence(side, to)) continue;
            Rectangle moved = r;
            put(moved, end, to);
            const std::int64_t change = (moved.shared2 - r.shared2) * kThousand - theta * (moved.total - r.total);
            put(moved, end, r[end]);
            return {change, to, end};
        }
        return {-1, r[end], end};
    }

    void snap(Rectangle& r) {
        const std::int64_t theta = theta_of(r), most = s_.border_cost * kRare;
        std::array<bool, 4> done{};
        for (int round = 0; round < 4; ++round) {
            Move best;
            bool any = false;
            for (std::size_t end = 0; end < 4; ++end) {
                if (done[end] || starts_sentence(static_cast<int>(end / 2), r[end])) continue;
                const Move outer = border(r, end, true, theta), inner = border(r, end, false, theta);
                const bool outer_fits = outer.to != r[end] && outer.gain >= -most;
                const bool inner_fits = inner.to != r[end] && inner.gain >= -most;
                if (!outer_fits && !inner_fits) continue;
                const Move& move = outer_fits && (inner.to == r[end] || outer.gain >= inner.gain) ? outer
                                   : inner_fits ? inner : outer;
                if (!any || move.gain > best.gain) best = move, any = true;
            }
            if (!any) break;
            put(r, best.end, best.to);
            done[best.end] = true;
        }
    }

    // ---- step 6: gate ----

    std::int64_t evidence(const Rectangle& r) const { return r.shared2 * kThousand - s_.evidence_theta * r.total; }

    std::int64_t halves(const Rectangle& r, int side) const {
        std::int64_t sum = 0;
        for (std::int64_t i = r[2 * static_cast<std::size_t>(side)]; i < r[2 * static_cast<std::size_t>(side) + 1]; ++i)
            sum += side_items_[static_cast<std::size_t>(side)][static_cast<std::size_t>(i)] & kHalf ? 1 : 2;
        return sum;
    }

    // The gates that stop a rectangle.
    std::uint8_t gates_of(const Rectangle& r) const {
        const bool weak = r.total <= 0 || evidence(r) < s_.evidence * kRare;
        const bool unlike = r.shared2 * kThousand < s_.least_dice * r.total;
        if (!judge_ && (weak || unlike)) return kEvidence;  // any will do
        const bool too_short = std::max(halves(r, 0), halves(r, 1)) < s_.min_halves;
        return static_cast<std::uint8_t>((weak ? kEvidence : 0) | (unlike ? kDice : 0) | (too_short ? kLength : 0));
    }

    void stop(Rectangle r, std::uint8_t gates) {
        if (!judge_) return;
        r.gates = gates;
        stopped_.push_back(r);
    }

    // ---- step 7: overlaps ----

    static std::int64_t overlap(const Rectangle& x, const Rectangle& y, int side) {
        const auto s = 2 * static_cast<std::size_t>(side);
        return std::min(x[s + 1], y[s + 1]) - std::max(x[s], y[s]);
    }

    // S x Dice.
    std::int64_t rank(const Rectangle& r) const { return evidence(r) / kThousand * (r.shared2 * 65536 / r.total); }

    std::vector<Rectangle> resolved(std::vector<Rectangle> found) {
        std::sort(found.begin(), found.end(), [&](const Rectangle& x, const Rectangle& y) {
            const std::int64_t p = rank(x), q = rank(y);
            return p != q ? p > q : x.end < y.end;
        });
        std::vector<Rectangle> kept;
        Strips strips[2];
        for (const Rectangle& whole : found) {
            Rectangle r = whole;
            bool placed = false, merged = false, cut = false;
            if (!around(r, strips)) {
                truncated_ = true;
                stop(whole, kOverlap);
                continue;
            }
            for (const std::size_t k : around_) {
                Rectangle& better = kept[k];
                if (overlap(r, better, 0) <= 0 || overlap(r, better, 1) <= 0) continue;
                Rectangle both = better;
                for (std::size_t e = 0; e < 4; ++e) both[e] = e % 2 ? std::max(both[e], r[e]) : std::min(both[e], r[e]);
                if (!same_page_ || both[1] <= both[2]) {
                    load(both);
                    unload(both);
                    if (evidence(both) >= std::max(evidence(better), evidence(r))) {
                        better = both;
                        enter(better, k, strips);
                        merged = true;
                    }
                }
                placed = true;
                break;
            }
            if (placed && !merged) stop(whole, kOverlap);
            if (placed) continue;
            const bool again = dice(r) >= s_.again_dice;
            for (const std::size_t k : around_)
                for (int side = 0; side < 2 && !same_page_; ++side)
                    if (overlap(r, kept[k], side) > 0 && !(again && is_of(whole.end, kept[k].end, 2 * static_cast<std::size_t>(side))))
                        cut_off(r, kept[k], side), cut = true;
            if (cut && r.length(0) > 0 && r.length(1) > 0) {
                load(r);
                move_ends(r, false);
                unload(r);
                cut = gates_of(r) != 0;
            }
            if (cut) {
                stop(whole, kOverlap);
                continue;
            }
            enter(r, kept.size(), strips);
            kept.push_back(r);
        }
        return kept;
    }

    // Passages that touch each strip of kStrip tokens.
    using Strips = std::vector<std::vector<std::size_t>>;
    static constexpr std::int64_t kStrip = 1024;
    static constexpr std::size_t kCrowd = 1024;

    void enter(const Rectangle& r, std::size_t number, Strips* strips) const {
        for (std::size_t side = 0; side < (same_page_ ? 1 : 2); ++side) {
            if (strips[side].empty()) strips[side].resize(static_cast<std::size_t>(size(static_cast<int>(side)) / kStrip) + 1);
            for (std::int64_t s = r[2 * side] / kStrip; s <= (r[2 * side + 1] - 1) / kStrip; ++s)
                strips[side][static_cast<std::size_t>(s)].push_back(number);
        }
    }

    // Numbers of the passages that share a strip with one, ascending, into around_; false where they are too many.
    bool around(const Rectangle& r, const Strips* strips) {
        around_.clear();
        for (std::size_t side = 0; side < (same_page_ ? 1 : 2); ++side)
            for (std::int64_t s = r[2 * side] / kStrip; s <= (r[2 * side + 1] - 1) / kStrip && !strips[side].empty(); ++s)
                around_.insert(around_.end(), strips[side][static_cast<std::size_t>(s)].begin(), strips[side][static_cast<std::size_t>(s)].end());
        std::sort(around_.begin(), around_.end());
        around_.erase(std::unique(around_.begin(), around_.end()), around_.end());
        return around_.size() <= kCrowd;
    }

    // Takes a better passage's range out of one side; of what is left on both sides of it, the longer part stays.
    static void cut_off(Rectangle& r, const Rectangle& better, int side) {
        const auto s = 2 * static_cast<std::size_t>(side);
        const std::int64_t before = std::max<std::int64_t>(0, better[s] - r[s]), after = std::max<std::int64_t>(0, r[s + 1] - better[s + 1]);
        if (before >= after) r[s + 1] = r[s] + before;
        else r[s] = r[s + 1] - after;
    }

    Items items_;
    Offsets page_first_;
    AlignSettings s_;
    bool same_page_ = false, truncated_ = false, judge_ = false;
    Ends limits_{};  // how far the ends of a rectangle may go
    std::vector<Rectangle> stopped_;
    std::int64_t larger_ = -1, total_windows_ = 0, held_begin_ = 0, held_end_ = 0, held_weight_ = 0;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> table_;
    std::size_t mask_ = 0;
    std::uint32_t count_ = 0, large_count_ = 0;
    Numbers large_, small_;
    std::vector<std::uint32_t> filled_, weighed_, windows_, other_windows_, last_, log_;
    std::vector<std::int32_t> weight_, counts_[2], shared_, not_shared_;
    std::vector<std::size_t> around_, windows_weighed_;
    std::vector<std::int64_t> window_weight_, starts_, alike_;
    std::vector<Held> held_;
    std::vector<std::uint8_t> ways_;
    const Numbers* side_[2] = {nullptr, nullptr};
    std::vector<Run> runs_;
    std::vector<std::pair<std::int64_t, std::size_t>> rows_;  // start in text A, first run
    std::vector<std::size_t> root_, number_;
    std::array<Items, 2> side_items_;
};

// Passages of many pairs of pages: (pair, a0, a1, b0, b1, twice the shared weight, weight of both sides, gates that stop it;
// truncated or not of each pair). Pairs that have their larger page in common should stand together.
inline std::tuple<std::vector<std::int64_t>, std::vector<std::int64_t>, std::vector<std::int64_t>, std::vector<std::int64_t>,
                  std::vector<std::int64_t>, std::vector<std::int64_t>, std::vector<std::int64_t>, std::vector<std::uint8_t>,
                  std::vector<std::uint8_t>>
align_pairs(Items items, Offsets page_first, Offsets page_a, Offsets page_b, Offsets anchor_first, Offsets anchor_a,
            Offsets anchor_b, Offsets settings, bool judge) {
    Aligner aligner(items, page_first, AlignSettings::of(settings));
    std::vector<std::int64_t> pair, a0, a1, b0, b1, shared, total;
    std::vector<std::uint8_t> gates, truncated;
    truncated.resize(page_a.size());
    for (std::size_t p = 0; p < page_a.size(); ++p) {
        const auto begin = static_cast<std::size_t>(anchor_first[p]), end = static_cast<std::size_t>(anchor_first[p + 1]);
        for (const Rectangle& r : aligner.align(page_a[p], page_b[p], anchor_a.subspan(begin, end - begin),
                                                anchor_b.subspan(begin, end - begin), judge)) {
            pair.push_back(static_cast<std::int64_t>(p));
            a0.push_back(r[0]), a1.push_back(r[1]), b0.push_back(r[2]), b1.push_back(r[3]);
            shared.push_back(r.shared2), total.push_back(r.total), gates.push_back(r.gates);
        }
        truncated[p] = aligner.truncated();
    }
    return {std::move(pair), std::move(a0), std::move(a1), std::move(b0), std::move(b1), std::move(shared), std::move(total),
            std::move(gates), std::move(truncated)};
}

// What parts of pairs of pages share: those of pair p are rows first_a[p] to first_a[p + 1] on its a side, and so on.
inline std::tuple<std::vector<std::int64_t>, std::vector<std::int64_t>> measure_parts(
    Items items, Offsets page_first, Offsets page_a, Offsets page_b, Offsets first_a, Offsets a0, Offsets a1, Offsets first_b,
    Offsets b0, Offsets b1, Offsets settings) {
    Aligner aligner(items, page_first, AlignSettings::of(settings));
    std::vector<std::int64_t> shared(page_a.size()), total(page_a.size());
    for (std::size_t p = 0; p < page_a.size(); ++p) {
        const auto part = [p](Offsets first, Offsets column) {
            const auto begin = static_cast<std::size_t>(first[p]);
            return column.subspan(begin, static_cast<std::size_t>(first[p + 1]) - begin);
        };
        std::tie(shared[p], total[p]) = aligner.measure(page_a[p], page_b[p], part(first_a, a0), part(first_a, a1),
                                                        part(first_b, b0), part(first_b, b1));
    }
    return {std::move(shared), std::move(total)};
}

}  // namespace dedup
