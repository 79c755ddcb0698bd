// What all hashes of the kernel are made of.
#pragma once

#include <cstdint>

namespace dedup {

inline constexpr std::uint64_t kMixFirst = 0xff51afd7ed558ccdULL, kMixSecond = 0xc4ceb9fe1a85ec53ULL;

inline std::uint64_t fmix64(std::uint64_t x) {  // murmur3's final mixer: bijective, full avalanche
    x ^= x >> 33;
    x *= kMixFirst;
    x ^= x >> 33;
    x *= kMixSecond;
    x ^= x >> 33;
    return x;
}

inline constexpr std::uint64_t kGramBase = 0x9e3779b97f4a7c15ULL;  // odd: base of the rolling polynomial

}  // namespace dedup
