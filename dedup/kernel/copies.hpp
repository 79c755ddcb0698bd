// Copies of places: which ranges of tokens hold each, and where it stands in the other copy of them. twin_copies.py says the
// same plainly.
#pragma once

#include <algorithm>
#include <cstdint>
#include <tuple>

#include "grams.hpp"
#include "memory.hpp"

namespace dedup {

using TokenNumbers = std::span<const std::uint32_t>;

inline constexpr int kBucketBits = 6;  // of the tokens of a bucket

// Ranges that begin in or reach into each 64 tokens: (first of each bucket, ranges).
inline std::tuple<Mapped<std::int64_t>, Mapped<std::uint32_t>> range_buckets(TokenNumbers start, TokenNumbers end) {
    std::size_t buckets = 0;
    for (std::size_t r = 0; r < start.size(); ++r)
        if (start[r] < end[r]) buckets = std::max(buckets, static_cast<std::size_t>((end[r] - 1) >> kBucketBits) + 1);
    const auto for_each = [&](auto use) {
        for (std::size_t r = 0; r < start.size(); ++r) {
            if (start[r] >= end[r]) continue;
            for (std::size_t b = start[r] >> kBucketBits; b <= (end[r] - 1) >> kBucketBits; ++b) use(b, r);
        }
    };
    Mapped<std::int64_t> first(buckets + 1, 0);
    for_each([&](std::size_t b, std::size_t) { ++first[b + 1]; });
    for (std::size_t b = 0; b < buckets; ++b) first[b + 1] += first[b];
    Mapped<std::int64_t> next(first.begin(), first.end() - 1);
    Mapped<std::uint32_t> range(static_cast<std::size_t>(first.back()));
    for_each([&](std::size_t b, std::size_t r) {
        range[static_cast<std::size_t>(next[b]++)] = static_cast<std::uint32_t>(r);
    });
    return {std::move(first), std::move(range)};
}

// Places of classes with their copies in the ranges that hold them, ascending in each class: (position, first of each class).
inline std::tuple<Mapped<std::uint32_t>, Mapped<std::int64_t>> with_copies(
    TokenNumbers position, Offsets first, Offsets bucket_first, TokenNumbers bucket_range, TokenNumbers start, TokenNumbers end,
    Offsets shift) {
    constexpr std::size_t kAhead = 16;
    Relief relief;
    const std::size_t buckets = bucket_first.size() - 1;
    Mapped<std::uint32_t> out;
    out.reserve(position.size() + position.size() / 4);
    Mapped<std::int64_t> out_first;
    out_first.reserve(first.size());
    out_first.push_back(0);
    for (std::size_t c = 0; c + 1 < first.size(); ++c) {
        const auto begin = static_cast<std::size_t>(first[c]), count = static_cast<std::size_t>(first[c + 1]) - begin;
        const TokenNumbers own = position.subspan(begin, count);
        const std::size_t before = out.size();
        out.insert(out.end(), own.begin(), own.end());
        for (std::size_t i = 0; i < own.size(); ++i) {
            relief.place();
            const std::size_t bucket = own[i] >> kBucketBits, ahead = begin + i + kAhead;
            if (ahead < position.size() && position[ahead] >> kBucketBits < buckets)
                DEDUP_PREFETCH(bucket_first.data() + (position[ahead] >> kBucketBits));
            if (bucket >= buckets) continue;
            for (std::int64_t k = bucket_first[bucket]; k < bucket_first[bucket + 1]; ++k) {
                const std::size_t r = bucket_range[static_cast<std::size_t>(k)];
                if (start[r] <= own[i] && own[i] < end[r]) out.push_back(static_cast<std::uint32_t>(own[i] + shift[r]));
            }
        }
        if (out.size() - before > own.size()) {
            const auto grown = out.begin() + static_cast<std::ptrdiff_t>(before);
            std::sort(grown, out.end());
            out.erase(std::unique(grown, out.end()), out.end());
        }
        out_first.push_back(static_cast<std::int64_t>(out.size()));
    }
    return {std::move(out), std::move(out_first)};
}

// 1 for each token from begin to end that lies in one of the ranges, which are apart and ascend.
inline Mapped<std::uint8_t> mark_ranges(TokenNumbers start, TokenNumbers stop, std::int64_t begin, std::int64_t end) {
    Mapped<std::uint8_t> out(static_cast<std::size_t>(end - begin), 0);
    auto r = static_cast<std::size_t>(std::upper_bound(stop.begin(), stop.end(), begin) - stop.begin());
    for (; r < start.size() && start[r] < end; ++r) {
        const std::int64_t from = std::max<std::int64_t>(start[r], begin), to = std::min<std::int64_t>(stop[r], end);
        std::fill(out.begin() + (from - begin), out.begin() + (to - begin), std::uint8_t{1});
    }
    return out;
}

}  // namespace dedup
