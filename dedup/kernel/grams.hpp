// Grams that stand more than once, classes of equal grams, and runs of these.
//
// Tokens are numbered through the whole collection, page after page; a gram is named by its first token.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <iterator>
#include <stdexcept>
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

// A table may be one of several slices of a larger one: the keys whose word the larger one has in it.
struct Slice {
    std::uint64_t mask = 0, own = 0;

    Slice(std::uint64_t number, std::uint64_t slices, std::size_t slots)
        : mask((slices - 1) * slots), own(number * slots) {}
    bool has(std::uint64_t key) const { return (key & mask) == own; }
};

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

// Calls use(gram, i) for every gram of every page that a slice has, late.
template <int kSlotBits, class Use>
void for_each_gram_ahead(TokenHalves token, Offsets page_first, std::int64_t size, Hashes table, Slice slice, Use use) {
    Ahead<kSlotBits, Use> ahead(table, use);
    for (std::size_t p = 0; p + 1 < page_first.size(); ++p)
        for_each_gram(token.data(), page_first[p], page_first[p + 1], size,
                      [&](std::int64_t i, std::uint64_t gram) {
                          if (slice.has(gram)) ahead(gram, i);
                      });
    ahead.finish();
}

inline void mark_grams(TokenHalves token, Offsets page_first, std::int64_t size, std::span<std::uint64_t> table,
                       std::uint64_t number, std::uint64_t slices) {
    const Slice slice(number, slices, 32 * table.size());
    for_each_gram_ahead<5>(token, page_first, size, table, slice, [&](std::uint64_t gram, std::int64_t) { mark_slot(table, gram); });
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
                                  std::int64_t partitions, std::uint64_t number, std::uint64_t slices) {
    const Slice slice(number, slices, 64 * twice.size());
    Mapped<Row> rows(token.size());  // only what is written is touched
    std::size_t count = 0;
    for_each_gram_ahead<6>(token, page_first, size, twice, slice, [&](std::uint64_t gram, std::int64_t i) {
        rows[count] = {gram, static_cast<std::uint64_t>(i + before)};
        count += is_set(twice, gram);  // no branch: nobody can tell beforehand which ones are
    });
    rows.resize(count);
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

// Rows whose gram stands more than once, in the order given: position * 2^32 + position of the first row of that gram.
inline Mapped<std::uint64_t> gram_classes(Hashes gram, std::span<const std::uint32_t> position) {
    constexpr std::uint32_t kNone = 0xffffffffU;
    constexpr std::size_t kAhead = 16;
    const std::size_t rows = gram.size(), slots = std::bit_ceil(rows + rows / 2 + 1);
    Scratch<std::uint32_t, 7> slot_scratch;
    Scratch<std::uint32_t, 8> first_scratch;
    Mapped<std::uint32_t>&table = slot_scratch.values(), &first = first_scratch.values();  // rows: of a slot; of a row's gram
    table.assign(slots, kNone);
    first.resize(rows);
    Mapped<std::uint8_t> several(rows, 0);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < rows; ++i) {
        if (i + kAhead < rows) DEDUP_PREFETCH(table.data() + (gram[i + kAhead] & (slots - 1)));
        std::size_t slot = gram[i] & (slots - 1);
        while (table[slot] != kNone && gram[table[slot]] != gram[i]) slot = (slot + 1) & (slots - 1);
        if (table[slot] == kNone) table[slot] = static_cast<std::uint32_t>(i);
        const std::uint32_t own = first[i] = table[slot];
        if (own == i) continue;
        kept += several[own] ? 1 : 2;
        several[own] = 1;
    }
    Mapped<std::uint64_t> out(kept);
    for (std::size_t i = 0, at = 0; i < rows; ++i)
        if (several[first[i]]) out[at++] = std::uint64_t{position[i]} << 32 | position[first[i]];
    return out;
}

// Repeated grams one after the other whose classes' first members stand one after the other, too.
using GramRuns = std::tuple<Mapped<std::uint32_t>, Mapped<std::uint32_t>, Mapped<std::uint32_t>>;  // position, leader, length

// Runs of the grams of a range of tokens, ascending, as long as they can be there. Each part has members of classes, ascending.
inline GramRuns class_runs(std::span<const std::span<const std::uint64_t>> parts, std::uint64_t begin, std::uint64_t end) {
    constexpr std::uint32_t kNone = 0xffffffffU;
    Scratch<std::uint32_t, 9> scratch;
    Mapped<std::uint32_t>& leader = scratch.values();  // of each token that begins a repeated gram
    leader.assign(static_cast<std::size_t>(end - begin), kNone);
    Relief relief;
    for (const auto part : parts) {
        relief.place();
        for (auto row = std::lower_bound(part.begin(), part.end(), begin << 32); row != part.end() && *row >> 32 < end; ++row) {
            if (*row >> 32 < begin) throw std::invalid_argument("classes: the members of one part must ascend");
            leader[static_cast<std::size_t>((*row >> 32) - begin)] = static_cast<std::uint32_t>(*row);
        }
    }
    GramRuns runs;
    auto& [position, leaders, length] = runs;
    const std::size_t tokens = leader.size();
    for (std::size_t start = 0, stop; start < tokens; start = stop) {
        stop = start + 1;
        if (leader[start] == kNone) continue;
        while (stop < tokens && leader[stop] != kNone && leader[stop] == leader[stop - 1] + 1) ++stop;
        position.push_back(static_cast<std::uint32_t>(begin + start));
        leaders.push_back(leader[start]);
        length.push_back(static_cast<std::uint32_t>(stop - start));
    }
    return runs;
}

}  // namespace dedup
