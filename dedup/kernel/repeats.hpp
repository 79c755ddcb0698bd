// Exact repeats: maximal matches between two places, segments of many places, periods of what repeats at once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <tuple>
#include <vector>

#include "arrays.hpp"
#include "grams.hpp"

namespace dedup {

// Tokens that are covered, one bit each.
class TokenBits {
public:
    explicit TokenBits(std::int64_t tokens) : words_(static_cast<std::size_t>((tokens + 63) / 64), 0) {}

    void set(std::int64_t begin, std::int64_t end) {
        for (std::int64_t at = begin; at < end;) {
            const std::int64_t stop = std::min(end, (at | 63) + 1);
            words_[static_cast<std::size_t>(at >> 6)] |= mask(stop - at) << (at & 63);
            at = stop;
        }
    }

    // The first token of [begin, end) that is not covered, or end.
    std::int64_t first_clear(std::int64_t begin, std::int64_t end) const {
        while (begin < end) {
            const std::int64_t stop = std::min(end, (begin | 63) + 1);
            const std::uint64_t clear = ~(words_[static_cast<std::size_t>(begin >> 6)] >> (begin & 63)) & mask(stop - begin);
            if (clear) return begin + std::countr_zero(clear);
            begin = stop;
        }
        return end;
    }

private:
    static std::uint64_t mask(std::int64_t count) { return count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1; }

    Mapped<std::uint64_t> words_;
};

// Exact repeats of `size` tokens or more.
//
// - Segments of at most `max_members` places become matches: every two of their places, grown to both sides as far as the
//   texts agree. The others stay segments, grown as far as all of their places agree; of places that overlap, first come
//   first kept.
// - A match longer than its shift is a stretch that repeats at once: its periods become matches, each with the next one, and
//   what lies inside it with a longer shift is left out. A period has at least the tokens that `block_least` asks for in the
//   block where the stretch begins. Places of a segment that are nearer to each other than that are such a stretch, too.
// - What is in none of these, and stands again at a distance of `size` or more, is in a segment of a gram's length.
class RepeatFinder {
public:
    // Matches (a, b, length) ascending; segments (first, position, length).
    using Found = std::tuple<Mapped<std::int64_t>, Mapped<std::int64_t>, Mapped<std::int64_t>,
                             Mapped<std::int64_t>, Mapped<std::int64_t>, Mapped<std::int64_t>>;

    RepeatFinder(std::span<std::uint64_t> classes, std::int64_t size, std::int64_t max_members, Offsets block_first,
                 Offsets block_least, Offsets page_first)
        : repeats_(classes), size_(size), max_members_(max_members), block_first_(block_first), block_least_(block_least),
          page_first_(page_first), growth_(kGrowth * static_cast<std::int64_t>(classes.size())) {}

    Found found() {
        {
            const Segments segments = lockstep_segments(repeats_);
            for (std::size_t s = 0; s < segments.grams.size(); ++s) {
                const auto begin = static_cast<std::size_t>(segments.first[s]), end = static_cast<std::size_t>(segments.first[s + 1]);
                const std::span<const std::uint32_t> rows(segments.row.data() + begin, end - begin);
                if (static_cast<std::int64_t>(rows.size()) <= max_members_) seed_all_pairs(rows, segments.grams[s]);
                else keep_segment(rows, segments.grams[s]);
            }
        }
        match_seeds();
        keep_the_rest();
        return columns();
    }

private:
    static constexpr std::int64_t kGrowth = 16;  // steps a repeated gram, at most, for segments that grow

    struct Seed {
        std::uint32_t shift, a, row_a, row_b, grams;
    };
    struct Match {
        std::int64_t a, b, length;
        bool operator<(const Match& o) const { return std::tie(a, b, length) < std::tie(o.a, o.b, o.length); }
    };

    std::int64_t position(std::size_t row) const { return repeats_.position(row); }

    // Whether the grams after two rows, or before them, follow them at once and are equal.
    bool go_on(std::size_t x, std::size_t y) const {
        return repeats_.next_to(x) && repeats_.next_to(y) && repeats_.leader(x + 1) == repeats_.leader(y + 1);
    }
    bool came_before(std::size_t x, std::size_t y) const {
        return x > 0 && y > 0 && repeats_.next_to(x - 1) && repeats_.next_to(y - 1) &&
               repeats_.leader(x - 1) == repeats_.leader(y - 1);
    }

    // Tokens that a repeat has at least if it is to count where a token stands.
    std::int64_t least_at(std::int64_t token) const {
        const auto block = std::upper_bound(block_first_.begin(), block_first_.end(), token) - block_first_.begin() - 1;
        return std::max(size_, block_least_[static_cast<std::size_t>(block)]);
    }

    void add_seed(std::uint32_t x, std::uint32_t y, std::int64_t grams) {
        const std::uint32_t a = repeats_.position(x);
        seeds_.push_back({repeats_.position(y) - a, a, x, y, static_cast<std::uint32_t>(grams)});
    }

    void seed_all_pairs(std::span<const std::uint32_t> rows, std::int64_t grams) {
        for (std::size_t i = 0; i < rows.size(); ++i)
            for (std::size_t j = i + 1; j < rows.size(); ++j) add_seed(rows[i], rows[j], grams);
    }

    // A segment of many places, grown to both sides as far as all of them agree; those that repeat at once are seeds.
    void keep_segment(std::span<const std::uint32_t> rows, std::int64_t grams) {
        const auto places = static_cast<std::int64_t>(rows.size());
        const std::int64_t least = least_at(position(rows[0]));
        for (std::size_t i = 0; i + 1 < rows.size(); ++i)
            if (position(rows[i + 1]) - position(rows[i]) < least) add_seed(rows[i], rows[i + 1], 1);
        std::int64_t before = 0, after = grams - 1;
        const auto all = [&](std::int64_t offset, auto agree) {
            return std::all_of(rows.begin(), rows.end(), [&](std::uint32_t row) {
                return agree(static_cast<std::size_t>(row + offset), static_cast<std::size_t>(rows[0] + offset));
            });
        };
        while (growth_ > 0 && all(-before, [&](auto x, auto y) { return came_before(x, y); })) ++before, growth_ -= places;
        while (growth_ > 0 && all(after, [&](auto x, auto y) { return go_on(x, y); })) ++after, growth_ -= places;
        const auto place = [&](std::size_t i) { return position(rows[i]) - before; };
        if (!grown_.insert({place(0), before + after, places}).second) return;
        std::int64_t nearest = before + after + size_;
        for (std::size_t i = 0; i + 1 < rows.size(); ++i) nearest = std::min(nearest, place(i + 1) - place(i));
        const std::int64_t length = std::max(size_, nearest);
        const auto kept = hot_position_.size();
        for (std::size_t i = 0; i < rows.size(); ++i)
            if (hot_position_.size() == kept || place(i) >= hot_position_.back() + length) hot_position_.push_back(place(i));
        if (hot_position_.size() - kept < 2) {
            hot_position_.resize(kept);
            return;
        }
        hot_first_.push_back(static_cast<std::int64_t>(hot_position_.size()));
        hot_length_.push_back(length);
    }

    // Every seed grown as far as its two places agree; those of one shift that meet are one.
    void match_seeds() {
        std::sort(seeds_.begin(), seeds_.end(), [](const Seed& x, const Seed& y) {
            return x.shift != y.shift ? x.shift < y.shift : x.a < y.a;
        });
        std::map<std::int64_t, std::int64_t> periodic;  // stretches that repeat at once: first token, end
        std::int64_t shift = -1, reached = -1;
        for (const Seed& seed : seeds_) {
            if (seed.shift == shift && seed.a < reached) continue;
            std::size_t x = seed.row_a, y = seed.row_b;
            while (came_before(x, y)) --x, --y;
            const std::int64_t begin = position(x);
            x = seed.row_a + seed.grams - 1, y = seed.row_b + seed.grams - 1;
            while (go_on(x, y)) ++x, ++y;
            shift = seed.shift;
            reached = position(x) + 1;
            const std::int64_t length = position(x) + size_ - begin, end = begin + shift + length;
            const auto around = periodic.upper_bound(begin);
            if (around != periodic.begin() && std::prev(around)->second >= end) continue;
            if (length <= shift) {
                found_.push_back({begin, begin + shift, length});
                continue;
            }
            std::int64_t& last = periodic[begin];
            last = std::max(last, end);
            match_periods(begin, end, shift);
        }
        std::vector<Seed>().swap(seeds_);
    }

    // A stretch that repeats at once, each period with the next one, and what is left before and after them.
    void match_periods(std::int64_t begin, std::int64_t end, std::int64_t shift) {
        const std::int64_t period = (least_at(begin) + shift - 1) / shift * shift;  // several short ones make one
        std::int64_t at = begin;
        if (2 * period <= end - begin) {
            const std::int64_t start = period_start(begin, begin + (end - begin) % period, period);
            for (at = start; at + 2 * period <= end; at += period) found_.push_back({at, at + period, period});
            if (start - begin >= size_) found_.push_back({begin, begin + period, start - begin});
        }
        if (end - at - period >= size_) found_.push_back({at, at + period, end - at - period});
    }

    // Where the first period begins: where it and the next one begin a block, else where it does, else as early as can be.
    std::int64_t period_start(std::int64_t low, std::int64_t high, std::int64_t period) const {
        std::int64_t best = -1;
        for (auto at = std::lower_bound(block_first_.begin(), block_first_.end(), low); at != block_first_.end() && *at <= high;
             ++at) {
            if (std::binary_search(block_first_.begin(), block_first_.end(), *at + period)) return *at;
            if (best < 0) best = *at;
        }
        return best < 0 ? low : best;
    }

    // Tokens of repeated grams that are in nothing that was found: places of a gram over each are one more segment.
    void keep_the_rest() {
        const std::size_t rows = repeats_.size();
        if (!rows) return;
        TokenBits covered(position(rows - 1) + size_);
        for (const Match& m : found_) covered.set(m.a, m.a + m.length), covered.set(m.b, m.b + m.length);
        for (std::size_t s = 0; s < hot_length_.size(); ++s)
            for (auto i = hot_first_[s]; i < hot_first_[s + 1]; ++i) {
                const std::int64_t at = hot_position_[static_cast<std::size_t>(i)];
                covered.set(at, at + hot_length_[s]);
            }
        Mapped<std::uint32_t> last;  // of each leader, the row of the last member
        std::vector<std::pair<std::uint32_t, std::uint32_t>> needed;  // leader, row
        for (std::size_t row = 0; row < rows; ++row) {
            const std::int64_t bare = covered.first_clear(position(row), position(row) + size_);
            if (bare == position(row) + size_) continue;
            if (last.empty()) {
                last.resize(rows);
                for (std::size_t i = 0; i < rows; ++i) last[repeats_.leader(i)] = static_cast<std::uint32_t>(i);
            }
            std::size_t best = rows;  // the last gram over the token that stands elsewhere, too
            for (std::size_t i = row; i < rows && position(i) <= bare; ++i)
                if (position(i) - position(repeats_.leader(i)) >= size_ ||
                    position(last[repeats_.leader(i)]) - position(i) >= size_) best = i;
            if (best == rows) continue;
            covered.set(position(best), position(best) + size_);
            needed.emplace_back(repeats_.leader(best), best);
        }
        keep_classes(std::move(needed));
    }

    // Segments of some rows, given with their leaders, class by class; of rows of one class that overlap, each is in another
    // one.
    void keep_classes(std::vector<std::pair<std::uint32_t, std::uint32_t>> needed) {
        if (needed.empty()) return;
        std::sort(needed.begin(), needed.end());
        Mapped<std::uint8_t> wanted(repeats_.size(), 0);
        for (const auto& [leader, row] : needed) wanted[leader] = 1;
        std::vector<std::pair<std::uint32_t, std::uint32_t>> members;
        for (std::size_t i = 0; i < repeats_.size(); ++i)
            if (wanted[repeats_.leader(i)]) members.emplace_back(repeats_.leader(i), static_cast<std::uint32_t>(i));
        std::sort(members.begin(), members.end());
        auto member = members.begin();
        for (auto begin = needed.begin(), end = begin; begin != needed.end(); begin = end) {
            const auto of_class = [&](const auto& row) { return row.first == begin->first; };
            std::vector<std::int64_t> left, later, own;
            for (end = begin; end != needed.end() && of_class(*end); ++end) left.push_back(position(end->second));
            for (; member != members.end() && of_class(*member); ++member) own.push_back(position(member->second));
            for (; !left.empty(); left.swap(later)) {
                later.clear();
                std::vector<std::int64_t> apart;
                for (const std::int64_t at : left) (apart.empty() || at >= apart.back() + size_ ? apart : later).push_back(at);
                keep_beside(apart, own);
            }
        }
    }

    // A segment of some members of a class, none of which overlap, and of company for them: where one stands alone on its page,
    // the first other member there; where there is none either, the first member of every other page.
    void keep_beside(const std::vector<std::int64_t>& apart, const std::vector<std::int64_t>& members) {
        std::vector<std::int64_t> kept(apart);
        bool lonely = false;
        for (std::size_t i = 0; i < apart.size(); ++i) {
            const auto [begin, end] = page_around(apart[i]);
            if ((i > 0 && apart[i - 1] >= begin) || (i + 1 < apart.size() && apart[i + 1] < end)) continue;
            auto at = std::lower_bound(members.begin(), members.end(), begin);
            while (at != members.end() && *at < end && std::abs(*at - apart[i]) < size_) ++at;
            if (at != members.end() && *at < end) kept.push_back(*at);
            else lonely = true;
        }
        std::sort(kept.begin(), kept.end());
        if (lonely) {
            const std::vector<std::int64_t> there(kept);
            for (auto at = members.begin(); at != members.end();) {
                const auto [begin, end] = page_around(*at);
                const auto own = std::lower_bound(there.begin(), there.end(), begin);
                if (own == there.end() || *own >= end) kept.push_back(*at);
                at = std::lower_bound(at, members.end(), end);
            }
            std::sort(kept.begin(), kept.end());
        }
        hot_position_.insert(hot_position_.end(), kept.begin(), kept.end());
        hot_first_.push_back(static_cast<std::int64_t>(hot_position_.size()));
        hot_length_.push_back(size_);
    }

    // First token of the page that holds one, and the token behind it.
    std::pair<std::int64_t, std::int64_t> page_around(std::int64_t token) const {
        const auto next = std::upper_bound(page_first_.begin(), page_first_.end(), token);
        return {*std::prev(next), *next};
    }

    Found columns() {
        std::sort(found_.begin(), found_.end());
        Mapped<std::int64_t> a, b, lengths;
        for (const Match& m : found_) a.push_back(m.a), b.push_back(m.b), lengths.push_back(m.length);
        return {std::move(a), std::move(b), std::move(lengths), std::move(hot_first_), std::move(hot_position_),
                std::move(hot_length_)};
    }

    const Repeats repeats_;
    std::int64_t size_, max_members_;
    Offsets block_first_, block_least_, page_first_;
    std::int64_t growth_;  // steps of places that may be grown
    std::vector<Seed> seeds_;
    std::vector<Match> found_;
    std::set<std::tuple<std::int64_t, std::int64_t, std::int64_t>> grown_;  // segments: first place, grams, places
    Mapped<std::int64_t> hot_first_{0}, hot_position_, hot_length_;
};

}  // namespace dedup
