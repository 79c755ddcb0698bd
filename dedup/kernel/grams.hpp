// Grams that stand more than once, classes of equal grams, and runs of these.
//
// Tokens are numbered through the whole collection, page after page; a gram is named by its first token.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <iterator>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "arrays.hpp"
#include "clones.hpp"
#include "sets.hpp"
#include "utf8.hpp"

namespace dedup {

using TokenHalves = std::span<const std::uint32_t>;  // half of each token's hash

// A table may be one of several slices of a larger one: the keys whose word the larger one has in it.
struct Slice {
    std::uint64_t mask = 0, own = 0;

    Slice(std::uint64_t number, std::uint64_t slices, std::size_t slots)
        : mask((slices - 1) * slots), own(number * slots) {}
    bool has(std::uint64_t key) const { return (key & mask) == own; }
};

// A key, and where it stands.
struct Row {
    std::uint64_t key, value;
};

// Calls use(rows) for the keys given to it that a slice has, in their order and some of them at a time, so late that the words of the
// keys in a table with so many slots a word are there when they are needed. Nobody can tell which keys a slice has, so nothing
// branches on that.
template <int kSlotBits, class Use>
class Ahead {
public:
    static constexpr std::size_t kMost = 256;  // rows at a time

    Ahead(Hashes table, Slice slice, Use use) : table_(table), slice_(slice), use_(use) {}

    DEDUP_INLINE void operator()(std::uint64_t key, std::int64_t at, bool is_there = true) {
        DEDUP_PREFETCH(table_.data() + (key >> kSlotBits & (table_.size() - 1)));
        rows_[count_] = {key, static_cast<std::uint64_t>(at)};
        count_ += is_there & slice_.has(key);
        if (count_ == kMost) finish();
    }

    void finish() {
        use_(std::span<const Row>(rows_).first(count_));
        count_ = 0;
    }

private:
    Hashes table_;
    Slice slice_;
    Use use_;
    std::array<Row, kMost> rows_;
    std::size_t count_ = 0;
};

// A table of two bits a slot, 32 slots a word, a power of two of words: seen once, seen twice or more. What it holds at the end
// does not depend on the order of the calls.
inline void mark_slot(std::span<std::uint64_t> table, std::uint64_t key) {
    const std::uint64_t shift = (key & 31) * 2;
    std::uint64_t& word = table[key >> 5 & (table.size() - 1)];
    word |= (1 + (word >> shift & 1)) << shift;
}

// The same where other threads mark in the table, too; nor does it depend on how many they are.
inline void mark_shared_slot(std::span<std::uint64_t> table, std::uint64_t key) {
    const std::uint64_t shift = (key & 31) * 2;
    std::atomic_ref<std::uint64_t> word(table[key >> 5 & (table.size() - 1)]);
    const std::uint64_t now = word.load(std::memory_order_relaxed) >> shift & 3;
    if (now == 3) return;
    if (now == 0 && !(word.fetch_or(std::uint64_t{1} << shift, std::memory_order_relaxed) >> shift & 1)) return;
    word.fetch_or(std::uint64_t{2} << shift, std::memory_order_relaxed);
}

inline void mark_slots(std::span<std::uint64_t> table, std::span<const Row> rows, bool is_shared) {
    if (is_shared)
        for (const Row& row : rows) mark_shared_slot(table, row.key);
    else
        for (const Row& row : rows) mark_slot(table, row.key);
}

// Of such tables, each marked with a part of the keys, the slots that were seen twice, one bit each: half the memory, and half the cache.
inline Mapped<std::uint64_t> slots_seen_twice(std::span<const Hashes> tables) {
    const auto every_other = [](std::uint64_t x) {
        x = x >> 1 & 0x5555555555555555ULL;
        x = (x | x >> 1) & 0x3333333333333333ULL;
        x = (x | x >> 2) & 0x0f0f0f0f0f0f0f0fULL;
        x = (x | x >> 4) & 0x00ff00ff00ff00ffULL;
        x = (x | x >> 8) & 0x0000ffff0000ffffULL;
        return (x | x >> 16) & 0x00000000ffffffffULL;
    };
    const auto together = [&](std::size_t at) {  // seen twice in one, or once in two
        std::uint64_t word = tables[0][at];
        for (const Hashes table : tables.subspan(1)) word |= table[at] | (word & table[at] & 0x5555555555555555ULL) << 1;
        return every_other(word);
    };
    Mapped<std::uint64_t> twice(tables[0].size() / 2);
    for (std::size_t i = 0; i < twice.size(); ++i) twice[i] = together(2 * i) | together(2 * i + 1) << 32;
    return twice;
}

// Grams of `size` tokens that begin at the first `count` tokens, which `size` - 1 others follow; the same as for_each_gram makes of them.
// A gram is made of two of half its length, so that many are made at a time in few steps. `keys` and `spare` have room for all tokens.
DEDUP_CLONES inline std::uint64_t* grams_at_once(const std::uint32_t* DEDUP_RESTRICT token, std::size_t count, std::size_t size,
                                                 std::uint64_t* DEDUP_RESTRICT keys, std::uint64_t* DEDUP_RESTRICT spare) {
    std::size_t left = count + size - 1, length = 1;
    std::uint64_t power = kGramBase;  // to the length
    for (std::size_t i = 0; i < left; ++i) keys[i] = token[i];
    for (int bit = static_cast<int>(std::bit_width(size)) - 2; bit >= 0; --bit) {
        left -= length;
        for (std::size_t i = 0; i < left; ++i) spare[i] = keys[i] * power + keys[i + length];
        std::swap(keys, spare);
        length *= 2, power *= power;
        if (!(size >> bit & 1)) continue;
        --left;
        for (std::size_t i = 0; i < left; ++i) keys[i] = keys[i] * kGramBase + token[i + length];
        ++length, power *= kGramBase;
    }
    for (std::size_t i = 0; i < count; ++i) keys[i] = fmix64(keys[i]);
    return keys;
}

// Calls use(gram, i) for every gram of every page that a slice has, late.
template <int kSlotBits, class Use>
void for_each_gram_ahead(TokenHalves token, Offsets page_first, std::int64_t size, Hashes table, Slice slice, Use use) {
    constexpr std::int64_t kAtOnce = 512, kMost = 64;  // grams; tokens of one that is made so
    Ahead<kSlotBits, Use> ahead(table, slice, use);
    std::array<std::uint64_t, kAtOnce + kMost> room, spare;
    for (std::size_t p = 0; p + 1 < page_first.size(); ++p) {
        const std::int64_t end = page_first[p + 1] - size + 1;
        if (size > kMost) for_each_gram(token.data(), page_first[p], page_first[p + 1], size,
                                        [&](std::int64_t i, std::uint64_t gram) { ahead(gram, i); });
        else for (std::int64_t begin = page_first[p]; begin < end; begin += kAtOnce) {
            const std::int64_t count = std::min(kAtOnce, end - begin);
            const std::uint64_t* const gram = grams_at_once(token.data() + begin, static_cast<std::size_t>(count),
                                                            static_cast<std::size_t>(size), room.data(), spare.data());
            for (std::int64_t i = 0; i < count; ++i) ahead(gram[i], begin + i);
        }
    }
    ahead.finish();
}

inline void mark_grams(TokenHalves token, Offsets page_first, std::int64_t size, std::span<std::uint64_t> table,
                       std::uint64_t number, std::uint64_t slices, bool is_shared) {
    const Slice slice(number, slices, 32 * table.size());
    for_each_gram_ahead<5>(token, page_first, size, table, slice,
                           [&](std::span<const Row> rows) { mark_slots(table, rows, is_shared); });
}

// Partition of a hash, by its upper bits.
inline std::size_t partition_of(std::uint64_t hash, std::uint64_t partitions) {
    return static_cast<std::size_t>(((hash >> 32) * partitions) >> 32);
}

// Rows ordered by partition: (key, value, first row of each partition).
using Partitioned = std::tuple<Mapped<std::uint64_t>, Mapped<std::uint32_t>, Mapped<std::int64_t>>;

// The rows whose slot is set, ordered by partition.
class SetRows {
public:
    SetRows(Hashes bits, std::int64_t before, std::int64_t partitions)
        : bits_(bits), before_(static_cast<std::uint64_t>(before)), partitions_(static_cast<std::uint64_t>(partitions)),
          first_(static_cast<std::size_t>(partitions) + 1, 0) {}

    // Puts some more, a few at a time; `before` is added to their values. Nobody can tell beforehand which ones are set: no branch.
    void put(std::span<const Row> rows) {
        if (count_ + rows.size() > rows_.size()) rows_.resize(std::max(count_ + rows.size(), 2 * rows_.size()));  // touched when written
        for (const Row& row : rows) {
            rows_[count_] = {row.key, row.value + before_};
            const std::size_t set = bits_[row.key >> 6 & (bits_.size() - 1)] >> (row.key & 63) & 1;
            first_[partition_of(row.key, partitions_) + 1] += static_cast<std::int64_t>(set);
            count_ += set;
        }
    }

    void reserve(std::size_t rows) { rows_.resize(rows); }

    Partitioned ordered() {
        for (std::size_t p = 1; p < first_.size(); ++p) first_[p] += first_[p - 1];
        Mapped<std::int64_t> next(first_.begin(), first_.end() - 1);
        Mapped<std::uint64_t> keys(count_);
        Mapped<std::uint32_t> values(count_);
        for (std::size_t i = 0; i < count_; ++i) {
            const auto to = static_cast<std::size_t>(next[partition_of(rows_[i].key, partitions_)]++);
            keys[to] = rows_[i].key;
            values[to] = static_cast<std::uint32_t>(rows_[i].value);
        }
        return {std::move(keys), std::move(values), std::move(first_)};
    }

private:
    Hashes bits_;
    std::uint64_t before_, partitions_;
    Mapped<Row> rows_;
    Mapped<std::int64_t> first_;
    std::size_t count_ = 0;
};

// Grams whose slot was seen twice, with the number of their first token, ordered by partition.
inline Partitioned repeated_grams(TokenHalves token, Offsets page_first, std::int64_t size, Hashes twice, std::int64_t before,
                                  std::int64_t partitions, std::uint64_t number, std::uint64_t slices) {
    const Slice slice(number, slices, 64 * twice.size());
    SetRows found(twice, before, partitions);
    found.reserve(token.size() / 2 + 256);
    for_each_gram_ahead<6>(token, page_first, size, twice, slice, [&](std::span<const Row> rows) { found.put(rows); });
    return found.ordered();
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
    for (std::size_t i = 0; i < rows; ++i) {  // nobody can tell which grams are new: nothing branches on that
        if (i + kAhead < rows) DEDUP_PREFETCH(table.data() + (gram[i + kAhead] & (slots - 1)));
        std::size_t slot = gram[i] & (slots - 1);
        while (table[slot] != kNone && gram[table[slot]] != gram[i]) slot = (slot + 1) & (slots - 1);
        const std::uint32_t there = table[slot], own = there == kNone ? static_cast<std::uint32_t>(i) : there;
        table[slot] = first[i] = own;
        const std::uint8_t again = own != i, before = several[own];
        kept += again + (again & (before ^ 1U));
        several[own] = before | again;
    }
    Mapped<std::uint64_t> out(kept + 1);
    for (std::size_t i = 0, at = 0; i < rows; ++i) {
        out[at] = std::uint64_t{position[i]} << 32 | position[first[i]];
        at += several[first[i]];
    }
    out.resize(kept);
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
