// Grams that stand more than once, classes of equal grams, segments over which they go in lock-step.
//
// Tokens are numbered through the whole collection, page after page; a gram is named by its first token.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <iterator>
#include <tuple>
#include <vector>

#include "arrays.hpp"
#include "sets.hpp"

namespace dedup {

using TokenHalves = std::span<const std::uint32_t>;  // half of each token's hash

struct Row {
    std::uint64_t key, value;
};

#if defined(__GNUC__) || defined(__clang__)
#define DEDUP_PREFETCH(address) __builtin_prefetch(address)
#else
#define DEDUP_PREFETCH(address) (void)(address)
#endif

// Calls use(key, at) for what is given to it, some keys late, so that the word of `key` in a table with so many slots a word is
// there when it is needed.
template <int kSlotBits, class Use>
class Ahead {
public:
    Ahead(Hashes table, Use use) : table_(table), use_(use) {}

    void operator()(std::uint64_t key, std::int64_t at) {
        DEDUP_PREFETCH(table_.data() + (key >> kSlotBits & (table_.size() - 1)));
        Entry& entry = ring_[count_ % kAhead];
        if (count_ >= kAhead) use_(entry.key, entry.at);
        entry = {key, at};
        ++count_;
    }

    void finish() {
        for (std::size_t i = count_ > kAhead ? count_ - kAhead : 0; i < count_; ++i) use_(ring_[i % kAhead].key, ring_[i % kAhead].at);
    }

private:
    static constexpr std::size_t kAhead = 32;
    struct Entry {
        std::uint64_t key;
        std::int64_t at;
    };

    Hashes table_;
    Use use_;
    Entry ring_[kAhead];
    std::size_t count_ = 0;
};

// A table of two bits a slot, 32 slots a word, a power of two of words: seen once, seen twice or more. What it holds at the end
// does not depend on the order of the calls, nor on how many threads make them.
inline void mark_slot(std::span<std::uint64_t> table, std::uint64_t key) {
    const std::uint64_t shift = (key & 31) * 2;
    std::atomic_ref<std::uint64_t> word(table[key >> 5 & (table.size() - 1)]);
    const std::uint64_t now = word.load(std::memory_order_relaxed) >> shift & 3;
    if (now == 3) return;
    if (now == 0 && !(word.fetch_or(std::uint64_t{1} << shift, std::memory_order_relaxed) >> shift & 1)) return;
    word.fetch_or(std::uint64_t{2} << shift, std::memory_order_relaxed);
}

// Of such a table the slots that were seen twice, one bit each: half the memory, and half the cache.
inline Mapped<std::uint64_t> slots_seen_twice(Hashes table) {
    const auto every_other = [](std::uint64_t x) {
        x = x >> 1 & 0x5555555555555555ULL;
        x = (x | x >> 1) & 0x3333333333333333ULL;
        x = (x | x >> 2) & 0x0f0f0f0f0f0f0f0fULL;
        x = (x | x >> 4) & 0x00ff00ff00ff00ffULL;
        x = (x | x >> 8) & 0x0000ffff0000ffffULL;
        return (x | x >> 16) & 0x00000000ffffffffULL;
    };
    Mapped<std::uint64_t> twice(table.size() / 2);
    for (std::size_t i = 0; i < twice.size(); ++i) twice[i] = every_other(table[2 * i]) | every_other(table[2 * i + 1]) << 32;
    return twice;
}

inline bool is_set(Hashes bits, std::uint64_t key) { return bits[key >> 6 & (bits.size() - 1)] >> (key & 63) & 1; }

// Calls use(gram, i) for every gram of every page, late.
template <int kSlotBits, class Use>
void for_each_gram_ahead(TokenHalves token, Offsets page_first, std::int64_t size, Hashes table, Use use) {
    Ahead<kSlotBits, Use> ahead(table, use);
    for (std::size_t p = 0; p + 1 < page_first.size(); ++p)
        for_each_gram(token.data(), page_first[p], page_first[p + 1], size,
                      [&](std::int64_t i, std::uint64_t gram) { ahead(gram, i); });
    ahead.finish();
}

inline void mark_grams(TokenHalves token, Offsets page_first, std::int64_t size, std::span<std::uint64_t> table) {
    for_each_gram_ahead<5>(token, page_first, size, table, [&](std::uint64_t gram, std::int64_t) { mark_slot(table, gram); });
}

// Partition of a hash, by its upper bits.
inline std::size_t partition_of(std::uint64_t hash, std::uint64_t partitions) {
    return static_cast<std::size_t>(((hash >> 32) * partitions) >> 32);
}

// Rows ordered by partition: (key, value, first row of each partition).
using Partitioned = std::tuple<Mapped<std::uint64_t>, Mapped<std::uint32_t>, Mapped<std::int64_t>>;

inline Partitioned by_partition(std::span<const Row> rows, std::uint64_t partitions) {
    Mapped<std::int64_t> first(static_cast<std::size_t>(partitions) + 1, 0);
    for (const Row& row : rows) ++first[partition_of(row.key, partitions) + 1];
    for (std::size_t p = 1; p < first.size(); ++p) first[p] += first[p - 1];
    Mapped<std::int64_t> next(first.begin(), first.end() - 1);
    Mapped<std::uint64_t> keys(rows.size());
    Mapped<std::uint32_t> values(rows.size());
    for (const Row& row : rows) {
        const auto to = static_cast<std::size_t>(next[partition_of(row.key, partitions)]++);
        keys[to] = row.key;
        values[to] = static_cast<std::uint32_t>(row.value);
    }
    return {std::move(keys), std::move(values), std::move(first)};
}

// Grams whose slot was seen twice, with the number of their first token, ordered by partition.
inline Partitioned repeated_grams(TokenHalves token, Offsets page_first, std::int64_t size, Hashes twice, std::int64_t before,
                                  std::int64_t partitions) {
    Mapped<Row> rows;
    rows.reserve(token.size());  // only what is written is touched
    for_each_gram_ahead<6>(token, page_first, size, twice, [&](std::uint64_t gram, std::int64_t i) {
        if (is_set(twice, gram)) rows.push_back({gram, static_cast<std::uint64_t>(i + before)});
    });
    return by_partition(rows, static_cast<std::uint64_t>(partitions));
}

// Calls use(rows) for the rows of each key that two or more have, ascending by value. Keys ascend by their low 33 bits, then
// as a whole.
template <class Use>
void for_each_class(Hashes key, std::span<const std::uint32_t> value, Use use) {
    Scratch<Row> scratch;
    Mapped<Row>& rows = scratch.values();
    rows.resize(key.size());
    for (std::size_t i = 0; i < key.size(); ++i) rows[i] = {key[i], value[i]};
    radix_sort(std::span(rows), 33, [](const Row& row) { return row.key; });
    for (std::size_t begin = 0, end; begin < rows.size(); begin = end) {
        for (end = begin + 1; end < rows.size() && ((rows[end].key ^ rows[begin].key) & 0x1ffffffffULL) == 0;) ++end;
        if (end - begin == 1) continue;
        std::sort(rows.begin() + static_cast<std::ptrdiff_t>(begin), rows.begin() + static_cast<std::ptrdiff_t>(end),
                  [](const Row& x, const Row& y) { return x.key != y.key ? x.key < y.key : x.value < y.value; });
        for (std::size_t i = begin, j; i < end; i = j) {
            for (j = i + 1; j < end && rows[j].key == rows[i].key;) ++j;
            if (j - i > 1) use(std::span<const Row>(rows).subspan(i, j - i));
        }
    }
}

// Classes of equal grams, singletons dropped, each member as position * 2^32 + position of the class's first member;
// members of one class stand together, ascending.
inline Mapped<std::uint64_t> gram_classes(Hashes gram, std::span<const std::uint32_t> position) {
    Scratch<std::uint64_t, 5> members;
    Mapped<std::uint64_t>& out = members.values();
    for_each_class(gram, position, [&](std::span<const Row> rows) {
        for (const Row& row : rows) out.push_back(row.value << 32 | rows[0].value);
    });
    return {out.begin(), out.end()};
}

// Which tokens begin a repeated gram, and how many of them do before each.
class Ranks {
public:
    explicit Ranks(std::span<const std::uint64_t> classes) {
        std::uint64_t largest = 0;
        for (const std::uint64_t row : classes) largest = std::max(largest, row >> 32);
        bits_.assign(static_cast<std::size_t>(largest >> 6) + 1, 0);
        for (const std::uint64_t row : classes) bits_[static_cast<std::size_t>(row >> 38)] |= std::uint64_t{1} << (row >> 32 & 63);
        before_.reserve(bits_.size());
        std::uint32_t sum = 0;
        for (const std::uint64_t word : bits_) {
            before_.push_back(sum);
            sum += bit_count(word);
        }
    }

    std::uint32_t of(std::uint32_t position) const {
        const std::size_t word = position >> 6;
        return before_[word] + bit_count(bits_[word] & ((std::uint64_t{1} << (position & 63)) - 1));
    }

    template <class Use>
    void for_each(Use use) const {
        for (std::size_t w = 0; w < bits_.size(); ++w)
            for (std::uint64_t word = bits_[w]; word; word &= word - 1)
                use(static_cast<std::uint32_t>(w << 6 | static_cast<std::size_t>(std::countr_zero(word))));
    }

private:
    // By hand: without a flag for the processor, std::popcount is a call.
    static std::uint32_t bit_count(std::uint64_t x) {
        x -= x >> 1 & 0x5555555555555555ULL;
        x = (x & 0x3333333333333333ULL) + (x >> 2 & 0x3333333333333333ULL);
        x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
        return static_cast<std::uint32_t>(x * 0x0101010101010101ULL >> 56);
    }

    Mapped<std::uint64_t> bits_;
    Mapped<std::uint32_t> before_;
};

// All repeated grams in the order of their positions: where each stands, the row of its class's first member, and there the
// number of members. It lives in `classes`, which it overwrites: the largest of what is held at that time.
class Repeats {
public:
    explicit Repeats(std::span<std::uint64_t> classes)
        : size_(classes.size()), position_(reinterpret_cast<std::uint32_t*>(classes.data())), members_(position_ + size_),
          leader_(size_) {
        if (classes.empty()) return;
        const Ranks ranks(classes);
        for (std::size_t begin = 0, end; begin < size_; begin = end) {
            const auto first = static_cast<std::uint32_t>(classes[begin]);
            const std::uint32_t leader = ranks.of(first);
            for (end = begin; end < size_ && static_cast<std::uint32_t>(classes[end]) == first; ++end)
                leader_[ranks.of(static_cast<std::uint32_t>(classes[end] >> 32))] = leader;
        }
        std::size_t row = 0;
        ranks.for_each([&](std::uint32_t position) { position_[row++] = position; });
        std::fill(members_, members_ + size_, 0u);
        for (const std::uint32_t leader : leader_) ++members_[leader];
    }

    std::size_t size() const { return size_; }
    std::uint32_t position(std::size_t i) const { return position_[i]; }
    std::uint32_t leader(std::size_t i) const { return leader_[i]; }
    std::uint32_t members(std::size_t i) const { return members_[i]; }
    bool next_to(std::size_t i) const { return i + 1 < size_ && position_[i + 1] == position_[i] + 1; }

private:
    std::size_t size_;
    std::uint32_t *position_, *members_;
    Mapped<std::uint32_t> leader_;
};

// Segments: maximal stretches over which the classes of consecutive grams go in lock-step, so that all members of the
// first class continue as members of the last. All places of a repeated stretch are in one segment, whatever their number.
struct Segments {
    Mapped<std::int64_t> first, grams;
    Mapped<std::uint32_t> row;  // occurrences of segment s: row[first[s]..first[s+1])
};

inline Segments lockstep_segments(const Repeats& repeats) {
    constexpr std::uint32_t kNone = 0xffffffffU;
    const auto rows = repeats.size();
    const auto next_class = [&](std::size_t i) { return repeats.next_to(i) ? repeats.leader(i + 1) : kNone; };
    Mapped<std::uint32_t> follow(rows, 0);  // members of a class that are followed as its first one is
    for (std::size_t i = 0; i < rows; ++i) {
        const std::size_t leader = repeats.leader(i);
        const std::uint32_t next = next_class(i);
        follow[leader] += next != kNone && next == next_class(leader);
    }
    Mapped<std::uint8_t> in_step(rows, 0), starts(rows, 1);  // at leaders: all members go on together
    for (std::size_t i = 0; i < rows; ++i) {
        if (repeats.leader(i) != i || follow[i] != repeats.members(i)) continue;
        const std::uint32_t next = next_class(i);
        in_step[i] = next != kNone && repeats.members(i) == repeats.members(next);
    }
    for (std::size_t i = 0; i + 1 < rows; ++i)
        if (in_step[repeats.leader(i)] && repeats.next_to(i)) starts[i + 1] = 0;
    Segments out;
    Mapped<std::uint32_t>& segment = follow;  // of each leader; the other one is not needed any more
    std::fill(segment.begin(), segment.end(), kNone);
    out.first.push_back(0);
    for (std::size_t i = 0; i < rows; ++i) {
        if (!starts[i] || repeats.leader(i) != i) continue;
        segment[i] = static_cast<std::uint32_t>(out.grams.size());
        std::size_t j = i;
        while (in_step[repeats.leader(j)]) ++j;
        out.grams.push_back(static_cast<std::int64_t>(j - i + 1));
        out.first.push_back(out.first.back() + repeats.members(i));
    }
    out.row.resize(static_cast<std::size_t>(out.first.back()));
    Mapped<std::int64_t> next(out.first.begin(), out.first.end());
    for (std::size_t i = 0; i < rows; ++i) {
        const std::uint32_t s = segment[repeats.leader(i)];
        if (s != kNone) out.row[static_cast<std::size_t>(next[s]++)] = static_cast<std::uint32_t>(i);
    }
    return out;
}

}  // namespace dedup
