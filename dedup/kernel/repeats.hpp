// Exact repeats: maximal matches between two places, segments of many places, periods of what repeats at once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <stdexcept>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "arrays.hpp"
#include "segments.hpp"
#include "token_bits.hpp"

namespace dedup {

// How long a repeat must be to count, where some tokens count half: `halves` has 1 or 2 a token, or is empty where all are words.
// What is beyond the collection counts as words.
class CountedLength {
public:
    CountedLength(Bytes halves, std::int64_t min_tokens) : halves_(halves), min_tokens_(min_tokens) {}

    std::int64_t least_from(std::int64_t begin) const {
        return least([&](std::int64_t nth) { return begin + nth; });
    }
    std::int64_t least_up_to(std::int64_t end) const {
        return least([&](std::int64_t nth) { return end - 1 - nth; });
    }
    bool is_enough(std::int64_t begin, std::int64_t end) const { return end - begin >= least_from(begin); }

private:
    template <class Place>
    std::int64_t least(Place place) const {
        if (halves_.empty()) return min_tokens_;
        std::int64_t count = 0;
        for (std::int64_t missing = 2 * min_tokens_; missing > 0; ++count) {
            const auto at = static_cast<std::size_t>(place(count));  // before the first one: a large number
            if (at >= halves_.size()) return count + (missing + 1) / 2;
            missing -= std::max<std::int64_t>(halves_[at], 1);
        }
        return count;
    }

    Bytes halves_;
    std::int64_t min_tokens_;
};

// Exact repeats of `size` tokens or more.
//
// - Segments of at most `max_members` places become matches: every two of their places, grown to both sides as far as the
//   texts agree; what all have in common is a segment, too, where pairs of no more do not link them. The others stay segments,
//   grown as far as all of their places agree; of places that overlap, first come first kept. Where a gram is too short to
//   count, those of their places that agree for longer are handled alike.
// - A match longer than its shift is a stretch that repeats at once: its periods become matches, each with the next one, and
//   what lies inside it with a longer shift is left out. A period is long enough to count. Places of a segment that are nearer to
//   each other than that are such a stretch, too.
// - What is in none of these, and stands again at a distance of `size` or more, is in a match of the least length that counts or, where
//   there is none, in a segment of a gram's length.
class RepeatFinder {
public:
    // Matches (a, b, length) ascending; segments (first, position, length).
    using Found = std::tuple<Mapped<std::int64_t>, Mapped<std::int64_t>, Mapped<std::int64_t>,
                             Mapped<std::int64_t>, Mapped<std::int64_t>, Mapped<std::int64_t>>;

    RepeatFinder(RepeatedGrams grams, std::int64_t size, std::int64_t max_members, CountedLength counted, Offsets block_first,
                 Offsets page_first)
        : grams_(std::move(grams)), segments_(grams_), size_(size), max_members_(max_members), counted_(counted),
          block_first_(block_first), page_first_(page_first) {}

    Found found() {
        Relief relief;
        for (std::size_t s = 0; s < segments_.size(); ++s) {
            const auto places = segments_.places(s);
            relief.place();
            if (places[0] >= led_to_) grow_anew(s);
            if (are_few(places)) keep_each(places, segments_.grams(s));
            else keep_segment(places, segments_.grams(s));
        }
        match_seeds();
        keep_the_rest();
        return columns();
    }

private:
    static constexpr std::int64_t kGrowth = 16;  // steps a gram of a page's segments, at most, for those that grow

    using Places = std::span<const std::uint32_t>;
    struct Match {
        std::int64_t a, b, length;
        bool operator<(const Match& o) const { return std::tie(a, b, length) < std::tie(o.a, o.b, o.length); }
    };

    // Grams before and after the one at a place that some places have in common.
    struct Around {
        std::int64_t before, after;

        std::int64_t length(std::int64_t size) const { return before + after + size; }
    };

    // Places whose common tokens are known up to an end, that of the first one.
    struct Common {
        std::vector<std::uint32_t> places;
        std::int64_t end = 0;

        bool is_of(Places others) const {
            if (others.size() != places.size()) return false;
            const std::uint32_t further = others[0] - places[0];
            return std::equal(others.begin(), others.end(), places.begin(), [&](auto x, auto y) { return x == y + further; });
        }
    };

    // Tokens of the shortest repeat that counts and begins with a token, or ends before one.
    std::int64_t least_from(std::int64_t begin) const { return std::max(size_, counted_.least_from(begin)); }
    std::int64_t least_up_to(std::int64_t end) const { return std::max(size_, counted_.least_up_to(end)); }

    // Two places of one gram, to be ordered by how far they are apart.
    void add_seed(std::uint32_t a, std::uint32_t b) { seeds_.push_back(std::uint64_t{b - a} << 32 | a); }

    bool are_few(Places places) const { return static_cast<std::int64_t>(places.size()) <= max_members_; }

    void seed_all_pairs(Places places) {
        for (std::size_t i = 0; i < places.size(); ++i)
            for (std::size_t j = i + 1; j < places.size(); ++j) add_seed(places[i], places[j]);
    }

    // A segment of few places: each with each, what all have in common, and what some have.
    void keep_each(Places places, std::int64_t grams) {
        seed_all_pairs(places);
        keep_common(places);
        if (places.size() < 3 || counted_.is_enough(places[0], places[0] + size_)) return;
        Around around{0, grams - 1};
        grow(places, around);
        keep_longer(places, around, grams - 1);
    }

    // What a few places have in common is a segment, too, where those pairs that have no more in common do not link all of them: else
    // a place would be missing that has something more in common with each of the others.
    void keep_common(Places places) {
        if (places.size() < 3 || growth_ <= 0) return;
        Common& known = common_[std::uint64_t{places[1] - places[0]} << 32 | places.size()];
        if (places[0] < known.end && known.is_of(places)) return;  // others stood beside these places for a while
        std::int64_t before = grams_.equal_before(places[0], places[1]), after = grams_.equal_from(places[0], places[1]);
        for (const std::uint32_t place : places.subspan(2)) {
            before = std::min(before, grams_.equal_before(places[0], place));
            after = std::min(after, grams_.equal_from(places[0], place));
        }
        growth_ -= static_cast<std::int64_t>(places.size()) * (before + after);
        known = {{places.begin(), places.end()}, places[0] + after};
        const std::int64_t length = before + after - 1 + size_, start = places[0] - before;
        for (std::size_t i = 0; i + 1 < places.size(); ++i)
            if (places[i + 1] - places[i] < match_of(places[i], places[i + 1])) return;  // a stretch that repeats at once
        if (counted_.is_enough(start, start + length) && !are_linked(places, before, after)) keep(places, before, length);
    }

    // Tokens that two places have in common.
    std::int64_t match_of(std::int64_t a, std::int64_t b) const {
        return grams_.equal_before(a, b) + grams_.equal_from(a, b) - 1 + size_;
    }

    // Whether the pairs that have so much in common, and no more, link all places.
    bool are_linked(Places places, std::int64_t before, std::int64_t after) const {
        std::vector<std::uint32_t> linked{places[0]}, left(places.begin() + 1, places.end());
        for (std::size_t i = 0; i < linked.size() && !left.empty(); ++i)
            std::erase_if(left, [&](std::uint32_t place) {
                const std::int64_t a = std::min(linked[i], place), b = std::max(linked[i], place);
                const bool same = grams_.equal_before(a, b) == before && grams_.equal_from(a, b) == after;
                if (same) linked.push_back(place);
                return same;
            });
        return left.empty();
    }

    // Whether the grams that stand at some distance from the places are all equal.
    bool agree(Places places, std::int64_t distance) const {
        const auto leader = grams_.leader(places[0] + distance);
        return leader >= 0 && std::all_of(places.begin() + 1, places.end(), [&](std::uint32_t place) {
            return grams_.leader(place + distance) == leader;
        });
    }

    // Steps for the segments of which the first place is on the page where that of s is: what other pages hold changes nothing.
    void grow_anew(std::size_t s) {
        led_to_ = page_around(segments_.places(s)[0]).second;
        growth_ = 0;
        common_.clear();
        for (; s < segments_.size() && segments_.places(s)[0] < led_to_; ++s)
            growth_ += kGrowth * static_cast<std::int64_t>(segments_.places(s).size()) * segments_.grams(s);
    }

    // A segment of many places, grown to both sides as far as all of them agree; those that repeat at once are seeds. One that as
    // many places have grown over stands there whole already.
    void keep_segment(Places places, std::int64_t grams) {
        for (std::size_t i = 0; i + 1 < places.size(); ++i)
            if (places[i + 1] - places[i] < least_from(places[i]) && places[i + 1] < page_around(places[i]).second)
                add_seed(places[i], places[i + 1]);
        std::int64_t& known = grown_to_[static_cast<std::int64_t>(places.size())];
        if (places[0] < known) return;
        Around around{0, grams - 1};
        grow(places, around);
        known = places[0] + around.after + 1;
        keep(places, around.before, std::max(size_, apart_by(places, around)));
        if (!counted_.is_enough(places[0], places[0] + size_)) keep_longer(places, around, grams - 1);
    }

    // Some places of a segment that agree for longer than all of it, where a gram is too short to count: those that have a gram behind
    // it that stands elsewhere, too, so that its class does not say what they have in common. What counts and begins with a gram of
    // the segment, the last one of which is `last` tokens behind the places, is found so.
    void keep_longer(Places places, const Around& around, std::int64_t last) {
        if (growth_ <= 0 || counted_.is_enough(places[0] + last, places[0] + around.after + size_)) return;
        growth_ -= static_cast<std::int64_t>(places.size());
        std::vector<std::pair<std::int64_t, std::uint32_t>> behind;  // leader, place
        for (const std::uint32_t place : places)
            if (const std::int64_t leader = grams_.leader(place + around.after + 1); leader >= 0) behind.emplace_back(leader, place);
        std::sort(behind.begin(), behind.end());
        std::vector<std::uint32_t> some;
        for (auto begin = behind.begin(), end = begin; begin != behind.end(); begin = end) {
            some.clear();
            for (end = begin; end != behind.end() && end->first == begin->first; ++end) some.push_back(end->second);
            if (some.size() > 1 && some.size() < segments_.count(begin->first)) keep_some(some, {around.before, around.after + 1}, last);
        }
    }

    // Places that agree around them, grown as far as they do: each with each and what all have in common if they are few, else the
    // segment that they are, if it counts; and those that agree for longer.
    void keep_some(Places places, Around around, std::int64_t last) {
        grow(places, around);
        if (are_few(places)) {
            seed_all_pairs(places);
            keep_common(places);
        } else {
            const std::int64_t length = apart_by(places, around), start = places[0] - around.before;
            if (counted_.is_enough(start, start + length)) keep(places, around.before, length);
        }
        if (places.size() > 2) keep_longer(places, around, last);
    }

    // Grows what places have in common to both sides as far as all of them agree.
    void grow(Places places, Around& around) {
        const auto count = static_cast<std::int64_t>(places.size());
        for (; growth_ > 0 && agree(places, -around.before - 1); growth_ -= count) ++around.before;
        for (; growth_ > 0 && agree(places, around.after + 1); growth_ -= count) ++around.after;
    }

    // The least distance of two places, or the length of what they have in common where that is less.
    std::int64_t apart_by(Places places, const Around& around) const {
        std::int64_t least = around.length(size_);
        for (std::size_t i = 0; i + 1 < places.size(); ++i) least = std::min<std::int64_t>(least, places[i + 1] - places[i]);
        return least;
    }

    // A segment of the places that do not overlap an earlier one, if there are two.
    void keep(Places places, std::int64_t before, std::int64_t length) {
        const auto kept = hot_position_.size();
        for (const std::uint32_t place : places)
            if (hot_position_.size() == kept || place - before >= hot_position_.back() + length) hot_position_.push_back(place - before);
        if (hot_position_.size() - kept < 2) {
            hot_position_.resize(kept);
            return;
        }
        hot_first_.push_back(static_cast<std::int64_t>(hot_position_.size()));
        hot_length_.push_back(length);
    }

    // Every seed grown as far as its two places agree; those of one shift that meet are one.
    void match_seeds() {
        if (seeds_.empty()) return;
        radix_sort(std::span(seeds_), std::bit_width(*std::max_element(seeds_.begin(), seeds_.end())),
                   [](std::uint64_t seed) { return seed; });
        std::map<std::int64_t, std::int64_t> periodic;  // stretches that repeat at once: first token, end
        std::int64_t shift = -1, reached = -1;
        Relief relief;
        for (std::size_t i = 0; i < seeds_.size(); ++i) {
            const std::uint64_t seed = seeds_[i];
            relief.places(4);  // runs of both texts, and what finds them
            fetch_ahead(i);
            const auto apart = static_cast<std::int64_t>(seed >> 32), a = static_cast<std::int64_t>(seed & 0xffffffffU);
            if (apart == shift && a < reached) continue;
            shift = apart;
            reached = a + grams_.equal_from(a, a + shift);
            const std::int64_t begin = a - grams_.equal_before(a, a + shift);
            const std::int64_t length = reached - 1 + size_ - begin, end = begin + shift + length;
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
        Mapped<std::uint64_t>().swap(seeds_);
    }

    // Places of a seed are all over the collection: the runs of later ones are fetched before they are looked at.
    void fetch_ahead(std::size_t seed) const {
        constexpr std::size_t kAhead = 8;
        const auto both = [&](std::size_t i, auto fetch) {
            if (i >= seeds_.size()) return;
            const auto a = static_cast<std::int64_t>(seeds_[i] & 0xffffffffU);
            fetch(a), fetch(a + static_cast<std::int64_t>(seeds_[i] >> 32));
        };
        both(seed + 2 * kAhead, [&](std::int64_t at) { grams_.fetch_near(at); });
        both(seed + kAhead, [&](std::int64_t at) { grams_.fetch_run(at); });
    }

    // A stretch that repeats at once, each period with the next one, and what is left before and after them: as much as counts.
    void match_periods(std::int64_t begin, std::int64_t end, std::int64_t shift) {
        const std::int64_t least = least_from(begin), period = (least + shift - 1) / shift * shift;  // several short ones make one
        const auto counting = [&](std::int64_t left, std::int64_t enough) {  // of short ones what is left is nothing new
            return shift >= least && period + enough <= end - begin ? std::max(left, enough) : left;
        };
        std::int64_t at = begin;
        if (2 * period <= end - begin) {
            const std::int64_t start = period_start(begin, begin + (end - begin) % period, period);
            for (at = start; at + 2 * period <= end; at += period) found_.push_back({at, at + period, period});
            if (start - begin >= size_) found_.push_back({begin, begin + period, counting(start - begin, least)});
        }
        if (const std::int64_t left = end - at - period; left >= size_) {
            const std::int64_t length = counting(left, least_up_to(end));
            found_.push_back({end - length - period, end - length, length});
        }
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
        if (!grams_.count()) return;
        constexpr std::size_t kLater = 16;  // matches: fetched before
        TokenBits covered(grams_.end() - 1 + size_);
        Relief relief;
        for (std::size_t i = 0; i < found_.size(); ++i) {
            const Match& m = found_[i];
            relief.places(2);
            if (i + kLater < found_.size()) covered.fetch(found_[i + kLater].a), covered.fetch(found_[i + kLater].b);
            covered.set(m.a, m.a + m.length), covered.set(m.b, m.b + m.length);
        }
        for (std::size_t s = 0; s < hot_length_.size(); ++s)
            for (auto i = hot_first_[s]; i < hot_first_[s + 1]; ++i) {
                const std::int64_t at = hot_position_[static_cast<std::size_t>(i)];
                covered.set(at, at + hot_length_[s]);
            }
        std::vector<std::pair<std::int64_t, std::int64_t>> needed;  // leader, place
        for (std::size_t r = 0; r < grams_.runs(); ++r) {
            relief.places(2);
            const std::int64_t end = grams_.run_end(r), stop = end - 1 + size_;
            for (std::int64_t at = grams_.run_begin(r); at < end; ++at) {
                const std::int64_t bare = covered.first_clear(at, stop);
                if (bare == stop) break;
                at = std::max(at, bare - size_ + 1);
                const std::int64_t best = last_elsewhere(at, bare);
                if (const Match match = best >= 0 ? long_enough(best, bare) : Match{}; match.length > 0) {
                    found_.push_back(match);
                    covered.set(match.a, match.a + match.length), covered.set(match.b, match.b + match.length);
                } else if (best >= 0) {
                    covered.set(best, best + size_);
                    needed.emplace_back(grams_.leader(best), best);
                } else {
                    at = bare;
                }
            }
        }
        keep_classes(std::move(needed));
    }

    // A match of a gram and the first or the last other place of its class that is as long as a repeat must be and holds a token of the
    // gram; none, of no length, where a gram is as long, or there is no such place.
    Match long_enough(std::int64_t gram, std::int64_t token) const {
        if (counted_.is_enough(gram, gram + size_)) return {};
        const std::int64_t leader = grams_.leader(gram);
        for (const std::int64_t other : {leader, segments_.last(leader)}) {
            const std::int64_t a = std::min(gram, other), b = std::max(gram, other), shift = b - a;
            if (shift < size_) continue;
            const std::int64_t end = a + grams_.equal_from(a, b) - 1 + size_;
            std::int64_t start = token - (gram - a), length = least_from(start);
            if (start + length > end) length = least_up_to(end), start = end - length;
            if (start >= a - grams_.equal_before(a, b) && length <= shift) return {start, start + shift, length};
        }
        return {};
    }

    // The last gram that begins in [first, last] and stands elsewhere, too; -1 if none does.
    std::int64_t last_elsewhere(std::int64_t first, std::int64_t last) const {
        for (std::int64_t at = last; at >= first; --at) {
            const std::int64_t leader = grams_.leader(at);
            if (leader >= 0 && (at - leader >= size_ || segments_.last(leader) - at >= size_)) return at;
        }
        return -1;
    }

    // Segments of some places, given with their leaders, class by class; of places of one class that overlap, each is in another
    // one.
    void keep_classes(std::vector<std::pair<std::int64_t, std::int64_t>> needed) {
        std::sort(needed.begin(), needed.end());
        for (auto begin = needed.begin(), end = begin; begin != needed.end(); begin = end) {
            const std::vector<std::int64_t> own = segments_.members(begin->first);
            std::vector<std::int64_t> left, later;
            for (end = begin; end != needed.end() && end->first == begin->first; ++end) left.push_back(end->second);
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
        if (next == page_first_.begin() || next == page_first_.end())
            throw std::invalid_argument("runs: a gram begins on no page");
        return {*std::prev(next), *next};
    }

    Found columns() {
        std::sort(found_.begin(), found_.end());
        Mapped<std::int64_t> a, b, lengths;
        for (const Match& m : found_) a.push_back(m.a), b.push_back(m.b), lengths.push_back(m.length);
        return {std::move(a), std::move(b), std::move(lengths), std::move(hot_first_), std::move(hot_position_),
                std::move(hot_length_)};
    }

    const RepeatedGrams grams_;
    const Segments segments_;
    std::int64_t size_, max_members_;
    CountedLength counted_;
    Offsets block_first_, page_first_;
    std::int64_t growth_ = 0, led_to_ = 0;  // steps of places that may be grown, before which token the first of them stands
    Mapped<std::uint64_t> seeds_;  // shift * 2^32 + place
    std::vector<Match> found_;
    std::unordered_map<std::uint64_t, Common> common_;  // of a page's segments, by two of their places and how many there are
    std::unordered_map<std::int64_t, std::int64_t> grown_to_;  // of segments of so many places: the end of the last one
    Mapped<std::int64_t> hot_first_{0}, hot_position_, hot_length_;
};

}  // namespace dedup
