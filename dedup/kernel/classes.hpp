// Classes of equal grams, and runs of these.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "arrays.hpp"
#include "grams.hpp"
#include "memory.hpp"

namespace dedup {

// Rows of a part of the collection, ordered by partition, as gram_rows gives them.
struct GramRows {
    Hashes gram;
    std::span<const std::uint32_t> at;
    Offsets first;
};

// Finds classes, one partition after the other. All that is looked at at random is as large as a partition, so that the nearer cache
// holds it where partitions are small.
class ClassFinder {
public:
    explicit ClassFinder(std::span<const GramRows> batches) : batches_(batches) {}

    // The rows of a partition whose gram stands more than once, in the order of the batches:
    // position * 2^32 + position of the first row of that gram, added to `members`.
    void add(std::size_t partition, Mapped<std::uint64_t>& members) {
        keep_shared(partition);
        const std::size_t rows = at_.size(), slots = std::bit_ceil(2 * rows + 1);
        slot_.assign(slots, kNone);
        leader_.resize(rows);
        several_.assign(rows, 0);
        std::size_t kept = 0;
        for (std::size_t i = 0; i < rows; ++i) {  // nobody can tell which grams are new: nothing branches on that
            std::size_t slot = gram_[i] >> kOtherBits & (slots - 1);
            while (slot_[slot] != kNone && gram_[slot_[slot]] != gram_[i]) slot = (slot + 1) & (slots - 1);
            const std::uint32_t there = slot_[slot], own = there == kNone ? static_cast<std::uint32_t>(i) : there;
            slot_[slot] = leader_[i] = own;
            const std::uint8_t again = own != i, before = several_[own];
            kept += again + (again & (before ^ 1U));
            several_[own] = before | again;
        }
        std::size_t to = members.size();
        members.resize(to + kept + 1);
        for (std::size_t i = 0; i < rows; ++i) {
            members[to] = std::uint64_t{at_[i]} << 32 | at_[leader_[i]];
            to += several_[leader_[i]];
        }
        members.resize(to);
    }

private:
    static constexpr std::uint32_t kNone = 0xffffffffU;
    static constexpr std::size_t kCells = 4;  // of a row, at least: few grams that stand once share one
    static constexpr int kOtherBits = 20;     // of a gram, for the other table: what the first one tells by says nothing to it

    // Takes the rows of a partition whose gram may stand twice: others are most.
    void keep_shared(std::size_t partition) {
        std::size_t rows = 0;
        for (const GramRows& batch : batches_) {
            rows += static_cast<std::size_t>(batch.first[partition + 1] - batch.first[partition]);
            relief_.place();
        }
        const std::size_t mask = std::bit_ceil(kCells * rows + 1) - 1;
        seen_.assign(mask + 1, 0);  // how often, in so many bits as are set
        for_each_row(partition, [&](std::uint64_t gram, std::uint32_t) {
            std::uint8_t& cell = seen_[gram & mask];
            cell = static_cast<std::uint8_t>(cell << 1 | 1);
        });
        gram_.resize(rows + 1);
        at_.resize(rows + 1);
        std::size_t count = 0;
        for_each_row(partition, [&](std::uint64_t gram, std::uint32_t at) {
            gram_[count] = gram;
            at_[count] = at;
            count += seen_[gram & mask] >> 1 & 1;
        });
        gram_.resize(count);
        at_.resize(count);
    }

    template <class Use>
    void for_each_row(std::size_t partition, Use use) const {
        for (const GramRows& batch : batches_) {
            const auto end = static_cast<std::size_t>(batch.first[partition + 1]);
            for (auto i = static_cast<std::size_t>(batch.first[partition]); i < end; ++i) use(batch.gram[i], batch.at[i]);
        }
    }

    std::span<const GramRows> batches_;
    Mapped<std::uint64_t> gram_;
    Mapped<std::uint32_t> at_, slot_, leader_;
    Mapped<std::uint8_t> seen_, several_;
    Relief relief_;
};

inline constexpr std::uint32_t kNoGram = 0xffffffffU;  // the leader of a token that begins no repeated gram

// The members of classes, by the range of tokens that they stand in, and the first one of each range.
using RangedClasses = std::tuple<Mapped<std::uint64_t>, Mapped<std::int64_t>>;

// Classes of the grams of some partitions. Ranges are 2^bits tokens long each.
inline RangedClasses gram_classes(std::span<const GramRows> batches, std::size_t begin, std::size_t end, int bits, std::size_t ranges) {
    ClassFinder finder(batches);
    Mapped<std::uint64_t> members;
    Mapped<std::size_t> cuts;  // where the members of each partition that stand in each range begin
    Mapped<std::int64_t> first(ranges + 1, 0);
    for (std::size_t p = begin; p < end; ++p) {
        std::size_t at = members.size();
        finder.add(p, members);
        for (std::size_t range = 0; range < ranges; ++range) {
            cuts.push_back(at);
            while (at < members.size() && members[at] >> 32 >> bits == range) ++at;
            first[range + 1] += static_cast<std::int64_t>(at - cuts.back());
        }
        if (at < members.size()) throw std::invalid_argument("position: they must ascend, and none stand behind the last range");
    }
    cuts.push_back(members.size());
    for (std::size_t range = 0; range < ranges; ++range) first[range + 1] += first[range];
    if (ranges == 1) return {std::move(members), std::move(first)};
    Mapped<std::uint64_t> ranged(members.size());
    auto to = ranged.begin();
    for (std::size_t range = 0; range < ranges; ++range)
        for (std::size_t cut = range; cut + 1 < cuts.size(); cut += ranges)
            to = std::copy(members.begin() + static_cast<std::ptrdiff_t>(cuts[cut]),
                           members.begin() + static_cast<std::ptrdiff_t>(cuts[cut + 1]), to);
    return {std::move(ranged), std::move(first)};
}

// Repeated grams one after the other whose classes' first members stand one after the other, too.
using GramRuns = std::tuple<Mapped<std::uint32_t>, Mapped<std::uint32_t>, Mapped<std::uint32_t>>;  // position, leader, length

// Runs of repeated grams that begin at tokens of a range, of which it is known where the first one of each one's class stands.
inline GramRuns runs_of_leaders(std::span<const std::uint32_t> leader, std::uint64_t begin) {
    GramRuns runs;
    auto& [position, leaders, length] = runs;
    const std::size_t tokens = leader.size();
    for (std::size_t start = 0, stop; start < tokens; start = stop) {
        stop = start + 1;
        if (leader[start] == kNoGram) continue;
        while (stop < tokens && leader[stop] != kNoGram && leader[stop] == leader[stop - 1] + 1) ++stop;
        position.push_back(static_cast<std::uint32_t>(begin + start));
        leaders.push_back(leader[start]);
        length.push_back(static_cast<std::uint32_t>(stop - start));
    }
    return runs;
}

// Runs of the grams of a range of tokens, ascending, as long as they can be there. Members of classes beyond it are left out.
inline GramRuns class_runs(std::span<const std::span<const std::uint64_t>> parts, std::uint64_t begin, std::uint64_t end) {
    Scratch<std::uint32_t, 9> scratch;
    Mapped<std::uint32_t>& leader = scratch.values();  // of each token that begins a repeated gram
    leader.assign(static_cast<std::size_t>(end - begin), kNoGram);
    Relief relief;
    for (const auto part : parts) {
        relief.place();
        for (const std::uint64_t row : part) {
            const std::uint64_t at = (row >> 32) - begin;
            if (at < leader.size()) leader[static_cast<std::size_t>(at)] = static_cast<std::uint32_t>(row);
        }
    }
    return runs_of_leaders(leader, begin);
}

// Runs of the repeated grams of few tokens, all of them one partition that is put down as it comes.
inline GramRuns gram_runs(TokenHalves token, Offsets page_first, std::int64_t size) {
    Mapped<std::uint64_t> gram(token.size()), members;
    Mapped<std::uint32_t> at(token.size());
    std::size_t rows = 0;
    for_some_grams(token, page_first, size, [&](std::int64_t begin, Hashes grams) {
        std::copy(grams.begin(), grams.end(), gram.begin() + static_cast<std::ptrdiff_t>(rows));
        for (std::size_t i = 0; i < grams.size(); ++i) at[rows + i] = static_cast<std::uint32_t>(begin) + static_cast<std::uint32_t>(i);
        rows += grams.size();
    });
    const std::int64_t first[] = {0, static_cast<std::int64_t>(rows)};
    const GramRows batch{std::span(gram).first(rows), std::span(at).first(rows), first};
    ClassFinder({&batch, 1}).add(0, members);
    Mapped<std::uint32_t> leader(token.size(), kNoGram);
    for (const std::uint64_t row : members) leader[static_cast<std::size_t>(row >> 32)] = static_cast<std::uint32_t>(row);
    return runs_of_leaders(leader, 0);
}

}  // namespace dedup
