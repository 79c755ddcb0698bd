// Grams, and where each stands, put down by partitions so that equal ones meet.
//
// Tokens are numbered through the whole collection, page after page; a gram is named by its first token.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <tuple>
#include <utility>

#include "arrays.hpp"
#include "clones.hpp"
#include "sets.hpp"
#include "token_words.hpp"

#if defined(__x86_64__) || defined(_M_X64)
#define DEDUP_STREAMS 1
#include <emmintrin.h>
#endif

namespace dedup {

using TokenHalves = std::span<const std::uint32_t>;  // half of each token's hash

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

// Calls use(first, grams) for the grams of every page, some of them at a time.
template <class Use>
void for_some_grams(TokenHalves token, Offsets page_first, std::int64_t size, Use use) {
    constexpr std::int64_t kAtOnce = 512, kMost = 64;  // grams; tokens of one that is made so
    std::array<std::uint64_t, kAtOnce + kMost> room, spare;
    for (std::size_t p = 0; p + 1 < page_first.size(); ++p) {
        const std::int64_t end = page_first[p + 1] - size + 1;
        std::size_t made = 0;
        if (size > kMost) for_each_gram(token.data(), page_first[p], page_first[p + 1], size, [&](std::int64_t i, std::uint64_t gram) {
            room[made++] = gram;
            if (made < kAtOnce && i + 1 < end) return;
            use(i + 1 - static_cast<std::int64_t>(made), Hashes(room.data(), made));
            made = 0;
        });
        else for (std::int64_t begin = page_first[p]; begin < end; begin += kAtOnce) {
            const auto count = static_cast<std::size_t>(std::min(kAtOnce, end - begin));
            use(begin, Hashes(grams_at_once(token.data() + begin, count, static_cast<std::size_t>(size), room.data(), spare.data()),
                              count));
        }
    }
}

// The partition of each gram, by its upper bits, counted from `begin`; and whether it is before `end`.
DEDUP_CLONES inline void partitions_of(const std::uint64_t* DEDUP_RESTRICT gram, std::size_t count, std::uint64_t partitions,
                                       std::uint64_t begin, std::uint64_t end, std::uint32_t* DEDUP_RESTRICT partition,
                                       std::uint8_t* DEDUP_RESTRICT is_own) {
    const auto own = static_cast<std::uint32_t>(end - begin);
    for (std::size_t i = 0; i < count; ++i)
        partition[i] = static_cast<std::uint32_t>(((gram[i] >> 32) * partitions >> 32) - begin);
    for (std::size_t i = 0; i < count; ++i) is_own[i] = partition[i] < own;
}

// Sixty-four bytes that are 0 or 1 as bits.
inline std::uint64_t as_bits(const std::uint8_t* flags) {
    std::uint64_t bits = 0;
    for (int i = 0; i < 8; ++i) bits |= (load_word(flags + 8 * i) * 0x0102040810204080ULL >> 56) << (8 * i);
    return bits;
}

// A gram, where it stands, and its partition.
struct GramRow {
    std::uint64_t gram;
    std::uint32_t at, partition;
};

// Puts rows where they belong, some of one partition at a time, and past the caches: nobody reads them soon, and the memory that they are
// written to does not come in before. Row by row, each would wait for a line of the many that are written to.
class RowStreams {
public:
    // `first` says where the rows of each partition begin.
    RowStreams(Offsets first, std::uint64_t* gram, std::uint32_t* at)
        : first_(first), next_(first.begin(), first.end()), waiting_(first.size() - 1), gram_(gram), at_(at) {}

    void put(std::span<const GramRow> rows) {
        std::uint64_t* const next = next_.data();
        Waiting* const waiting = waiting_.data();
        for (const GramRow& row : rows) {
            const std::uint64_t to = next[row.partition]++, place = to % kTogether;
            Waiting& there = waiting[row.partition];
            there.gram[place] = row.gram;
            there.at[place] = row.at;
            if (place == kTogether - 1) write(row.partition, to + 1);
        }
        for (std::size_t p = 0; p < waiting_.size(); ++p)
            if (next[p] % kTogether) write(p, next[p]);
#ifdef DEDUP_STREAMS
        _mm_sfence();
#endif
    }

private:
    static constexpr std::uint64_t kTogether = 16;  // rows, the first one at a multiple of it: whole lines, if all are of one partition
    struct Waiting {
        std::array<std::uint64_t, kTogether> gram;
        std::array<std::uint32_t, kTogether> at;
    };

    void write(std::size_t partition, std::uint64_t end) {
        const std::uint64_t line = (end - 1) / kTogether * kTogether;
        const std::uint64_t begin = std::max(line, static_cast<std::uint64_t>(first_[partition])), count = end - begin;
        const Waiting& rows = waiting_[partition];
        if (count == kTogether) {
            copy_line(gram_ + begin, rows.gram);
            copy_line(at_ + begin, rows.at);
        } else {
            std::copy_n(rows.gram.data() + (begin - line), count, gram_ + begin);
            std::copy_n(rows.at.data() + (begin - line), count, at_ + begin);
        }
    }

    template <class T>
    static void copy_line(T* to, const std::array<T, kTogether>& from) {
#ifdef DEDUP_STREAMS
        if (reinterpret_cast<std::uintptr_t>(to) % sizeof(__m128i) == 0) {
            const auto* const words = reinterpret_cast<const __m128i*>(from.data());
            for (std::size_t i = 0; i < sizeof(from) / sizeof(__m128i); ++i)
                _mm_stream_si128(reinterpret_cast<__m128i*>(to) + i, _mm_loadu_si128(words + i));
            return;
        }
#endif
        std::copy(from.begin(), from.end(), to);
    }

    Offsets first_;
    Mapped<std::uint64_t> next_;
    Mapped<Waiting> waiting_;
    std::uint64_t* gram_;
    std::uint32_t* at_;
};

// Rows ordered by partition: (gram, where it stands, first row of each partition).
using GramColumns = std::tuple<Mapped<std::uint64_t>, Mapped<std::uint32_t>, Mapped<std::int64_t>>;

// The grams of some partitions: gathered as they come, then put in order.
class GramsOfPartitions {
public:
    GramsOfPartitions(std::size_t tokens, std::uint64_t partitions, std::uint64_t begin, std::uint64_t end)
        : partitions_(partitions), begin_(begin), end_(end), first_(end - begin + 1, 0) {
        rows_.resize(static_cast<std::size_t>(static_cast<double>(tokens) * (static_cast<double>(end - begin) / static_cast<double>(partitions))) + kAtOnce);
    }

    // At most `kAtOnce` that follow each other, the first one at a token.
    void put(std::uint32_t token, Hashes grams) {
        if (count_ + grams.size() > rows_.size()) rows_.resize(std::max(count_ + grams.size(), rows_.size() + rows_.size() / 4));
        partitions_of(grams.data(), grams.size(), partitions_, begin_, end_, partition_.data(), is_own_.data());
        std::fill_n(is_own_.data() + grams.size(), kBits, std::uint8_t{0});
        GramRow* to = rows_.data() + count_;
        std::int64_t* const counts = first_.data() + 1;
        for (std::size_t at = 0; at < grams.size(); at += kBits)
            for (std::uint64_t left = as_bits(is_own_.data() + at); left; left &= left - 1) {
                const std::size_t i = at + static_cast<std::size_t>(std::countr_zero(left));
                *to++ = {grams[i], token + static_cast<std::uint32_t>(i), partition_[i]};
                ++counts[partition_[i]];
            }
        count_ = static_cast<std::size_t>(to - rows_.data());
    }

    GramColumns ordered() {
        for (std::size_t p = 1; p < first_.size(); ++p) first_[p] += first_[p - 1];
        Mapped<std::uint64_t> gram(count_);
        Mapped<std::uint32_t> at(count_);
        RowStreams(first_, gram.data(), at.data()).put(std::span(rows_).first(count_));
        return {std::move(gram), std::move(at), std::move(first_)};
    }

private:
    static constexpr std::size_t kAtOnce = 512, kBits = 64;

    std::uint64_t partitions_, begin_, end_;
    Mapped<std::int64_t> first_;
    Mapped<GramRow> rows_;
    std::size_t count_ = 0;
    std::array<std::uint32_t, kAtOnce> partition_;
    std::array<std::uint8_t, kAtOnce + kBits> is_own_;
};

// The grams of `size` tokens of some of the partitions, with the numbers of their first tokens, ordered by partition.
inline GramColumns gram_rows(TokenHalves token, Offsets page_first, std::int64_t size, std::int64_t before, std::uint64_t partitions,
                             std::uint64_t begin, std::uint64_t end) {
    GramsOfPartitions found(token.size(), partitions, begin, end);
    for_some_grams(token, page_first, size, [&](std::int64_t first, Hashes grams) {
        found.put(static_cast<std::uint32_t>(before + first), grams);
    });
    return found.ordered();
}

}  // namespace dedup
