// Windows: the shortest stretches that count, where a gram is too short to; equal ones are found by the grams of which they are made.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "counted_length.hpp"
#include "hash.hpp"
#include "segments.hpp"
#include "sets.hpp"

namespace dedup {

// Grams of which the tokens count alike, too. Tokens are equal by their hashes, so by chance, or by design, one may be a word and the
// other a character. Grams that count unlike their leader are classes of their own: equal windows must be equally long.
inline RepeatedGrams that_count_alike(RepeatedGrams grams, CountedLength counted) {
    const std::int64_t size = counted.size();
    const auto is_unlike = [&](std::size_t r) {
        return !counted.are_alike(grams.run_leader(r), grams.run_begin(r), grams.run_end(r) - grams.run_begin(r) - 1 + size);
    };
    std::size_t first = 0;
    while (first < grams.runs() && !is_unlike(first)) ++first;
    if (first == grams.runs()) return grams;
    std::map<std::pair<std::int64_t, std::vector<std::int64_t>>, std::int64_t> own;  // the first gram that counts so
    Mapped<std::uint32_t> position, leader, length;
    const auto put = [&](std::int64_t at, std::int64_t led_by, std::int64_t count) {
        position.push_back(static_cast<std::uint32_t>(at)), leader.push_back(static_cast<std::uint32_t>(led_by));
        length.push_back(static_cast<std::uint32_t>(count));
    };
    for (std::size_t r = 0; r < grams.runs(); ++r) {
        const std::int64_t begin = grams.run_begin(r), end = grams.run_end(r), shift = begin - grams.run_leader(r);
        if (r < first || !is_unlike(r)) {
            put(begin, begin - shift, end - begin);
            continue;
        }
        for (std::int64_t at = begin; at < end; ++at) {
            const bool alike = counted.are_alike(at - shift, at, size);
            put(at, alike ? at - shift : own.try_emplace({at - shift, counted.halves_of(at, size)}, at).first->second, 1);
        }
    }
    return RepeatedGrams(std::span<const std::uint32_t>(position), std::span<const std::uint32_t>(leader),
                         std::span<const std::uint32_t>(length));
}

// A hash of the leaders of consecutive grams, rolled from left to right: a polynomial modulo 2^61 - 1 (Karp and Rabin 1987).
class LeaderHash {
public:
    explicit LeaderHash(const RepeatedGrams& grams) : grams_(grams) {}

    // That of the grams of [begin, end), which stand one after the other; neither border is before that of the last call, unless
    // nothing of what it asked for is left. `run`: one that begins at or before `begin`.
    std::uint64_t of(std::int64_t begin, std::int64_t end, std::size_t run) {
        if (begin >= end_) {
            begin_ = end_ = begin;
            first_run_ = last_run_ = run;
            hash_ = 0;
        }
        for (; end_ < end; ++end_) hash_ = sum(product(hash_, kBase), mixed(last_run_, end_));
        for (; begin_ < begin; ++begin_)
            hash_ = sum(hash_, kPrime - product(mixed(first_run_, begin_), power(static_cast<std::size_t>(end_ - begin_ - 1))));
        return hash_;
    }

private:
    static constexpr std::uint64_t kPrime = (std::uint64_t{1} << 61) - 1, kBase = kGramBase % kPrime;

    static std::uint64_t reduced(std::uint64_t x) {
        x = (x & kPrime) + (x >> 61);
        return x >= kPrime ? x - kPrime : x;
    }
    static std::uint64_t sum(std::uint64_t x, std::uint64_t y) { return reduced(x + y); }
    static std::uint64_t product(std::uint64_t x, std::uint64_t y) {
        constexpr std::uint64_t kLow = (std::uint64_t{1} << 31) - 1, kLower = (std::uint64_t{1} << 30) - 1;
        const std::uint64_t high_x = x >> 31, low_x = x & kLow, high_y = y >> 31, low_y = y & kLow;
        const std::uint64_t middle = high_x * low_y + low_x * high_y;
        return reduced(2 * high_x * high_y + (middle >> 30) + ((middle & kLower) << 31) + low_x * low_y);
    }

    std::uint64_t mixed(std::size_t& run, std::int64_t gram) const {
        while (grams_.run_end(run) <= gram) ++run;
        return reduced(fmix64(static_cast<std::uint64_t>(grams_.run_leader(run) + (gram - grams_.run_begin(run)) + 1)));  // of 0 it is 0
    }
    std::uint64_t power(std::size_t exponent) {
        while (powers_.size() <= exponent) powers_.push_back(product(powers_.back(), kBase));
        return powers_[exponent];
    }

    const RepeatedGrams& grams_;
    std::int64_t begin_ = 0, end_ = 0;
    std::size_t first_run_ = 0, last_run_ = 0;
    std::uint64_t hash_ = 0;
    std::vector<std::uint64_t> powers_{1};
};

// Classes of equal windows as runs of the grams that name them, a window's first one or its last one. A window that lies in a run is
// equal to that of its leaders, which lies in a run, too; others are equal to such others only, and are found by their hash.
class WindowRuns {
public:
    WindowRuns(const RepeatedGrams& grams, CountedLength counted) : grams_(grams), counted_(counted), hash_(grams) {}

    // Those that begin with a gram.
    RepeatedGrams that_begin() {
        const std::int64_t size = counted_.size();
        std::int64_t begin = 0, end = 0, halves = 0;  // a window and what it has
        for_each_run([&](std::size_t r, std::int64_t, std::int64_t chain_end) {
            const std::int64_t run_end = grams_.run_end(r);
            std::int64_t at = std::max(grams_.run_begin(r), run_end + size - counted_.most());  // those before lie in the run
            put_run(r, grams_.run_begin(r), at);
            for (; at < run_end; ++at) {
                for (; begin < at && begin < end; ++begin) halves -= counted_.half(begin);
                if (begin < at) begin = end = at;
                for (; halves < counted_.needed() && end < chain_end - 1 + size; ++end) halves += counted_.half(end);
                if (halves < counted_.needed()) break;
                const std::int64_t grams_end = std::max(end, at + size) - size + 1;
                if (grams_end > chain_end) break;
                if (grams_end <= run_end) put_run(r, at, at + 1);
                else put(hash_.of(at, grams_end, r), at);
            }
        });
        return classes();
    }

    // Those that end with a gram, of which none that begins with its first one is as long or shorter.
    RepeatedGrams that_end() {
        const std::int64_t size = counted_.size();
        std::int64_t begin = 0, end = 0, halves = 0;
        for_each_run([&](std::size_t r, std::int64_t chain_begin, std::int64_t) {
            const std::int64_t run_begin = grams_.run_begin(r), run_end = grams_.run_end(r);
            if (!counted_.are_mixed(std::max(chain_begin, run_begin + size - counted_.most()), run_end - 1 + size)) return;
            std::size_t first = r;  // a run that the window may begin with, or one before it
            for (std::int64_t at = run_begin; at < run_end; ++at) {
                if (const std::int64_t least = std::max(chain_begin, at + size - counted_.most()); begin < chain_begin || end < least) {
                    begin = end = least;
                    halves = 0;
                }
                for (; end < at + size; ++end) halves += counted_.half(end);
                while (begin < end && halves - counted_.half(begin) >= counted_.needed()) halves -= counted_.half(begin++);
                if (halves < counted_.needed() || at + size - begin <= size || halves - counted_.half(end - 1) < counted_.needed()) continue;
                if (begin >= run_begin) {
                    put_run(r, at, at + 1);
                    continue;
                }
                while (grams_.run_begin(first) > begin) --first;
                put(hash_.of(begin, at + 1, first), at);
            }
        });
        return classes();
    }

private:
    struct Window {
        std::uint64_t hash;
        std::uint32_t at, leader;
    };

    // Calls use(run, begin, end) with the grams without a gap around each run.
    template <class Use>
    void for_each_run(Use use) const {
        std::int64_t begin = 0, end = 0;
        for (std::size_t r = 0; r < grams_.runs(); ++r) {
            if (grams_.run_begin(r) >= end) {
                begin = grams_.run_begin(r), end = grams_.run_end(r);
                for (std::size_t next = r + 1; next < grams_.runs() && grams_.run_begin(next) == end; ++next) end = grams_.run_end(next);
            }
            use(r, begin, end);
        }
    }

    // Windows named by grams of a run, in which they lie.
    void put_run(std::size_t run, std::int64_t begin, std::int64_t end) {
        if (begin >= end) return;
        const auto at = static_cast<std::uint32_t>(begin), leader = static_cast<std::uint32_t>(grams_.run_leader(run) + (begin - grams_.run_begin(run)));
        if (!position_.empty() && position_.back() + length_.back() == at && leader_.back() + length_.back() == leader) {
            length_.back() += static_cast<std::uint32_t>(end - begin);
            return;
        }
        position_.push_back(at), leader_.push_back(leader), length_.push_back(static_cast<std::uint32_t>(end - begin));
    }

    void put(std::uint64_t hash, std::int64_t at) { windows_.push_back({hash, static_cast<std::uint32_t>(at), 0}); }

    RepeatedGrams classes() {
        radix_sort_by_bins(std::span(windows_), 61, [](const Window& window) { return window.hash; });
        std::size_t kept = 0;
        for (std::size_t begin = 0, end = 0; begin < windows_.size(); begin = end) {
            while (end < windows_.size() && windows_[end].hash == windows_[begin].hash) ++end;
            const std::uint32_t leader = windows_[begin].at;
            for (std::size_t i = begin; end - begin > 1 && i < end; ++i) windows_[kept++] = {0, windows_[i].at, leader};
        }
        windows_.resize(kept);
        radix_sort_by_bins(std::span(windows_), 32, [](const Window& window) { return window.at; });
        Mapped<std::uint32_t> position, leader, length;
        std::size_t next = 0;
        const auto take_up_to = [&](std::int64_t end) {
            for (; next < windows_.size() && windows_[next].at < end; ++next)
                position.push_back(windows_[next].at), leader.push_back(windows_[next].leader), length.push_back(1);
        };
        for (std::size_t i = 0; i < position_.size(); ++i) {
            take_up_to(position_[i]);
            position.push_back(position_[i]), leader.push_back(leader_[i]), length.push_back(length_[i]);
        }
        take_up_to(INT64_MAX);
        for (auto* column : {&position_, &leader_, &length_}) Mapped<std::uint32_t>().swap(*column);
        Mapped<Window>().swap(windows_);
        return RepeatedGrams(std::span<const std::uint32_t>(position), std::span<const std::uint32_t>(leader),
                             std::span<const std::uint32_t>(length));
    }

    const RepeatedGrams& grams_;
    CountedLength counted_;
    LeaderHash hash_;
    Mapped<Window> windows_;
    Mapped<std::uint32_t> position_, leader_, length_;
};

}  // namespace dedup
