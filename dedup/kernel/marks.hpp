// Keys of a collection that stand twice or more: told by a table of two bits a slot before any of them is stored; then classes of them.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <tuple>
#include <utility>

#include "arrays.hpp"
#include "clones.hpp"
#include "sets.hpp"
#include "token_words.hpp"

namespace dedup {

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

}  // namespace dedup
