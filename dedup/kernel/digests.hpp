// Digests of bytes: 128 bits that tell texts apart; against nobody who means to make two alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

#include "clones.hpp"
#include "hash.hpp"

namespace dedup {

constexpr std::uint64_t kPlace = 0x9e3779b97f4a7c15ULL;  // what a word's place adds to it

// Of words of eight bytes, the last one filled with zeros: mixed with their places and added, once as they are and once as the
// product of their halves.
DEDUP_CLONES inline std::pair<std::uint64_t, std::uint64_t> byte_digest(const std::uint8_t* bytes, std::size_t size) {
    const std::size_t words = size / 8;
    std::uint64_t sum = 0, products = 0, place = 0;
    for (std::size_t i = 0; i < words; ++i) {
        std::uint64_t word;
        std::memcpy(&word, bytes + 8 * i, 8);
        place += kPlace;
        const std::uint64_t mixed = fmix64(word + place);
        sum += mixed;
        products += (mixed >> 32) * (mixed & 0xffffffffU);
    }
    if (size % 8) {
        std::uint64_t word = 0;
        for (std::size_t b = size % 8; b-- > 0;) word = word << 8 | bytes[8 * words + b];
        const std::uint64_t mixed = fmix64(word + place + kPlace);
        sum += mixed;
        products += (mixed >> 32) * (mixed & 0xffffffffU);
    }
    return {fmix64(sum + size), fmix64(products ^ (size * kPlace))};
}

}  // namespace dedup
