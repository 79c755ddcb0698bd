// Text as bit masks, 64 bytes at a time: what may be part of an ASCII word, what joins, what needs the tables.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#include "arrays.hpp"
#include "clones.hpp"
#include "memory.hpp"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace dedup {

struct Masks {
    std::uint64_t word;    // ASCII letters and digits
    std::uint64_t joiner;  // ' and .
    std::uint64_t other;   // bytes >= 0x80
};

inline bool is_ascii_word(std::uint32_t byte) { return (byte | 0x20u) - 'a' < 26u || byte - '0' < 10u; }

inline bool may_be_word(std::uint32_t byte) { return byte >= 0x80 || is_ascii_word(byte); }

// The number of the lowest, of the highest bit of a mask that is not empty.
inline int lowest_bit(std::uint64_t mask) {
#if defined(__GNUC__)
    return __builtin_ctzll(mask);
#else
    return std::countr_zero(mask);
#endif
}
inline int highest_bit(std::uint64_t mask) { return 63 - std::countl_zero(mask | 1); }

// By hand: without a flag for the processor, std::popcount is a call.
inline std::int64_t count_bits(std::uint64_t x) {
    x -= x >> 1 & 0x5555555555555555ULL;
    x = (x & 0x3333333333333333ULL) + (x >> 2 & 0x3333333333333333ULL);
    return static_cast<std::int64_t>(((x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fULL) * 0x0101010101010101ULL >> 56);
}

// ---- one after the other, by what the processor has --------------------------------------------------------------

#if defined(__SSE2__)
inline void fill_masks_plain(const std::uint8_t* p, std::size_t windows, Masks* out) {
    // Signed bytes: x + (127 - last) > 127 - count is true for `count` values that end with `last`.
    const auto within = [](__m128i bytes, char last, char count) {
        return _mm_cmpgt_epi8(_mm_add_epi8(bytes, _mm_set1_epi8(static_cast<char>(127 - last))),
                              _mm_set1_epi8(static_cast<char>(127 - count)));
    };
    const auto bits = [](__m128i mask) {
        return static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm_movemask_epi8(mask)));
    };
    for (; windows > 0; --windows, p += 64) {
        Masks masks{};
        for (int i = 0; i < 4; ++i) {
            const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16 * i));
            const __m128i lower = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
            const __m128i word = _mm_or_si128(within(lower, 'z', 26), within(bytes, '9', 10));
            const __m128i joiner =
                _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\'')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('.')));
            masks.word |= bits(word) << (16 * i);
            masks.joiner |= bits(joiner) << (16 * i);
            masks.other |= bits(bytes) << (16 * i);
        }
        *out++ = masks;
    }
}
#else
inline void fill_masks_plain(const std::uint8_t* p, std::size_t windows, Masks* out) {
    for (; windows > 0; --windows, p += 64) {
        Masks masks{};
        for (int i = 0; i < 64; ++i) {
            const std::uint32_t byte = p[i];
            masks.word |= static_cast<std::uint64_t>(is_ascii_word(byte)) << i;
            masks.joiner |= static_cast<std::uint64_t>(byte == '\'' || byte == '.') << i;
            masks.other |= static_cast<std::uint64_t>(byte >> 7) << i;
        }
        *out++ = masks;
    }
}
#endif

#if defined(__SSE2__) && defined(__GNUC__) && defined(__x86_64__) && !defined(DEDUP_NO_CLONES)
__attribute__((target("avx512bw"))) inline void fill_masks_512(const std::uint8_t* p, std::size_t windows, Masks* out) {
    const __m512i case_bit = _mm512_set1_epi8(0x20), a = _mm512_set1_epi8('a'), letters = _mm512_set1_epi8(26),
                  zero = _mm512_set1_epi8('0'), digits = _mm512_set1_epi8(10), quote = _mm512_set1_epi8('\''),
                  stop = _mm512_set1_epi8('.');
    for (; windows > 0; --windows, p += 64) {
        const __m512i bytes = _mm512_loadu_si512(p);
        const __m512i letter = _mm512_sub_epi8(_mm512_or_si512(bytes, case_bit), a), digit = _mm512_sub_epi8(bytes, zero);
        *out++ = {_mm512_cmplt_epu8_mask(letter, letters) | _mm512_cmplt_epu8_mask(digit, digits),
                  _mm512_cmpeq_epi8_mask(bytes, quote) | _mm512_cmpeq_epi8_mask(bytes, stop), _mm512_movepi8_mask(bytes)};
    }
}

__attribute__((target("avx2"))) inline std::uint64_t bits_avx2(__m256i low, __m256i high) {
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(low)) |
           static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm256_movemask_epi8(high))) << 32;
}
__attribute__((target("avx2"))) inline __m256i words_avx2(__m256i bytes) {
    const __m256i letter = _mm256_add_epi8(_mm256_or_si256(bytes, _mm256_set1_epi8(0x20)), _mm256_set1_epi8(127 - 'z'));
    const __m256i digit = _mm256_add_epi8(bytes, _mm256_set1_epi8(127 - '9'));
    return _mm256_or_si256(_mm256_cmpgt_epi8(letter, _mm256_set1_epi8(127 - 26)),
                           _mm256_cmpgt_epi8(digit, _mm256_set1_epi8(127 - 10)));
}
__attribute__((target("avx2"))) inline __m256i joiners_avx2(__m256i bytes) {
    return _mm256_or_si256(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\'')), _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('.')));
}
__attribute__((target("avx2"))) inline void fill_masks_256(const std::uint8_t* p, std::size_t windows, Masks* out) {
    for (; windows > 0; --windows, p += 64) {
        const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
        const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 32));
        *out++ = {bits_avx2(words_avx2(low), words_avx2(high)), bits_avx2(joiners_avx2(low), joiners_avx2(high)),
                  bits_avx2(low, high)};
    }
}

using FillMasks = void (*)(const std::uint8_t*, std::size_t, Masks*);
inline FillMasks best_fill_masks() {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512bw")) return fill_masks_512;
    if (__builtin_cpu_supports("avx2")) return fill_masks_256;
    return fill_masks_plain;
}
inline const FillMasks fill_masks = best_fill_masks();
#else
inline void fill_masks(const std::uint8_t* p, std::size_t windows, Masks* out) { fill_masks_plain(p, windows, out); }
#endif

// The masks of text[from, to), a strip of windows at a time; bytes from `to` on as if they were blanks.
class MaskStrip {
   public:
    MaskStrip(Bytes text, std::int64_t from, std::int64_t to) : text_(text), base_(from), to_(to) {}

    const Masks& next() {
        if (at_ == filled_) fill();
        return masks_[at_++];
    }

   private:
    static constexpr std::int64_t kStrip = 16;

    void fill() {
        const std::int64_t windows = std::min(kStrip, (to_ - base_ + 63) / 64);
        const std::int64_t size = static_cast<std::int64_t>(text_.size());
        const std::int64_t whole = std::min(windows, (size - base_) / 64);
        for (std::int64_t at = base_ + 64 * kStrip; at < std::min(size, base_ + 128 * kStrip); at += 64) DEDUP_PREFETCH(text_.data() + at);
        fill_masks(text_.data() + base_, static_cast<std::size_t>(whole), masks_);
        if (whole < windows) {  // at the end of the text
            std::uint8_t copy[64] = {};
            std::memcpy(copy, text_.data() + base_ + 64 * whole, static_cast<std::size_t>(size - base_ - 64 * whole));
            fill_masks(copy, 1, masks_ + whole);
        }
        const std::int64_t beyond = base_ + 64 * windows - to_;
        if (beyond > 0) {
            const std::uint64_t keep = ~std::uint64_t{0} >> beyond;
            Masks& last = masks_[windows - 1];
            last = {last.word & keep, last.joiner & keep, last.other & keep};
        }
        base_ += 64 * windows;
        at_ = 0;
        filled_ = windows;
    }

    Bytes text_;
    std::int64_t base_, to_, at_ = 0, filled_ = 0;
    Masks masks_[kStrip];
};

}  // namespace dedup
