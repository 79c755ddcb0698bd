// Seeds of a few pages on two sides, and the anchors they give, in one go: what seeding.hpp, copies.hpp and anchors.hpp do one after the
// other for all pages of a collection. twin_align.py says it with those.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "anchors.hpp"
#include "copies.hpp"
#include "marks.hpp"
#include "memory.hpp"
#include "seeding.hpp"

namespace dedup {

// Places of the keys of grams that stand on pages before and from `border` on, in `cap` places at most: (position, first of each
// class). What `mark_seeds`, `repeated_seeds` and `seed_classes` find, without what stands on one side only. The keys of the side with
// less text are put down, and of the other side those alone that may be among them.
inline std::tuple<Mapped<std::uint32_t>, Mapped<std::int64_t>> sided_seeds(const SeedText& text, std::int64_t border, std::int64_t cap) {
    const std::int64_t middle = text.page_first[static_cast<std::size_t>(border)], end = text.page_first.back();
    const bool few_before = middle <= end - middle;
    const auto for_each_of = [&](bool before, auto use) {
        const std::size_t from = before ? 0 : static_cast<std::size_t>(border);
        const std::size_t to = before ? static_cast<std::size_t>(border) : text.page_first.size() - 1;
        for (std::size_t p = from; p < to; ++p) for_each_gram_key(text, text.page_first[p], text.page_first[p + 1], use);
    };
    Mapped<std::uint64_t> few, key;
    Mapped<std::uint32_t> at_few, at;
    for_each_of(few_before, [&](std::uint64_t gram, std::int64_t place) {
        few.push_back(gram);
        at_few.push_back(static_cast<std::uint32_t>(place));
    });
    const std::size_t words = std::bit_ceil(few.size() / 4 + 1);  // 16 slots a key: of those that are not there few seem to be
    std::vector<std::uint64_t> known(words, 0), met(words, 0);
    const auto slot = [&](std::uint64_t gram) { return std::pair(gram >> 6 & (words - 1), gram & 63); };
    for (const std::uint64_t gram : few) {
        const auto [word, bit] = slot(gram);
        known[word] |= std::uint64_t{1} << bit;
    }
    for_each_of(!few_before, [&](std::uint64_t gram, std::int64_t place) {
        const auto [word, bit] = slot(gram);
        if (!(known[word] >> bit & 1)) return;
        met[word] |= std::uint64_t{1} << bit;
        key.push_back(gram);
        at.push_back(static_cast<std::uint32_t>(place));
    });
    for (std::size_t i = 0; i < few.size(); ++i) {
        const auto [word, bit] = slot(few[i]);
        if (!(met[word] >> bit & 1)) continue;
        key.push_back(few[i]);
        at.push_back(at_few[i]);
    }
    Mapped<std::uint32_t> out;
    Mapped<std::int64_t> first{0};
    for_each_class(key, at, [&](std::span<const Row> rows) {
        if (static_cast<std::int64_t>(rows.front().value) >= middle || static_cast<std::int64_t>(rows.back().value) < middle ||
            static_cast<std::int64_t>(rows.size()) > cap)
            return;
        for (const Row& row : rows) out.push_back(static_cast<std::uint32_t>(row.value));
        first.push_back(static_cast<std::int64_t>(out.size()));
    });
    return {std::move(out), std::move(first)};
}

// What counts, where pages on two sides are looked at.
struct Sides {
    std::int64_t border, cap;                // first page of the second side; places of a seed at most
    int bits, once;                          // of item_rarities
    double stop_least, stop_share;
    std::int64_t before, after, shift, least;  // of class_anchors
    std::int64_t budget;                     // pairs of places
};

// Ranges of the first copies of exact matches of two pages, so near to their ends that what stands around a seed is other text: (start,
// end, from there to the other copy).
inline std::tuple<std::vector<std::uint32_t>, std::vector<std::uint32_t>, std::vector<std::int64_t>> match_edges(
    Offsets page_first, Offsets a, Offsets b, Offsets length, std::int64_t before, std::int64_t after) {
    const PageIndex page_of(page_first);
    std::tuple<std::vector<std::uint32_t>, std::vector<std::uint32_t>, std::vector<std::int64_t>> out;
    auto& [start, end, shift] = out;
    const auto put = [&](std::int64_t from, std::int64_t to, std::size_t match) {
        start.push_back(static_cast<std::uint32_t>(from));
        end.push_back(static_cast<std::uint32_t>(std::max(from, to)));
        shift.push_back(b[match] - a[match]);
    };
    for (std::size_t i = 0; i < a.size(); ++i) {
        const std::int64_t seeds = length[i] - kGramItems + 1;
        if (seeds < 1 || page_of(a[i]) == page_of(b[i])) continue;
        const std::int64_t head = a[i] + std::min(seeds, before);
        put(a[i], head, i);
        put(std::max(a[i] + length[i] - after, head), a[i] + seeds, i);
    }
    return out;
}

// Anchors of the seeds of both sides, a before the border and b behind it: (a, b, places of the largest class, classes); none where all
// pairs of places would be more than the budget has.
inline std::tuple<Mapped<std::uint32_t>, Mapped<std::uint32_t>, std::int64_t, std::int64_t> sided_anchors(
    const SeedText& text, std::span<const std::uint32_t> quiet_start, std::span<const std::uint32_t> quiet_end, Offsets a, Offsets b,
    Offsets length, const Sides& of) {
    auto [position, first] = sided_seeds(text, of.border, of.cap);
    const auto classes = static_cast<std::int64_t>(first.size()) - 1;
    std::int64_t largest = 2;
    for (std::size_t c = 0; c + 1 < first.size(); ++c) largest = std::max(largest, first[c + 1] - first[c]);
    if (classes == 0 || classes * largest * largest > 2 * of.budget) return {{}, {}, largest, classes};
    if (const auto [start, end, shift] = match_edges(text.page_first, a, b, length, of.before, of.after); !start.empty()) {
        const auto [bucket_first, bucket_range] = range_buckets(start, end);
        std::tie(position, first) = with_copies(position, first, bucket_first, bucket_range, start, end, shift);
    }
    const auto rarity = item_rarities(text.items, quiet_start, quiet_end, of.bits, of.once, of.stop_least, of.stop_share);
    auto [found_a, found_b] = class_anchors(position, first, text.items, text.page_first, rarity, of.shift, of.before, of.after, of.least);
    const std::int64_t middle = text.page_first[static_cast<std::size_t>(of.border)];
    std::size_t kept = 0;
    for (std::size_t i = 0; i < found_a.size(); ++i) {
        if (found_a[i] >= middle || found_b[i] < middle) continue;
        found_a[kept] = found_a[i];
        found_b[kept++] = found_b[i];
    }
    found_a.resize(kept);
    found_b.resize(kept);
    return {std::move(found_a), std::move(found_b), largest, classes};
}

}  // namespace dedup
