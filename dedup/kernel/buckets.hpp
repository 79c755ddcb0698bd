// Buckets of sets that share a band of their sketches: which of their members are alike.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "clones.hpp"
#include "memory.hpp"
#include "sets.hpp"
#include "utf8.hpp"

namespace dedup {

// Of each set, a representative that it was found alike to in a crowded bucket of some band: most sets share many bands with it, and
// are compared with it once. Threads that look at bands side by side may know it or not, which changes what they say, but not what
// they say together.
class Homes {
   public:
    static constexpr uint32_t kNone = ~uint32_t{0};

    explicit Homes(std::span<uint32_t> of) : of_(of) {}
    bool is(int64_t s, int64_t home) const { return at(s).load(std::memory_order_relaxed) == static_cast<uint32_t>(home); }
    void set(int64_t s, int64_t home) const {
        if (is(s, kNone)) at(s).store(static_cast<uint32_t>(home), std::memory_order_relaxed);
    }

   private:
    std::atomic_ref<uint32_t> at(int64_t s) const { return std::atomic_ref(of_[static_cast<size_t>(s)]); }
    std::span<uint32_t> of_;
};

// The representatives of a crowded bucket. Of many, a member is only compared with those that share one of its rarest elements with it.
//
// Two sets of n <= m elements that reach the threshold t have at least t/(1+t) (n+m) in common: 2t/(1+t) n at least, and t m. So in
// any one order of all elements, the first n - ceil(2t/(1+t) n) + 1 of the smaller one (its short prefix) meet the first
// m - ceil(t m) + 1 of the larger one (its long prefix; Chaudhuri, Ganti, Kaushik, ICDE 2006). Pages of one form that have too little in
// common have more own words than a short prefix holds, so that it meets nobody's, where all share most of their elements.
class Representatives {
   public:
    explicit Representatives(double threshold) : threshold_(threshold) {}

    // The next bucket: its members are some of the sets.
    void begin(const Sets<uint32_t>& sets, const uint64_t* bits, std::span<const uint64_t> members) {
        sets_ = sets;
        bits_ = bits;
        members_ = members;
        all_.clear();
        indexed_ = 0;
    }

    int64_t size() const { return static_cast<int64_t>(all_.size()); }
    void add(int64_t s) { all_.push_back(s); }

    // The first representative that a set is alike to, and whether is_known(representative) said so; -1 if there is none.
    template <class Known>
    DEDUP_INLINE std::pair<int64_t, bool> home(int64_t s, Known is_known) {
        if (all_.size() <= kFew) {
            for (const int64_t r : all_) {
                relief_.place();
                if (is_known(r)) return {r, true};
                if (reaches(sets_, bits_, r, s, threshold_)) return {r, false};
            }
            return {-1, false};
        }
        if (indexed_ == 0) count();
        for (; indexed_ < all_.size(); ++indexed_) put(static_cast<uint32_t>(indexed_));
        for (const uint32_t r : sharing(s)) {
            relief_.place();
            if (is_known(all_[r])) return {all_[r], true};
            if (reaches(sets_, bits_, all_[r], s, threshold_)) return {all_[r], false};
        }
        return {-1, false};
    }

   private:
    static constexpr size_t kFew = 64;  // representatives that are all compared
    static constexpr int kSlotBits = 16;

    static size_t slot(uint32_t element) { return element * 0x9E3779B1U >> (32 - kSlotBits); }

    std::span<const uint32_t> elements(int64_t s) const {
        return {sets_.values + sets_.first[s], static_cast<size_t>(sets_.size(s))};
    }

    // Counts the elements of the bucket by their slots, and forgets what was indexed.
    void count() {
        counts_.assign(size_t{1} << kSlotBits, 0);
        for (std::vector<uint32_t>& heads : heads_) heads.assign(size_t{1} << kSlotBits, kNone);
        nodes_.clear();
        for (const uint64_t member : members_) {
            relief_.place();
            for (const uint32_t element : elements(static_cast<int64_t>(member))) ++counts_[slot(element)];
        }
    }

    // Calls use(element, is_short) for the elements of the long prefix of a set, rarest first.
    template <class Use>
    void for_each_first(int64_t s, Use use) {
        order_.clear();
        relief_.place();
        for (const uint32_t element : elements(s)) order_.push_back(uint64_t{counts_[slot(element)]} << 32 | element);
        const auto prefix = [n = order_.size()](double share) {
            const auto least = static_cast<size_t>(std::ceil(share * static_cast<double>(n) - 1e-9));
            return std::min(n, n - std::min(n, least) + 1);
        };
        const size_t longest = prefix(threshold_), shortest = prefix(2 * threshold_ / (1 + threshold_));
        const auto at = [this](size_t i) { return order_.begin() + static_cast<std::ptrdiff_t>(i); };
        std::nth_element(order_.begin(), at(longest - 1), order_.end());
        std::nth_element(order_.begin(), at(shortest - 1), at(longest));
        for (size_t i = 0; i < longest; ++i) use(static_cast<uint32_t>(order_[i]), i < shortest);
    }

    void put(uint32_t r) {
        for_each_first(all_[r], [&](uint32_t element, bool is_short) {
            for (size_t kind = is_short ? kShort : kLong; kind <= kLong; ++kind) {
                nodes_.push_back({element, r, heads_[kind][slot(element)]});
                heads_[kind][slot(element)] = static_cast<uint32_t>(nodes_.size() - 1);
            }
        });
    }

    // Numbers of the representatives of which a prefix meets one of the other kind of a set, ascending.
    std::span<const uint32_t> sharing(int64_t s) {
        found_.clear();
        seen_.resize(all_.size(), 0);
        for_each_first(s, [&](uint32_t element, bool is_short) {
            const std::vector<uint32_t>& heads = heads_[is_short ? kLong : kShort];  // a short prefix is part of the long one
            for (uint32_t at = heads[slot(element)]; at != kNone; at = nodes_[at].next) {
                const Node& node = nodes_[at];
                if (node.element != element || seen_[node.representative]) continue;
                seen_[node.representative] = 1;
                found_.push_back(node.representative);
            }
        });
        for (const uint32_t r : found_) seen_[r] = 0;
        std::sort(found_.begin(), found_.end());
        return found_;
    }

    static constexpr size_t kShort = 0, kLong = 1;
    static constexpr uint32_t kNone = ~uint32_t{0};
    struct Node {
        uint32_t element, representative, next;  // the next one of the slot
    };
    Sets<uint32_t> sets_{};
    const uint64_t* bits_ = nullptr;
    double threshold_;
    std::span<const uint64_t> members_;
    std::vector<int64_t> all_;
    size_t indexed_ = 0;  // of all, those that are in the lists
    std::vector<uint32_t> counts_, found_;
    std::array<std::vector<uint32_t>, 2> heads_;  // by kind of prefix: the last node of each slot
    std::vector<Node> nodes_;
    std::vector<uint64_t> order_;
    Relief relief_;
    std::vector<uint8_t> seen_;
};

// Buckets, many of them together. What is known of their members, which stand all over the collection, is copied side by side, in
// the order of the places there: it comes into memory once for all of them.
class Buckets {
   public:
    using Pairs = std::vector<std::pair<int64_t, int64_t>>;

    Buckets(const Sets<uint32_t>& sets, const uint64_t* bits, double threshold, int64_t all_pairs, int64_t max_representatives,
            Homes homes)
        : sets_(sets), all_bits_(bits), threshold_(threshold), all_pairs_(all_pairs), max_representatives_(max_representatives),
          homes_(homes), representatives_(threshold) {}

    // Takes a bucket: its members are the lower halves of rows, ascending. The first one of a crowded bucket represents it, so members
    // that are known to be alike to that one are done with.
    void add(std::span<const uint64_t> rows, Pairs& found) {
        const bool is_small = static_cast<int64_t>(rows.size()) <= all_pairs_;
        const auto number = [](uint64_t row) { return static_cast<int64_t>(row & 0xffffffffULL); };
        for (const uint64_t row : rows)
            if (is_small || !homes_.is(number(row), number(rows[0]))) place_.push_back(static_cast<uint64_t>(number(row)) * kBitBytes);
        end_.push_back({place_.size(), is_small});
        if (place_.size() >= kTogether) find(found);
    }

    // Pairs of the buckets that were added and not looked at; adds up the members that met the bound of representatives.
    void find(Pairs& found) {
        bits_.resize(place_.size() * kBitWords);
        size_.resize(place_.size());
        for_each_nearby(std::span<const uint64_t>(place_), [&](size_t i) {
            relief_.places(2);
            std::copy_n(all_bits_ + number(i) * kBitWords, kBitWords, bits_.begin() + static_cast<std::ptrdiff_t>(i * kBitWords));
            size_[i] = sets_.size(number(i));
        });
        small(found);
        crowded(found);
        place_.clear();
        end_.clear();
    }
    int64_t unplaced() const { return unplaced_; }

   private:
    static constexpr size_t kBitBytes = kBitWords * sizeof(uint64_t);
    static constexpr size_t kTogether = size_t{1} << 18;        // members
    static constexpr int64_t kMostCopied = int64_t{1} << 21;    // elements

    int64_t number(size_t i) const { return static_cast<int64_t>(place_[i] / kBitBytes); }

    // All pairs that sizes and bitmaps allow.
    DEDUP_CLONES void small(Pairs& found) const {
        const uint64_t* const bits = bits_.data();
        size_t begin = 0;
        for (const auto& [end, is_small] : end_) {
            for (size_t i = begin; i < end && is_small; ++i)
                for (size_t j = i + 1; j < end; ++j)
                    if (may_reach(size_[i], bits + i * kBitWords, size_[j], bits + j * kBitWords, threshold_))
                        found.emplace_back(number(i), number(j));
            begin = end;
        }
    }

    // The others, as many at a time as may be copied.
    void crowded(Pairs& found) {
        size_t begin = 0;
        int64_t elements = 0;
        for (const auto& [end, is_small] : end_) {
            if (!is_small && end - begin > 1) {
                const int64_t own = std::accumulate(size_.begin() + static_cast<std::ptrdiff_t>(begin),
                                                    size_.begin() + static_cast<std::ptrdiff_t>(end), int64_t{0});
                if (own > kMostCopied) {
                    direct(begin, end, found);
                } else {
                    if (elements + own > kMostCopied) copied(found), elements = 0;
                    elements += own;
                    crowded_.emplace_back(begin, end);
                }
            }
            begin = end;
        }
        copied(found);
    }

    void copied(Pairs& found) {
        member_.clear();
        near_.clear();
        first_.assign(1, 0);
        for (const auto& [begin, end] : crowded_)
            for (size_t i = begin; i < end; ++i) {
                member_.push_back(i);
                near_.push_back(place_[i]);
                first_.push_back(first_.back() + size_[i]);
            }
        values_.resize(static_cast<size_t>(first_.back()));
        for_each_nearby(std::span<const uint64_t>(near_), [&](size_t k) {
            relief_.place();
            const uint32_t* const from = sets_.values + sets_.first[number(member_[k])];
            std::copy(from, from + size_[member_[k]], values_.begin() + first_[k]);
        });
        size_t at = 0;
        for (const auto& [begin, end] : crowded_) {
            own_.resize(end - begin);
            std::iota(own_.begin(), own_.end(), uint64_t{0});
            place({values_.data(), first_.data() + at}, bits_.data() + begin * kBitWords,
                  [&, begin = begin](int64_t s) { return number(begin + static_cast<size_t>(s)); }, found);
            at += end - begin;
        }
        crowded_.clear();
    }

    // A bucket that is too long to be copied.
    void direct(size_t begin, size_t end, Pairs& found) {
        own_.clear();
        for (size_t i = begin; i < end; ++i) own_.push_back(static_cast<uint64_t>(number(i)));
        place(sets_, all_bits_, [](int64_t s) { return s; }, found);
    }

    // Pairs of the members with their representatives.
    template <class Number>
    void place(const Sets<uint32_t>& sets, const uint64_t* bits, Number number, Pairs& found) {
        representatives_.begin(sets, bits, own_);
        for (const uint64_t s : own_) {
            const int64_t own = number(static_cast<int64_t>(s));
            const auto [home, is_known] =
                representatives_.home(static_cast<int64_t>(s), [&](int64_t r) { return homes_.is(own, number(r)); });
            if (is_known) continue;
            if (home >= 0) found.emplace_back(number(home), own), homes_.set(own, number(home));
            else if (representatives_.size() < max_representatives_) representatives_.add(static_cast<int64_t>(s));
            else ++unplaced_;
        }
    }

    Sets<uint32_t> sets_;
    const uint64_t* all_bits_;
    double threshold_;
    int64_t all_pairs_, max_representatives_, unplaced_ = 0;
    Homes homes_;
    Representatives representatives_;
    Mapped<uint64_t> place_, bits_;  // of each member: where its bitmap stands; the bitmap
    Mapped<int64_t> size_;
    Mapped<std::pair<size_t, bool>> end_;  // of each bucket, and whether it is small
    std::vector<std::pair<size_t, size_t>> crowded_;
    Mapped<size_t> member_;  // of crowded buckets; where each one's bitmap and elements stand
    Mapped<uint64_t> near_, own_;
    Mapped<int64_t> first_;
    Mapped<uint32_t> values_;
    Relief relief_;
};

// Pairs of the sets that share a key in a band and may reach the threshold, ascending, each once. Set s has the keys[s] of each band, band
// after band; empty sets have no partner. A bucket of at most `all_pairs` members gives all of its pairs that sizes and bitmaps allow (a
// pair is found in many bands: who has them all checks it once); in a larger one each member is checked against the representatives
// found so far, and one that fails them all becomes a representative, up to `max_representatives`. Pairs of a set and its home that
// `homes` knows are not said again. Returns how many members met that bound.
inline int64_t bucket_pairs(std::span<const uint32_t> keys, int64_t count, const Sets<uint32_t>& sets, const uint64_t* bits,
                            double threshold, int64_t all_pairs, int64_t max_representatives, Homes homes,
                            std::vector<std::pair<int64_t, int64_t>>& pairs) {
    Scratch<uint64_t, 3> scratch;
    Mapped<uint64_t>& rows = scratch.values();
    int64_t unplaced = 0;
    for (size_t band = 0; band < keys.size(); band += static_cast<size_t>(count)) {
        rows.clear();
        shared_keys(keys.data() + band, count, [&](int64_t s) { return sets.size(s) > 0; }, rows);
        sort_by_key(rows);
        Buckets buckets(sets, bits, threshold, all_pairs, max_representatives, homes);
        for (size_t begin = 0; begin < rows.size();) {
            size_t end = begin + 1;
            while (end < rows.size() && rows[end] >> 32 == rows[begin] >> 32) ++end;
            if (end - begin > 1) buckets.add(std::span(rows).subspan(begin, end - begin), pairs);
            begin = end;
        }
        buckets.find(pairs);
        unplaced += buckets.unplaced();
    }
    const int width = std::bit_width(static_cast<uint64_t>(count));  // sets are blocks, of which there are fewer than 2^32
    radix_sort(std::span(pairs), 2 * width, [width](const std::pair<int64_t, int64_t>& pair) {
        return static_cast<uint64_t>(pair.first) << width | static_cast<uint64_t>(pair.second);
    });
    pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
    return unplaced;
}

}  // namespace dedup
