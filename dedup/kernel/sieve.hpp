// Which keys chunks of postings surely do not hold, without a look at them; twin_sieve.py says the same plainly.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <span>

#include "memory.hpp"
#include "postings.hpp"

namespace dedup {

inline constexpr std::size_t kMostSieveWords = 64;  // of a chunk

// The bit of a key among those of a chunk: 64 a word, the words a power of two.
inline std::size_t sieve_bit(std::uint64_t key, std::size_t words) {
    return static_cast<std::size_t>(key * 0x9E3779B97F4A7C15U >> (58 - std::countr_zero(words)));
}

// Notes of some chunks which keys they do not hold: in `absent`, so many words a chunk, the bits of those that none of its keys has.
inline void note_absent(std::span<const Bytes> chunks, Offsets row, std::span<std::uint64_t> absent, std::size_t words) {
    for (std::size_t i = 0; i < chunks.size(); ++i) {
        const Chunk chunk(chunks[i]);
        std::array<std::uint64_t, kMostSieveWords> held{};
        for (std::size_t nth = 0; nth < chunk.rows(); ++nth) {
            const std::size_t bit = sieve_bit(chunk.key(nth), words);
            held[bit / 64] |= std::uint64_t{1} << bit % 64;
        }
        std::transform(held.begin(), held.begin() + static_cast<std::ptrdiff_t>(words),
                       absent.begin() + row[i] * static_cast<std::ptrdiff_t>(words), [](std::uint64_t own) { return ~own; });
    }
}

// Which chunks may hold a key, 0 or 1: all that nothing was noted of, and those of which a key has its bit.
inline Mapped<std::uint8_t> may_hold(std::span<const std::uint64_t> absent, std::size_t words, Offsets row, Hashes key) {
    Mapped<std::uint8_t> may(key.size());
    const auto word = [&](std::size_t i) { return static_cast<std::size_t>(row[i]) * words + sieve_bit(key[i], words) / 64; };
    for (std::size_t i = 0; i < key.size(); ++i) DEDUP_PREFETCH(absent.data() + word(i));
    for (std::size_t i = 0; i < key.size(); ++i) may[i] = ~absent[word(i)] >> sieve_bit(key[i], words) % 64 & 1;
    return may;
}

}  // namespace dedup
