// Eight bytes of text in a word, and their folding.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "utf8.hpp"

namespace dedup {

// Eight bytes, the first one lowest on any machine.
DEDUP_INLINE std::uint64_t little_endian(std::uint64_t word) {
    if constexpr (std::endian::native == std::endian::big) {
        std::uint64_t swapped = 0;
        for (int i = 0; i < 8; ++i) swapped |= (word >> (8 * i) & 0xFF) << (56 - 8 * i);
        return swapped;
    }
    return word;
}

DEDUP_INLINE std::uint64_t load_word(const std::uint8_t* p, std::size_t size = 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, p, size);
    return little_endian(word);
}

DEDUP_INLINE void store_word(std::uint8_t* p, std::uint64_t word) {
    word = little_endian(word);
    std::memcpy(p, &word, 8);
}

// Eight bytes of a token folded: ASCII letters and, where asked for, digits; contents that are folded stay as they are.
DEDUP_INLINE std::uint64_t fold_ascii(std::uint64_t word, bool digits) {
    constexpr std::uint64_t kOnes = 0x0101010101010101;
    if (digits) word &= ~((word >> 4 & ~(word >> 6) & ~(word >> 7) & kOnes) * 0x0F);  // 0x30-0x39: bit 4 without 6 and 7
    return word | (word & ~(word >> 1) & kOnes * 0x40) >> 1;                          // letters: bit 6 without 7
}

}  // namespace dedup
