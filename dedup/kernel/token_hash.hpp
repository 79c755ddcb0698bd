// The hash of a token's content; many at a time. docs/design/tokens.md defines it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <iterator>

#include "arrays.hpp"
#include "clones.hpp"
#include "hash.hpp"
#include "mapped.hpp"
#include "masks.hpp"
#include "memory.hpp"
#include "token_words.hpp"
#include "utf8.hpp"

namespace dedup {

// Odd, so that multiplying loses nothing; bits set about evenly.
inline constexpr std::uint64_t kWordFactor = 0x9FB21C651E98DF25;
inline constexpr std::uint64_t kLengthFactor = 0xD6E8FEB86659FD93;

// Over 8-byte little-endian words, the last one padded with zeros: h = (h ^ w) * kWordFactor; h ^= h >> 32. The length
// goes into the start, so padding is not mistaken for content; murmur3's mixer at the end.
class TokenHash {
   public:
    TokenHash(std::uint64_t seed, std::int64_t length) : h_(seed ^ static_cast<std::uint64_t>(length) * kLengthFactor) {}

    void add(std::uint64_t word) {
        h_ = (h_ ^ word) * kWordFactor;
        h_ ^= h_ >> 32;
    }

    std::uint64_t finish() const { return fmix64(h_); }

   private:
    std::uint64_t h_;
};

inline std::uint64_t hash_content(const std::uint8_t* p, std::int64_t length, std::uint64_t seed) {
    TokenHash hash(seed, length);
    for (; length >= 8; p += 8, length -= 8) hash.add(load_word(p));
    if (length > 0) hash.add(load_word(p, static_cast<std::size_t>(length)));
    return hash.finish();
}

// The hash of the ASCII word text[start, end).
inline std::uint64_t hash_ascii(Bytes text, std::int64_t start, std::int64_t end, bool fold_digits, std::uint64_t seed) {
    const std::uint8_t* p = text.data() + start;
    const std::uint8_t* const limit = text.data() + text.size();
    std::int64_t left = end - start;
    TokenHash hash(seed, left);
    for (; left >= 8; p += 8, left -= 8) hash.add(fold_ascii(load_word(p), fold_digits));
    if (left > 0) {
        const std::uint64_t word = limit - p >= 8 ? load_word(p) & ((std::uint64_t{1} << (8 * left)) - 1)
                                                  : load_word(p, static_cast<std::size_t>(left));
        hash.add(fold_ascii(word, fold_digits));
    }
    return hash.finish();
}

// ---- many at a time ---------------------------------------------------------------------------------------------

using Words = const std::uint64_t* DEDUP_RESTRICT;
using Hash = std::uint64_t* DEDUP_RESTRICT;

// The hashes of tokens of 1 to 16 bytes, of which `low` and `high` hold the first sixteen bytes and what stands behind them:
// both words are looked at, and no branch depends on the length. `count` is a multiple of eight.
template <bool kFoldDigits>
DEDUP_INLINE void hash_words_of(Words low, Words high, Words length, std::size_t count, std::uint64_t seed, Hash hash) {
    for (std::size_t i = 0; i < (count & ~std::size_t{7}); ++i) {
        const std::uint64_t size = length[i];
        const std::uint64_t beyond_first = 64 - 8 * std::min<std::uint64_t>(size, 8);  // bits
        const std::uint64_t beyond_second = 128 - 8 * std::max<std::uint64_t>(size, 9);
        const std::uint64_t first = low[i] << beyond_first >> beyond_first, second = high[i] << beyond_second >> beyond_second;
        std::uint64_t h = ((seed ^ size * kLengthFactor) ^ fold_ascii(first, kFoldDigits)) * kWordFactor;
        h ^= h >> 32;
        std::uint64_t longer = (h ^ fold_ascii(second, kFoldDigits)) * kWordFactor;
        longer ^= longer >> 32;
        hash[i] = fmix64(size > 8 ? longer : h);
    }
}

DEDUP_CLONES inline void hash_words(Words low, Words high, Words length, std::size_t count, std::uint64_t seed, Hash hash) {
    hash_words_of<false>(low, high, length, count, seed, hash);
}

DEDUP_CLONES inline void hash_words_and_fold_digits(Words low, Words high, Words length, std::size_t count, std::uint64_t seed,
                                                    Hash hash) {
    hash_words_of<true>(low, high, length, count, seed, hash);
}

// Tokens that wait for their hashes, which are appended to a column.
class HashBatch {
   public:
    static constexpr std::size_t kSize = 512;
    static constexpr std::int64_t kShort = 16;  // bytes; longer tokens are hashed at once

    HashBatch(Bytes text, Folds folds, std::uint64_t seed, Mapped<std::uint64_t>& hash)
        : text_(text), fold_digits_(folds.digits), seed_(seed), hash_(hash) {
        std::fill(std::begin(length_), std::end(length_), 1u);
    }
    HashBatch(const HashBatch&) = delete;
    HashBatch& operator=(const HashBatch&) = delete;

    // Tokens so far, those that wait and those that are hashed.
    std::size_t size() const { return hash_.size() + count_; }

    // A token of ASCII.
    DEDUP_INLINE void ascii(std::int64_t start, std::int64_t end) {
        reserve(1);
        if (end - start > kShort) return add_hash(hash_ascii(text_, start, end, fold_digits_, seed_));
        if (static_cast<std::int64_t>(text_.size()) - start >= kShort) return add(text_.data() + start, end - start);
        std::uint8_t copy[kShort] = {};
        std::memcpy(copy, text_.data() + start, static_cast<std::size_t>(end - start));
        add(copy, end - start);
    }

    // A token that is folded; sixteen bytes behind it may be read.
    DEDUP_INLINE void content(const std::uint8_t* bytes, std::int64_t length) {
        reserve(1);
        if (length <= kShort) return add(bytes, length);
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
        const std::uint8_t* const text = text_.data() + base;
        std::size_t count = count_;  // in a register
        for (; ends; ends &= ends - 1, starts &= starts - 1, ++count) {
            const auto start = static_cast<std::uint32_t>(lowest_bit(starts)), end = static_cast<std::uint32_t>(lowest_bit(ends));
            low_[count] = load_word(text + start);
            high_[count] = load_word(text + start + 8);
            length_[count] = end - start;
            if (end - start > kShort) [[unlikely]] {
                count_ = count;
                add_hash(hash_ascii(text_, base + start, base + end, fold_digits_, seed_));
            }
        }
        count_ = count;
    }

    // Hashes those that wait.
    void flush() {
        const std::size_t at = hash_.size(), count = (count_ + 7) & ~std::size_t{7};
        hash_.resize(at + count);
        (fold_digits_ ? hash_words_and_fold_digits : hash_words)(low_, high_, length_, count, seed_, hash_.data() + at);
        for (std::size_t i = 0; i < longs_; ++i) hash_[at + long_[i]] = low_[long_[i]];
        hash_.resize(at + count_);
        count_ = longs_ = 0;
    }

   private:
    DEDUP_INLINE void reserve(std::size_t more) {
        if (count_ + more > kSize) flush();
    }
    DEDUP_INLINE void add(const std::uint8_t* p, std::int64_t length) {
        low_[count_] = load_word(p);
        high_[count_] = load_word(p + 8);
        length_[count_++] = static_cast<std::uint64_t>(length);
    }
    void add_hash(std::uint64_t hash) {
        low_[count_] = hash;
        long_[longs_++] = static_cast<std::uint32_t>(count_);
        length_[count_++] = 1;  // not looked at
    }

    Bytes text_;
    bool fold_digits_;
    std::uint64_t seed_;
    Mapped<std::uint64_t>& hash_;
    std::size_t count_ = 0, longs_ = 0;
    std::uint64_t low_[kSize] = {}, high_[kSize] = {}, length_[kSize];
    std::uint32_t long_[kSize];
};

// Powers of kGramBase, falling: base^31, ..., base, 1.
inline constexpr std::size_t kPowers = 32;
inline constexpr auto kFallingPowers = [] {
    std::array<std::uint64_t, kPowers> power{};
    power[kPowers - 1] = 1;
    for (std::size_t i = kPowers - 1; i > 0; --i) power[i - 1] = power[i] * kGramBase;
    return power;
}();

// start * base^count + hash[0] * base^(count-1) + ... + hash[count-1] modulo 2^64: no product waits for the one before it.
DEDUP_CLONES inline std::uint64_t polynomial_sum(std::uint64_t start, const std::uint64_t* hash, std::size_t count) {
    const std::size_t left = count % kPowers;
    std::uint64_t sum = left > 0 ? start * kFallingPowers[kPowers - 1 - left] : start;
    for (std::size_t i = 0; i < left; ++i) sum += hash[i] * kFallingPowers[kPowers - left + i];
    for (const std::uint64_t *at = hash + left, *const end = hash + count; at < end; at += kPowers) {
        sum *= kFallingPowers[0] * kGramBase;
        for (std::size_t i = 0; i < kPowers; ++i) sum += at[i] * kFallingPowers[i];
    }
    return sum;
}

}  // namespace dedup
