// A set of tokens, one bit each.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "memory.hpp"

namespace dedup {

class TokenBits {
public:
    explicit TokenBits(std::int64_t tokens) : words_(static_cast<std::size_t>((tokens + 63) / 64), 0) {}

    bool holds(std::int64_t token) const { return words_[static_cast<std::size_t>(token >> 6)] >> (token & 63) & 1; }

    void fetch(std::int64_t token) const { DEDUP_PREFETCH(words_.data() + (token >> 6)); }

    void set(std::int64_t token) { words_[static_cast<std::size_t>(token >> 6)] |= std::uint64_t{1} << (token & 63); }

    void set(std::int64_t begin, std::int64_t end) {
        for_each_word(begin, end, [](std::uint64_t& word, std::uint64_t mask) { word |= mask; });
    }

    void clear(std::int64_t begin, std::int64_t end) {
        for_each_word(begin, end, [](std::uint64_t& word, std::uint64_t mask) { word &= ~mask; });
    }

    // The first token of [begin, end) that is not in it, or end.
    std::int64_t first_clear(std::int64_t begin, std::int64_t end) const { return first(begin, end, ~std::uint64_t{0}); }

    // The first one that is, or end.
    std::int64_t first_set(std::int64_t begin, std::int64_t end) const { return first(begin, end, 0); }

    // How many tokens of each word's 64 are in it, summed up before each word.
    Mapped<std::uint32_t> before_words() const {
        Mapped<std::uint32_t> before;
        before.reserve(words_.size());
        std::uint32_t sum = 0;
        for (const std::uint64_t word : words_) {
            before.push_back(sum);
            sum += bit_count(word);
        }
        return before;
    }

    // How many are before a token, given the sums before words.
    std::int64_t rank(std::int64_t token, const Mapped<std::uint32_t>& before) const {
        const auto word = static_cast<std::size_t>(token >> 6);
        return before[word] + bit_count(words_[word] & ((std::uint64_t{1} << (token & 63)) - 1));
    }

private:
    static std::uint64_t mask(std::int64_t count) { return count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1; }

    // By hand: without a flag for the processor, std::popcount is a call.
    static std::uint32_t bit_count(std::uint64_t x) {
        x -= x >> 1 & 0x5555555555555555ULL;
        x = (x & 0x3333333333333333ULL) + (x >> 2 & 0x3333333333333333ULL);
        x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
        return static_cast<std::uint32_t>(x * 0x0101010101010101ULL >> 56);
    }

    template <class Use>
    void for_each_word(std::int64_t begin, std::int64_t end, Use use) {
        for (std::int64_t at = begin; at < end;) {
            const std::int64_t stop = std::min(end, (at | 63) + 1);
            use(words_[static_cast<std::size_t>(at >> 6)], mask(stop - at) << (at & 63));
            at = stop;
        }
    }

    std::int64_t first(std::int64_t begin, std::int64_t end, std::uint64_t flipped) const {
        while (begin < end) {
            const std::int64_t stop = std::min(end, (begin | 63) + 1);
            const std::uint64_t found = (words_[static_cast<std::size_t>(begin >> 6)] ^ flipped) >> (begin & 63) & mask(stop - begin);
            if (found) return begin + std::countr_zero(found);
            begin = stop;
        }
        return end;
    }

    Mapped<std::uint64_t> words_;
};

}  // namespace dedup
