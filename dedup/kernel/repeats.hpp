// Exact repeats: maximal matches between two places, segments of many places, periods of what repeats at once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <tuple>
#include <vector>

#include "arrays.hpp"
#include "common_places.hpp"
#include "leftovers.hpp"
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
        : grams_(that_count_alike(std::move(grams), counted)), counted_(counted), size_(counted.size()), max_members_(max_members),
          block_first_(block_first), page_first_(page_first), common_(grams_, counted, max_members, page_first) {}
    RepeatFinder(const RepeatFinder&) = delete;
    RepeatFinder& operator=(const RepeatFinder&) = delete;

    Found found() {
        std::vector<Layer> layers;
        layers.reserve(2);
        if (counted_.is_gram()) {
            layers.emplace_back(grams_, Named::kGram, counted_);
        } else {
            look_at_grams();
            begun_ = WindowRuns(grams_, counted_).that_begin();
            ended_ = WindowRuns(grams_, counted_).that_end();
            layers.emplace_back(begun_, Named::kByFirst, counted_);
            if (ended_.count()) layers.emplace_back(ended_, Named::kByLast, counted_);
        }
        for (Layer& layer : layers) look_at(layer, layers[0]);
        match_seeds();
        if (grams_.count()) Leftovers(found_, told_, common_.kept(), grams_.end() - 1 + size_, counted_, page_first_).keep(layers);
        return columns();
    }

private:
    // Two places of one gram, to be ordered by how far they are apart.
    void add_seed(std::uint32_t a, std::uint32_t b) { seeds_.push_back(std::uint64_t{b - a} << 32 | a); }

    bool are_few(Places places) const { return static_cast<std::int64_t>(places.size()) <= max_members_; }

    void seed_all_pairs(Places places) {
        for (std::size_t i = 0; i < places.size(); ++i)
            for (std::size_t j = i + 1; j < places.size(); ++j) add_seed(places[i], places[j]);
    }

    // Segments of grams that are too short to count: matches of few places, and those of many that do not count.
    void look_at_grams() {
        Layer layer(grams_, Named::kGram, counted_);
        common_.begin_anew();
        Relief relief;
        for (std::size_t s = 0; s < layer.segments.size(); ++s) {
            const Places places = layer.segments.places(s);
            relief.place();
            if (places.size() < 2) continue;  // a gram that counts unlike all others
            common_.look_at(layer, s);
            if (counted_.is_enough(places[0], places[0] + size_)) continue;  // its first window is this gram
            if (are_few(places)) seed_all_pairs(places);
            else common_.keep_many(layer, layer, s, {0, 0}, {0, layer.segments.grams(s) - 1}, false);
        }
    }

    // Segments of what counts; `known` has those that were looked at first.
    void look_at(Layer& layer, const Layer& known) {
        common_.begin_anew();
        common_.grow_from_behind(layer);
        Relief relief;
        for (std::size_t s = 0; s < layer.segments.size(); ++s) {
            const Places places = layer.segments.places(s);
            relief.place();
            if (places.size() < 2) continue;  // a window that is equal to no other
            common_.look_at(layer, s);
            const std::int64_t last = layer.segments.grams(s) - 1;
            if (are_few(places)) {
                seed_all_pairs(places);
                common_.keep_few(places);
            } else {
                const Around named = layer.inside(places[0]);
                const std::int64_t stretch = named.length(size_);
                for (std::size_t i = 0; i + 1 < places.size(); ++i)
                    if (places[i + 1] - places[i] < stretch && places[i + 1] < page_around(page_first_, places[i]).second)
                        add_seed(places[i], places[i + 1]);
                common_.keep_many(layer, known, s, named, {named.before, last + layer.inside(places[0] + last).after}, true);
            }
        }
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
        const bool is_new = shift >= least;  // of short ones what is left is nothing new
        const std::size_t before = found_.size();
        const auto counting = [&](std::int64_t left, std::int64_t enough) {
            return is_new && period + enough <= end - begin ? std::max(left, enough) : left;
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
        const auto counts = [&](const Match& match) { return counted_.is_enough(match.a, match.a + match.length); };
        if (!is_new && least > size_ && std::any_of(found_.begin() + static_cast<std::ptrdiff_t>(before), found_.end(), counts))
            told_.emplace_back(begin, end);
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

    Found columns() {
        std::sort(found_.begin(), found_.end());
        Mapped<std::int64_t> a, b, lengths;
        for (const Match& m : found_) a.push_back(m.a), b.push_back(m.b), lengths.push_back(m.length);
        SegmentTable& kept = common_.kept();
        return {std::move(a), std::move(b), std::move(lengths), std::move(kept.first), std::move(kept.position),
                std::move(kept.length)};
    }

    const RepeatedGrams grams_;
    RepeatedGrams begun_, ended_;  // windows
    CountedLength counted_;
    std::int64_t size_, max_members_;
    Offsets block_first_, page_first_;
    CommonPlaces common_;
    Mapped<std::uint64_t> seeds_;  // shift * 2^32 + place
    std::vector<Match> found_;
    std::vector<Stretch> told_;  // stretches of short periods of which something counts, whole
};

}  // namespace dedup
