// What HashBatch does, in the lanes of 512-bit registers: eight words at a time are taken out of a window, and hashed when many
// wait (a hash is four products, each of which waits for the one before it).
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "arrays.hpp"
#include "mapped.hpp"
#include "masks.hpp"
#include "memory.hpp"
#include "token_hash.hpp"

#if defined(__SSE2__) && defined(__GNUC__) && defined(__x86_64__) && !defined(DEDUP_NO_CLONES)
#define DEDUP_TOKEN_LANES

namespace dedup {

#define DEDUP_LANES_TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vbmi,avx512vl,avx512vbmi2,bmi,bmi2,popcnt")))

inline bool has_token_lanes() {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("bmi2");
}
inline const bool kTokenLanes = has_token_lanes();

// HashBatch's interface.
class HashLanes {
   public:
    static constexpr std::size_t kSize = 512;
    static constexpr std::int64_t kShort = 16;  // bytes; longer tokens are hashed at once

    HashLanes(Bytes text, Folds folds, std::uint64_t seed, Mapped<std::uint64_t>& hash)
        : text_(text), letters_(TwoByteLetters::of(folds)), fold_digits_(folds.digits), seed_(seed), hash_(hash) {
        for (std::uint64_t length = 1; length <= kShort; ++length) begun_[length % kShort] = seed ^ length * kLengthFactor;
    }
    HashLanes(const HashLanes&) = delete;
    HashLanes& operator=(const HashLanes&) = delete;

    std::size_t size() const { return hash_.size() + count_; }

    DEDUP_INLINE void ascii(std::int64_t start, std::int64_t end) {
        reserve(1);
        const std::int64_t length = end - start;
        if (length > kShort) return add_hash(hash_ascii(text_, start, end, fold_digits_, seed_));
        const std::uint8_t* from = text_.data() + start;
        std::uint8_t copy[kShort] = {};
        if (static_cast<std::int64_t>(text_.size()) - start < kShort)
            from = static_cast<std::uint8_t*>(std::memcpy(copy, from, static_cast<std::size_t>(length)));
        add(fold_ascii(load_word(from), fold_digits_), fold_ascii(load_word(from + 8), fold_digits_), length);
    }

    DEDUP_INLINE void content(const std::uint8_t* bytes, std::int64_t length) {
        reserve(1);
        if (length <= kShort) return add(load_word(bytes), load_word(bytes + 8), length);
        TokenHash hash(seed_, length);
        for (; length > 8; bytes += 8, length -= 8) hash.add(load_word(bytes));
        hash.add(load_word(bytes) << (64 - 8 * length) >> (64 - 8 * length));
        add_hash(hash.finish());
    }

    // The tokens of ASCII that begin at the bits of `starts` and end at those of `ends`, seen from `base`.
    DEDUP_INLINE void words(std::int64_t base, std::uint64_t starts, std::uint64_t ends) {
        if (static_cast<std::int64_t>(text_.size()) - base < 64 + kShort) {
            for (; ends; ends &= ends - 1, starts &= starts - 1) ascii(base + lowest_bit(starts), base + lowest_bit(ends));
            return;
        }
        reserve(32);
        const std::uint64_t longs = take_words(base, starts, ends, 0);
        if (longs) [[unlikely]] hash_longs(base, starts, ends, longs);
        count_ += static_cast<std::size_t>(count_bits(ends));
    }

    // The same for words of which those that end at the bits of `others` are not of ASCII: they are put by put(start, end), as
    // nearly always one token each. Returns the ends of those words that it has left, with all after them.
    template <class Put>
    DEDUP_INLINE std::uint64_t mixed_words(std::int64_t base, std::uint64_t starts, std::uint64_t ends, std::uint64_t others, Put put) {
        if (static_cast<std::int64_t>(text_.size()) - base < 64 + kShort) return ends;
        reserve(kRoom);
        if (take_words(base, starts, ends, others)) return ends;
        const std::size_t first = size();
        for (; others; others &= others - 1) {
            const std::uint64_t earlier = (others & -others) - 1;
            const std::size_t nth = first + static_cast<std::size_t>(count_bits(ends & earlier));
            count_ += nth - size();
            const std::int64_t start = base + highest_bit(starts & earlier), end = base + lowest_bit(others);
            if (!add_letters(text_.data() + start, end - start)) put(start, end);
            if (size() != nth + 1) [[unlikely]] return ends & ~(earlier << 1 | 1);
        }
        count_ += first + static_cast<std::size_t>(count_bits(ends)) - size();
        return 0;
    }

    // Hashes those that wait.
    DEDUP_LANES_TARGET void flush() {
        const std::size_t at = hash_.size();
        hash_.resize(at + ((count_ + 7) & ~std::size_t{7}));
        hash_waiting(hash_.data() + at);
        for (std::size_t i = 0; i < longs_; ++i) hash_[at + long_[i]] = low_[long_[i]];
        hash_.resize(at + count_);
        count_ = longs_ = 0;
    }

   private:
    static constexpr std::size_t kRoom = 64;

    DEDUP_INLINE void reserve(std::size_t more) {
        if (count_ + more > kSize) flush();
    }
    // The sixteen bytes that begin with a token.
    DEDUP_INLINE void add(std::uint64_t low, std::uint64_t high, std::int64_t length) {
        const std::uint64_t beyond_first = 64 - 8 * static_cast<std::uint64_t>(std::min<std::int64_t>(length, 8));  // bits
        const std::uint64_t beyond_second = 128 - 8 * static_cast<std::uint64_t>(std::max<std::int64_t>(length, 9));
        low_[count_] = begun_[length % kShort] ^ (low << beyond_first >> beyond_first);
        high_[count_] = high << beyond_second >> beyond_second;
        length_[count_++] = static_cast<std::uint8_t>(length);
    }
    void add_hash(std::uint64_t hash) {
        low_[count_] = hash;
        long_[longs_++] = static_cast<std::uint32_t>(count_++);
    }

    // Takes the first sixteen bytes of each word out of the window; which of them, by number, are longer,
    // but for those that end at the bits of `others`.
    DEDUP_LANES_TARGET std::uint64_t take_words(std::int64_t base, std::uint64_t starts, std::uint64_t ends, std::uint64_t others) {
        const __m512i each = _mm512_set_epi64(0x0707070707070707, 0x0606060606060606, 0x0505050505050505, 0x0404040404040404,
                                              0x0303030303030303, 0x0202020202020202, 0x0101010101010101, 0);
        const __m512i place = _mm512_set_epi64(0x3f3e3d3c3b3a3938, 0x3736353433323130, 0x2f2e2d2c2b2a2928, 0x2726252423222120,
                                               0x1f1e1d1c1b1a1918, 0x1716151413121110, 0x0f0e0d0c0b0a0908, 0x0706050403020100);
        const __m512i first_eight = _mm512_set1_epi64(0x0706050403020100), next_eight = _mm512_set1_epi64(0x0f0e0d0c0b0a0908);
        const __m512i begun_low = _mm512_loadu_si512(begun_), begun_high = _mm512_loadu_si512(begun_ + 8);
        const std::uint8_t* const text = text_.data() + base;
        const __m512i window = folded(_mm512_loadu_si512(text));
        const __m512i behind = folded(_mm512_zextsi128_si512(_mm_loadu_si128(reinterpret_cast<const __m128i*>(text + 64))));
        const __m512i start = _mm512_maskz_compress_epi8(starts, place);
        const __m512i length = _mm512_sub_epi8(_mm512_maskz_compress_epi8(ends, place), start);
        const auto words = static_cast<std::size_t>(__builtin_popcountll(ends));
        std::uint64_t *const low = low_ + count_, *const high = high_ + count_;
        const std::size_t slots = words > 16 ? 32 : 16;  // nearly always 16: no branch that goes wrong
        for (std::size_t at = 0; at < slots; at += 8) {
            const __m512i lane = _mm512_add_epi8(each, _mm512_set1_epi8(static_cast<char>(at)));
            const __m512i from = _mm512_permutexvar_epi8(lane, start), size = _mm512_permutexvar_epi8(lane, length);
            const __m512i begun = _mm512_permutex2var_epi64(begun_low, size, begun_high);  // looks at four bits
            const __m512i bytes = _mm512_maskz_permutex2var_epi8(_mm512_cmplt_epu8_mask(first_eight, size), window,
                                                                 _mm512_add_epi8(from, first_eight), behind);
            _mm512_storeu_si512(low + at, _mm512_xor_si512(begun, bytes));
            _mm512_storeu_si512(high + at, _mm512_maskz_permutex2var_epi8(_mm512_cmplt_epu8_mask(next_eight, size), window,
                                                                          _mm512_add_epi8(from, next_eight), behind));
        }
        _mm512_storeu_si512(length_ + count_, length);
        return _mm512_mask_cmpgt_epu8_mask(_pext_u64(~others, ends), length, _mm512_set1_epi8(kShort));
    }

    // A word of ASCII and letters of two bytes, of sixteen bytes at most, as it stands and as it is mapped; false, and nothing
    // added, if it is something else.
    DEDUP_LANES_TARGET bool add_letters(const std::uint8_t* p, std::int64_t length) {
        if (length > kShort) return false;
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        const auto own = static_cast<std::uint32_t>((1u << length) - 1);
        __m128i word = _mm512_castsi512_si128(folded(_mm512_zextsi128_si512(_mm_maskz_mov_epi8(static_cast<__mmask16>(own), bytes))));
        std::int64_t grown = 0;
        for (std::uint32_t high = static_cast<std::uint32_t>(_mm_movemask_epi8(bytes)) & own; high; high &= high - 1, high &= high - 1) {
            const int at = lowest_bit(high);
            if ((p[at] & 0xE0) != 0xC0 || at + 1 == length || !is_continuation(p[at + 1])) return false;
            const std::uint64_t letter = letters_[(p[at] & 0x1Fu) << 6 | (p[at + 1] & 0x3Fu)], size = letter >> 56;
            if (size - 1 >= TwoByteLetters::kMost || length + grown + static_cast<std::int64_t>(size) - 2 > kShort) return false;
            const auto place = static_cast<std::uint32_t>(at + grown), room = ((1u << size) - 1) << place;
            word = _mm_maskz_expand_epi8(static_cast<__mmask16>(~room),
                                         _mm_maskz_compress_epi8(static_cast<__mmask16>(~(3u << place)), word));
            word = _mm_mask_expand_epi8(word, static_cast<__mmask16>(room), _mm_cvtsi64_si128(static_cast<long long>(letter)));
            grown += static_cast<std::int64_t>(size) - 2;
        }
        low_[count_] = begun_[(length + grown) % kShort] ^ static_cast<std::uint64_t>(_mm_cvtsi128_si64(word));
        high_[count_] = static_cast<std::uint64_t>(_mm_extract_epi64(word, 1));
        length_[count_++] = static_cast<std::uint8_t>(length + grown);
        return true;
    }

    // Those of which the bits of `longs`, in their order, are set.
    void hash_longs(std::int64_t base, std::uint64_t starts, std::uint64_t ends, std::uint64_t longs) {
        for (std::size_t at = count_; longs; ends &= ends - 1, starts &= starts - 1, longs >>= 1, ++at) {
            if (!(longs & 1)) continue;
            low_[at] = hash_ascii(text_, base + lowest_bit(starts), base + lowest_bit(ends), fold_digits_, seed_);
            long_[longs_++] = static_cast<std::uint32_t>(at);
        }
    }

    DEDUP_LANES_TARGET DEDUP_INLINE __m512i folded(__m512i bytes) const {
        if (fold_digits_) {
            const __m512i high_bits = _mm512_and_si512(bytes, _mm512_set1_epi8(static_cast<char>(0xD0)));
            bytes = _mm512_mask_mov_epi8(bytes, _mm512_cmpeq_epi8_mask(high_bits, _mm512_set1_epi8(0x10)),
                                         _mm512_and_si512(bytes, _mm512_set1_epi8(static_cast<char>(0xF0))));
        }
        const __mmask64 letter = _mm512_cmpge_epi8_mask(bytes, _mm512_set1_epi8(0x40));  // signed: bit 6 without 7
        return _mm512_mask_mov_epi8(bytes, letter, _mm512_or_si512(bytes, _mm512_set1_epi8(0x20)));
    }

    DEDUP_LANES_TARGET static __m512i mixed(__m512i hash, std::uint64_t factor, unsigned shift) {
        hash = _mm512_mullo_epi64(hash, _mm512_set1_epi64(static_cast<long long>(factor)));
        return _mm512_xor_si512(hash, _mm512_srli_epi64(hash, shift));
    }

    DEDUP_LANES_TARGET void hash_waiting(std::uint64_t* DEDUP_RESTRICT out) const {
        for (std::size_t i = 0; i < count_; i += 8) {
            const __m512i brief = mixed(_mm512_loadu_si512(low_ + i), kWordFactor, 32);
            const __m512i longer = mixed(_mm512_xor_si512(brief, _mm512_loadu_si512(high_ + i)), kWordFactor, 32);
            const __m128i length = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(length_ + i));
            const auto is_longer = static_cast<__mmask8>(_mm_movemask_epi8(_mm_cmpgt_epi8(length, _mm_set1_epi8(8))));
            const __m512i hash = _mm512_mask_mov_epi64(brief, is_longer, longer);
            _mm512_storeu_si512(out + i, mixed(mixed(_mm512_xor_si512(hash, _mm512_srli_epi64(hash, 33)), kMixFirst, 33),
                                               kMixSecond, 33));
        }
    }

    Bytes text_;
    const TwoByteLetters& letters_;
    bool fold_digits_;
    std::uint64_t seed_;
    Mapped<std::uint64_t>& hash_;
    std::size_t count_ = 0, longs_ = 0;
    std::uint64_t begun_[kShort];  // the hash before the first word, by length; that of 16 stands at 0
    std::uint64_t low_[kSize + 16] = {}, high_[kSize + 16] = {};  // the first word already in the hash that is begun; the second
    std::uint8_t length_[kSize + 64] = {};
    std::uint32_t long_[kSize];
};

}  // namespace dedup
#endif
