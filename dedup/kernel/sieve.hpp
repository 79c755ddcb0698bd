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

// The bits of a key among those of a chunk: three in one line of memory (Putze, Sanders, Singler, WEA 2007), which has eight words where there
// are as many. The words of a chunk are a power of two.
class SieveBits {
   public:
    SieveBits(std::uint64_t key, std::size_t words) : mixed_(key * 0x9E3779B97F4A7C15U) {
        const std::size_t size = std::min<std::size_t>(words, 8);
        mask_ = 64 * size - 1;
        first_ = words > size ? static_cast<std::size_t>(mixed_ >> (64 - std::countr_zero(words / size))) * size : 0;
    }

    // The word in which the line begins.
    std::size_t first() const { return first_; }

    // Calls use(word, bit) for each.
    template <class Use>
    void each(Use use) const {
        for (const int shift : {52, 43, 34}) {
            const auto at = static_cast<std::size_t>(mixed_ >> shift) & mask_;
            use(first_ + at / 64, at % 64);
        }
    }

   private:
    std::uint64_t mixed_;
    std::size_t mask_, first_;
};

// Notes of some chunks which keys they do not hold: in `absent`, so many words a chunk, the bits of those that none of its keys has.
inline void note_absent(std::span<const Bytes> chunks, Offsets row, std::span<std::uint64_t> absent, std::size_t words) {
    for (std::size_t i = 0; i < chunks.size(); ++i) {
        const Chunk chunk(chunks[i]);
        std::array<std::uint64_t, kMostSieveWords> held{};
        for (std::size_t nth = 0; nth < chunk.rows(); ++nth)
            SieveBits(chunk.key(nth), words).each([&](std::size_t word, std::size_t bit) { held[word] |= std::uint64_t{1} << bit; });
        std::transform(held.begin(), held.begin() + static_cast<std::ptrdiff_t>(words),
                       absent.begin() + row[i] * static_cast<std::ptrdiff_t>(words), [](std::uint64_t own) { return ~own; });
    }
}

// Which chunks may hold a key, 0 or 1: all that nothing was noted of, and those of which keys have all of its bits.
inline Mapped<std::uint8_t> may_hold(std::span<const std::uint64_t> absent, std::size_t words, Offsets row, Hashes key) {
    Mapped<std::uint8_t> may(key.size());
    const auto own = [&](std::size_t i) { return absent.data() + static_cast<std::size_t>(row[i]) * words; };
    for (std::size_t i = 0; i < key.size(); ++i) DEDUP_PREFETCH(own(i) + SieveBits(key[i], words).first());
    for (std::size_t i = 0; i < key.size(); ++i) {
        std::uint64_t missing = 0;
        SieveBits(key[i], words).each([&](std::size_t word, std::size_t bit) { missing |= own(i)[word] >> bit; });
        may[i] = ~missing & 1;
    }
    return may;
}

}  // namespace dedup
