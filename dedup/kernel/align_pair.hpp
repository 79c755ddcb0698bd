// Two pages and the words that they share: settings of the alignment, numbers and weights of items, counts of a rectangle.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "clones.hpp"
#include "sets.hpp"
#include "utf8.hpp"

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
        row_cells, again_share, tries, drift, least_window, slack;

    static constexpr std::size_t kCount = 28;
    static AlignSettings of(Offsets v) {
        if (v.size() != kCount) throw std::invalid_argument("settings: 28 values are needed");
        for (const std::int64_t value : v)
            if (value < 0 || value > std::int64_t{1} << 40) throw std::invalid_argument("settings: a value is out of range");
        for (const std::size_t i : {0, 1, 2, 15})
            if (v[i] < 1 || v[i] > 4096) throw std::invalid_argument("settings: a length must be 1 to 4096");
        return {v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10], v[11], v[12], v[13], v[14], v[15], v[16],
                v[17], v[18], v[19], v[20], v[21], v[22], v[23], v[24], v[25], v[26], v[27]};
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

// A pair of pages, one after the other; what is known of the larger page is kept for the next pair.
class PairOfPages {
protected:
    using Starts = std::vector<std::pair<std::int64_t, std::int64_t>>;
    using Ends = std::array<std::int64_t, 4>;

    PairOfPages(Items items, Offsets page_first, const AlignSettings& settings)
        : items_(items), page_first_(page_first), s_(settings) {}

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
        const std::size_t size = page.size();
        out.id.resize(size);
        out.before.resize(size);
        grow(out.again, size, 0);
        grow(windows, count_ + size, 0);
        grow(last_, count_ + size, 0);
        filled_.resize(size);
        const std::uint32_t before = count_;
        count_ = give_numbers(page, out.id.data());
        filled_.resize(count_ - before);
        out.repeats = note_places(out, windows.data());
    }

    // A number for each item, the next one for each new item; how many there are now.
    std::uint32_t give_numbers(Items page, std::uint32_t* DEDUP_RESTRICT id) {
        std::pair<std::uint32_t, std::uint32_t>* DEDUP_RESTRICT const table = table_.data();
        std::uint32_t* DEDUP_RESTRICT filled = filled_.data();
        std::uint32_t count = count_;
        const std::size_t mask = mask_;
        for (const std::uint32_t whole : page) {
            const std::uint32_t item = whole >> kItemFlags;
            std::size_t slot = (item * 0x9E3779B1U) & mask;
            while (table[slot].second != kNone && table[slot].first != item) slot = (slot + 1) & mask;
            const bool is_new = table[slot].second == kNone;
            const std::uint32_t own = is_new ? count : table[slot].second;
            table[slot] = {item, own};
            *filled = static_cast<std::uint32_t>(slot);
            filled += is_new;
            count += is_new;
            *id++ = own;
        }
        return count;
    }

    // Where the items stood before, and in how many pseudo-windows; how many stood less than a window before.
    std::size_t note_places(Numbers& out, std::uint32_t* DEDUP_RESTRICT windows) {
        const auto size = static_cast<std::uint32_t>(out.id.size()), window = static_cast<std::uint32_t>(s_.window);
        const auto pseudo = static_cast<std::uint32_t>(s_.pseudo_window);
        const std::uint32_t* DEDUP_RESTRICT const ids = out.id.data();
        std::uint32_t* DEDUP_RESTRICT const last = last_.data();
        std::uint32_t* DEDUP_RESTRICT const before = out.before.data();
        std::uint32_t* DEDUP_RESTRICT const again = out.again.data();
        std::size_t repeats = 0;
        for (std::uint32_t begin = 0; begin < size; begin += pseudo)
            for (std::uint32_t i = begin; i < std::min(size, begin + pseudo); ++i) {
                const std::uint32_t id = ids[i], next_to_last = last[id];  // 0 where there was none
                last[id] = i + 1;
                windows[id] += next_to_last <= begin;
                before[i] = next_to_last - 1;
                again[repeats] = i;
                repeats += next_to_last != 0 && i + 1 - next_to_last < window;
            }
        for (std::uint32_t i = 0; i < size; ++i) last[ids[i]] = 0;
        return repeats;
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
    }

    std::int64_t size(int side) const { return static_cast<std::int64_t>(side_items_[static_cast<std::size_t>(side)].size()); }
    std::uint32_t id(int side, std::int64_t at) const { return side_[side]->id[static_cast<std::size_t>(at)]; }

    DEDUP_INLINE std::int64_t weight(std::uint32_t id) {
        const std::int32_t known = weight_[id];
        return known >= 0 ? known : weigh(id);
    }
    std::int32_t weigh(std::uint32_t id) {
        const auto log_all = static_cast<std::int64_t>(log_[static_cast<std::size_t>(total_windows_) + 1]);
        const auto log_own = static_cast<std::int64_t>(log_[windows_[id] + other_windows_[id]]);
        weighed_.push_back(id);
        return weight_[id] = static_cast<std::int32_t>((2 * kRare * (log_all - log_own) + log_all) / (2 * log_all));
    }

    // ---- counts of a rectangle ----

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

    Items items_;
    Offsets page_first_;
    AlignSettings s_;
    bool same_page_ = false, truncated_ = false;
    Relief relief_;
    std::int64_t larger_ = -1, total_windows_ = 0;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> table_;
    std::size_t mask_ = 0;
    std::uint32_t count_ = 0, large_count_ = 0;
    Numbers large_, small_;
    std::vector<std::uint32_t> filled_, weighed_, windows_, other_windows_, last_, log_;
    std::vector<std::int32_t> weight_, counts_[2];
    const Numbers* side_[2] = {nullptr, nullptr};
    std::array<Items, 2> side_items_;
};

}  // namespace dedup
