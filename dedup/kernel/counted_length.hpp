// How long a repeat must be to count.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "arrays.hpp"

namespace dedup {

// How long a repeat must be to count, where some tokens count half: `halves` has 1 or 2 a token, or is empty where all are words.
// What is beyond the collection counts as words. A repeat has `size` tokens at least, those of a gram.
class CountedLength {
public:
    CountedLength(Bytes halves, std::int64_t min_tokens, std::int64_t size) : halves_(halves), min_tokens_(min_tokens), size_(size) {}

    std::int64_t size() const { return size_; }
    bool is_gram() const { return halves_.empty() && min_tokens_ <= size_; }

    // Halves that a repeat must have, and those of a token; no shortest repeat has more tokens than `most`.
    std::int64_t needed() const { return 2 * min_tokens_; }
    std::int64_t half(std::int64_t token) const {
        return static_cast<std::size_t>(token) < halves_.size() ? std::max<std::int64_t>(halves_[static_cast<std::size_t>(token)], 1) : 2;
    }
    std::int64_t most() const { return std::max(size_, halves_.empty() ? min_tokens_ : 2 * min_tokens_); }

    // Tokens of the shortest repeat that counts and begins with a token, or ends before one.
    std::int64_t least_from(std::int64_t begin) const {
        return least(0, [&](std::int64_t nth) { return begin + nth; });
    }
    std::int64_t least_up_to(std::int64_t end) const {
        const std::int64_t beyond = std::clamp<std::int64_t>(end - static_cast<std::int64_t>(halves_.size()), 0, min_tokens_);
        return least(beyond, [&](std::int64_t nth) { return end - 1 - nth; });
    }
    bool is_enough(std::int64_t begin, std::int64_t end) const { return end - begin >= least_from(begin); }

    // Whether `count` tokens from each of two places on, the first one before the other, count alike; what the tokens from one count, up to
    // the end of the collection.
    bool are_alike(std::int64_t a, std::int64_t b, std::int64_t count) const {
        const auto known = static_cast<std::int64_t>(halves_.size());
        if (b + count <= known && std::memcmp(halves_.data() + a, halves_.data() + b, static_cast<std::size_t>(count)) == 0) return true;
        for (std::int64_t i = 0; i < count && a + i < known; ++i)
            if (half(a + i) != half(b + i)) return false;
        return true;
    }
    std::vector<std::int64_t> halves_of(std::int64_t begin, std::int64_t count) const {
        std::vector<std::int64_t> out;
        for (std::int64_t at = begin; at < begin + count && at < static_cast<std::int64_t>(halves_.size()); ++at) out.push_back(half(at));
        return out;
    }

    // Whether some tokens of [begin, end) count half, and others do not.
    bool are_mixed(std::int64_t begin, std::int64_t end) const {
        const std::int64_t from = std::max<std::int64_t>(begin, 0), to = std::min(end, static_cast<std::int64_t>(halves_.size()));
        if (from >= to) return false;
        const auto any = [&](int half) { return std::memchr(halves_.data() + from, half, static_cast<std::size_t>(to - from)) != nullptr; };
        return any(2) && any(1);
    }

private:
    // `count`: how many of the places are beyond the collection before one is in it.
    template <class Place>
    std::int64_t least(std::int64_t count, Place place) const {
        if (halves_.empty()) return std::max(size_, min_tokens_);
        for (std::int64_t missing = needed() - 2 * count; missing > 0; ++count) {
            const std::int64_t at = place(count);
            if (static_cast<std::size_t>(at) >= halves_.size()) {  // before the first one: a large number
                count += (missing + 1) / 2;
                break;
            }
            missing -= half(at);
        }
        return std::max(size_, count);
    }

    Bytes halves_;
    std::int64_t min_tokens_, size_;
};

}  // namespace dedup
