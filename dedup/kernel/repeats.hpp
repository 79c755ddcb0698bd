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
#include "counted_length.hpp"
#include "segments.hpp"
#include "token_bits.hpp"
#include "windows.hpp"

namespace dedup {

// Exact repeats of `size` tokens or more.
//
// - Segments of at most `max_members` places become matches: every two of their places, grown to both sides as far as the
//   texts agree; what all have in common is a segment, too, where pairs of no more do not link them. The others stay segments,
//   grown as far as all of their places agree; of places that overlap, first come first kept.
// - Where a gram is too short to count, so it is with the segments of equal windows, the shortest stretches that count. Segments of
//   grams are matches, too, if they have few places; those of many that do not count stay, for who looks for edited passages.
// - A match longer than its shift is a stretch that repeats at once: its periods become matches, each with the next one, and
//   what lies inside it with a longer shift is left out. A period is long enough to count. Places of a segment that are nearer to
//   each other than that are such a stretch, too.
// - What is in none of these, and stands again without overlapping itself, is in a segment as long as a gram or a window.
class RepeatFinder {
public:
    // Matches (a, b, length) ascending; segments (first, position, length).
    using Found = std::tuple<Mapped<std::int64_t>, Mapped<std::int64_t>, Mapped<std::int64_t>,
                             Mapped<std::int64_t>, Mapped<std::int64_t>, Mapped<std::int64_t>>;

    RepeatFinder(RepeatedGrams grams, std::int64_t max_members, CountedLength counted, Offsets block_first, Offsets page_first)
        : grams_(std::move(grams)), size_(counted.size()), max_members_(max_members), counted_(counted),
          block_first_(block_first), page_first_(page_first) {}

    Found found() {
        std::vector<Layer> layers;
        layers.reserve(2);
        if (counted_.is_gram()) {
            layers.emplace_back(grams_, Named::kGram);
        } else {
            look_at_grams();
            begun_ = WindowRuns(grams_, counted_).that_begin();
            ended_ = WindowRuns(grams_, counted_).that_end();
            layers.emplace_back(begun_, Named::kByFirst);
            if (ended_.count()) layers.emplace_back(ended_, Named::kByLast);
        }
        for (Layer& layer : layers) look_at(layer);
        match_seeds();
        keep_the_rest(layers);
        return columns();
    }

private:
    static constexpr std::int64_t kGrowth = 16;  // steps a gram of a page's segments, at most, for those that grow; those of one from behind

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

    // What equal stretches that count are named by: the gram that they are, their first one, or their last one.
    enum class Named { kGram, kByFirst, kByLast };
    struct Layer {
        const RepeatedGrams& runs;
        Segments segments;
        Named named;
        std::unordered_map<std::size_t, Around> grown{};  // segments of many places: what they have around their first gram

        Layer(const RepeatedGrams& own, Named by) : runs(own), segments(own), named(by) {}

        // What all places of a segment of many have around one of its grams, as far as known: it may be more, not less.
        Around known_around(std::int64_t gram) const {
            const std::int64_t leader = runs.leader(gram);
            if (leader < 0) return {0, 0};
            const auto segment = grown.find(segments.of(leader));
            if (segment == grown.end()) return {0, 0};
            const std::int64_t further = leader - segments.places(segment->first)[0];
            return {segment->second.before + further, segment->second.after - further};
        }
    };

    // Places that were grown, as far as they are kept and as far as they agree; all said of the first of them.
    struct Grown {
        std::int64_t kept_end = 0, begin = 0, end = 0;
    };

    // Grams around the one that names a stretch, in it.
    Around inside(const Layer& layer, std::int64_t gram) const {
        if (layer.named == Named::kByFirst) return {0, counted_.least_from(gram) - size_};
        if (layer.named == Named::kByLast) return {counted_.least_up_to(gram + size_) - size_, 0};
        return {0, 0};
    }

    // Two places of one gram, to be ordered by how far they are apart.
    void add_seed(std::uint32_t a, std::uint32_t b) { seeds_.push_back(std::uint64_t{b - a} << 32 | a); }

    bool are_few(Places places) const { return static_cast<std::int64_t>(places.size()) <= max_members_; }

    void seed_all_pairs(Places places) {
        for (std::size_t i = 0; i < places.size(); ++i)
            for (std::size_t j = i + 1; j < places.size(); ++j) add_seed(places[i], places[j]);
    }

    // Segments of grams that are too short to count: matches of few places, and those of many that do not count.
    void look_at_grams() {
        Layer layer(grams_, Named::kGram);
        begin_anew();
        Relief relief;
        for (std::size_t s = 0; s < layer.segments.size(); ++s) {
            const Places places = layer.segments.places(s);
            relief.place();
            if (places[0] >= led_to_) grow_anew(layer, s);
            if (counted_.is_enough(places[0], places[0] + size_)) continue;  // its first window is this gram
            if (are_few(places)) seed_all_pairs(places);
            else keep_segment(layer, s, {0, 0}, {0, layer.segments.grams(s) - 1}, false);
        }
    }

    // Segments of what counts.
    void look_at(Layer& layer) {
        grow_from_behind(layer);
        begin_anew();
        Relief relief;
        for (std::size_t s = 0; s < layer.segments.size(); ++s) {
            const Places places = layer.segments.places(s);
            relief.place();
            if (places.size() < 2) continue;  // a window that is equal to no other
            if (places[0] >= led_to_) grow_anew(layer, s);
            const std::int64_t last = layer.segments.grams(s) - 1;
            if (are_few(places)) {
                seed_all_pairs(places);
                keep_common(places);
            } else {
                const Around named = inside(layer, places[0]);
                const std::int64_t stretch = named.length(size_);
                for (std::size_t i = 0; i + 1 < places.size(); ++i)
                    if (places[i + 1] - places[i] < stretch && places[i + 1] < page_around(places[i]).second)
                        add_seed(places[i], places[i + 1]);
                keep_segment(layer, s, named, {named.before, last + inside(layer, places[0] + last).after}, true);
            }
        }
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
        for (std::size_t i = 0; i + 1 < places.size(); ++i)
            if (places[i + 1] - places[i] < match_of(places[i], places[i + 1])) return;  // a stretch that repeats at once
        if (!are_linked(places, before, after)) keep(places, before, before + after - 1 + size_);
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

    void begin_anew() {
        led_to_ = 0;
        grown_to_.clear();
    }

    // Steps for the segments of which the first place is on the page where that of s is: what other pages hold changes nothing.
    void grow_anew(const Layer& layer, std::size_t s) {
        led_to_ = page_around(layer.segments.places(s)[0]).second;
        growth_ = 0;
        common_.clear();
        for (; s < layer.segments.size() && layer.segments.places(s)[0] < led_to_; ++s)
            if (const Places places = layer.segments.places(s); places.size() > 1)
                growth_ += kGrowth * static_cast<std::int64_t>(places.size()) *
                           (layer.segments.grams(s) + inside(layer, places[0]).length(size_) - size_);
    }

    // A segment of many places, grown to both sides as far as all of them agree, from the stretch that names it, `named`, and what it is
    // known to have. Where places are nearer to each other than that, it is as long as keeps them apart, and begins with what names it. One
    // that as many places have grown over stands there whole already. Of grams, those that count are found by windows.
    void keep_segment(Layer& layer, std::size_t segment, const Around& named, Around around, bool counts) {
        const Places places = layer.segments.places(segment);
        Grown& last = grown_to_[static_cast<std::int64_t>(places.size())];
        Around& grown = layer.grown[segment];
        if (places[0] + named.after < last.kept_end) {
            grown = {places[0] - last.begin, std::max(grown.after, last.end - 1 - places[0])};
            return;
        }
        around.after = std::max(around.after, grown.after);
        grow_before(layer, places, around, growth_);
        grow_after(layer, places, around, growth_);
        grown = around;
        last = {0, places[0] - around.before, places[0] + around.after + 1};
        if (const std::int64_t apart = apart_by(places); apart < around.length(size_)) {
            around.before = named.before;
            around.after = std::max(named.after, std::min(around.after, apart - named.before - size_));
        }
        last.kept_end = places[0] + around.after + 1;
        const std::int64_t start = places[0] - around.before;
        if (counts || !counted_.is_enough(start, start + around.length(size_))) keep(places, around.before, around.length(size_));
    }

    // What places have in common, grown to a side as far as all of them agree: gram by gram, and as far as those go on together that the
    // segment has there, which holds these places and more.
    void grow_before(const Layer& layer, Places places, Around& around, std::int64_t& steps) const {
        const auto count = static_cast<std::int64_t>(places.size());
        for (; steps > 0 && agree(places, -around.before - 1); steps -= count) {
            ++around.before;
            if (layer.named != Named::kByLast) around.before += layer.known_around(places[0] - around.before).before;
        }
    }
    void grow_after(const Layer& layer, Places places, Around& around, std::int64_t& steps) const {
        const auto count = static_cast<std::int64_t>(places.size());
        for (; steps > 0 && agree(places, around.after + 1); steps -= count) {
            ++around.after;
            if (layer.named == Named::kByLast) continue;
            const std::int64_t end = places[0] + around.after + size_;
            const std::int64_t at = end - (layer.named == Named::kGram ? size_ : counted_.least_up_to(end));
            around.after = std::max(around.after, at - places[0] + layer.known_around(at).after);
        }
    }

    // Segments of many places, grown to the right from the last one on, a few steps each: the segment that follows one often has the
    // same first place, and is grown already.
    void grow_from_behind(Layer& layer) const {
        if (layer.named == Named::kByLast) return;
        for (std::size_t s = layer.segments.size(); s-- > 0;) {
            const Places places = layer.segments.places(s);
            if (are_few(places)) continue;
            const std::int64_t last = layer.segments.grams(s) - 1;
            Around around{0, last + inside(layer, places[0] + last).after};
            std::int64_t steps = kGrowth * static_cast<std::int64_t>(places.size());
            grow_after(layer, places, around, steps);
            layer.grown[s] = around;
        }
    }

    static std::int64_t apart_by(Places places) {
        std::int64_t least = INT64_MAX;
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
        const std::int64_t least = counted_.least_from(begin), period = (least + shift - 1) / shift * shift;  // several short ones make one
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
            const std::int64_t length = counting(left, counted_.least_up_to(end));
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

    // Tokens of repeated grams or windows that are in nothing found that counts: places of one over each are one more segment.
    void keep_the_rest(const std::vector<Layer>& layers) {
        if (!grams_.count()) return;
        TokenBits covered = covered_by_found();
        for (const Layer& layer : layers) {
            std::vector<std::pair<std::int64_t, std::int64_t>> needed;  // leader, place
            if (layer.named == Named::kByLast) cover_one_by_one(layer, covered, needed);
            else cover_far(layer, covered, needed);
            keep_classes(layer, std::move(needed));
        }
    }

    TokenBits covered_by_found() const {
        constexpr std::size_t kLater = 16;  // matches: fetched before
        const bool all_count = counted_.is_gram();
        TokenBits covered(grams_.end() - 1 + size_);
        Relief relief;
        for (std::size_t i = 0; i < found_.size(); ++i) {
            const Match& m = found_[i];
            relief.places(2);
            if (i + kLater < found_.size()) covered.fetch(found_[i + kLater].a), covered.fetch(found_[i + kLater].b);
            if (!all_count && !counted_.is_enough(m.a, m.a + m.length)) continue;
            covered.set(m.a, m.a + m.length), covered.set(m.b, m.b + m.length);
        }
        for (std::size_t s = 0; s < hot_length_.size(); ++s) {
            const std::int64_t length = hot_length_[s], first = hot_position_[static_cast<std::size_t>(hot_first_[s])];
            if (!all_count && !counted_.is_enough(first, first + length)) continue;
            for (auto i = hot_first_[s]; i < hot_first_[s + 1]; ++i) {
                const std::int64_t at = hot_position_[static_cast<std::size_t>(i)];
                covered.set(at, at + length);
            }
        }
        return covered;
    }

    // Bare tokens from left to right, each by the last stretch over it that stands elsewhere, too.
    void cover_far(const Layer& layer, TokenBits& covered, std::vector<std::pair<std::int64_t, std::int64_t>>& needed) const {
        const auto end_of = [&](std::int64_t at) { return at + inside(layer, at).length(size_); };
        Relief relief;
        for (std::size_t r = 0; r < layer.runs.runs(); ++r) {
            relief.places(2);
            const std::int64_t last = layer.runs.run_end(r) - 1, stop = end_of(last);
            for (std::int64_t at = layer.runs.run_begin(r); at <= last; ++at) {
                const std::int64_t bare = covered.first_clear(at, stop);
                if (bare == stop) break;
                for (at = std::max(at, bare + 1 - counted_.most()); end_of(at) <= bare; ++at) {}
                const std::int64_t best = last_elsewhere(layer, at, bare);
                if (best >= 0) {
                    covered.set(best, end_of(best));
                    needed.emplace_back(layer.runs.leader(best), best);
                } else {
                    at = bare;
                }
            }
        }
    }

    // The same for stretches of any begin, few of them.
    void cover_one_by_one(const Layer& layer, TokenBits& covered, std::vector<std::pair<std::int64_t, std::int64_t>>& needed) const {
        for (std::size_t r = 0; r < layer.runs.runs(); ++r)
            for (std::int64_t at = layer.runs.run_begin(r); at < layer.runs.run_end(r); ++at) {
                const std::int64_t begin = at - inside(layer, at).before, end = at + size_;
                if (covered.first_clear(begin, end) == end || !stands_elsewhere(layer, at)) continue;
                covered.set(begin, end);
                needed.emplace_back(layer.runs.leader(at), at);
            }
    }

    // The last stretch that begins in [first, last] and stands elsewhere, too; -1 if none does.
    std::int64_t last_elsewhere(const Layer& layer, std::int64_t first, std::int64_t last) const {
        for (std::int64_t at = last; at >= first; --at)
            if (layer.runs.leader(at) >= 0 && stands_elsewhere(layer, at)) return at;
        return -1;
    }

    bool stands_elsewhere(const Layer& layer, std::int64_t at) const {
        const std::int64_t leader = layer.runs.leader(at), length = inside(layer, at).length(size_);
        return at - leader >= length || layer.segments.last(leader) - at >= length;
    }

    // Segments of some places, given with their leaders, class by class; of places of one class that overlap, each is in another
    // one.
    void keep_classes(const Layer& layer, std::vector<std::pair<std::int64_t, std::int64_t>> needed) {
        std::sort(needed.begin(), needed.end());
        for (auto begin = needed.begin(), end = begin; begin != needed.end(); begin = end) {
            const std::vector<std::int64_t> own = layer.segments.members(begin->first);
            const Around around = inside(layer, begin->first);
            std::vector<std::int64_t> left, later;
            for (end = begin; end != needed.end() && end->first == begin->first; ++end) left.push_back(end->second);
            for (; !left.empty(); left.swap(later)) {
                later.clear();
                std::vector<std::int64_t> apart;
                for (const std::int64_t at : left)
                    (apart.empty() || at >= apart.back() + around.length(size_) ? apart : later).push_back(at);
                keep_beside(apart, own, around);
            }
        }
    }

    // A segment of some members of a class, none of which overlap, and of company for them: where one stands alone on its page,
    // the first other member there; where there is none either, the first member of every other page.
    void keep_beside(const std::vector<std::int64_t>& apart, const std::vector<std::int64_t>& members, const Around& around) {
        const std::int64_t length = around.length(size_);
        std::vector<std::int64_t> kept(apart);
        bool lonely = false;
        for (std::size_t i = 0; i < apart.size(); ++i) {
            const auto [begin, end] = page_around(apart[i]);
            if ((i > 0 && apart[i - 1] >= begin) || (i + 1 < apart.size() && apart[i + 1] < end)) continue;
            auto at = std::lower_bound(members.begin(), members.end(), begin);
            while (at != members.end() && *at < end && std::abs(*at - apart[i]) < length) ++at;
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
        for (const std::int64_t at : kept) hot_position_.push_back(at - around.before);
        hot_first_.push_back(static_cast<std::int64_t>(hot_position_.size()));
        hot_length_.push_back(length);
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
    RepeatedGrams begun_, ended_;  // windows
    std::int64_t size_, max_members_;
    CountedLength counted_;
    Offsets block_first_, page_first_;
    std::int64_t growth_ = 0, led_to_ = 0;  // steps of places that may be grown, before which token the first of them stands
    Mapped<std::uint64_t> seeds_;  // shift * 2^32 + place
    std::vector<Match> found_;
    std::unordered_map<std::uint64_t, Common> common_;  // of a page's segments, by two of their places and how many there are
    std::unordered_map<std::int64_t, Grown> grown_to_;  // the last segment of so many places
    Mapped<std::int64_t> hot_first_{0}, hot_position_, hot_length_;
};

}  // namespace dedup
