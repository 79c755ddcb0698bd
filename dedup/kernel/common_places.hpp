// What several places have in common: segments of many places, and of a few where their pairs do not say it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "layers.hpp"

namespace dedup {

using Places = std::span<const std::uint32_t>;

// Segments of a layer are given in order, each to `keep_few` or `keep_many`, after `begin_anew` and, each, `look_at`.
class CommonPlaces {
public:
    CommonPlaces(const RepeatedGrams& grams, CountedLength counted, std::int64_t max_members, Offsets page_first)
        : grams_(grams), counted_(counted), size_(counted.size()), max_members_(max_members), page_first_(page_first) {}

    SegmentTable& kept() { return kept_; }

    void begin_anew() {
        led_to_ = 0;
        grown_to_.clear();
    }

    // Before a segment is kept: of each page, steps for the segments of which the first place is there.
    void look_at(const Layer& layer, std::size_t s) {
        if (layer.segments.places(s)[0] >= led_to_) grow_anew(layer, s);
    }

    // Segments of many places, grown to the right from the last one on, a few steps each: the segment that follows one often has the
    // same first place, and is grown already.
    void grow_from_behind(Layer& layer) const {
        if (layer.named == Named::kByLast) return;
        for (std::size_t s = layer.segments.size(); s-- > 0;) {
            const Places places = layer.segments.places(s);
            if (static_cast<std::int64_t>(places.size()) <= max_members_) continue;
            const std::int64_t last = layer.segments.grams(s) - 1;
            Around around{0, last + layer.inside(places[0] + last).after};
            std::int64_t steps = kGrowth * static_cast<std::int64_t>(places.size());
            grow_after(layer, places, around, steps);
            layer.grown[s] = around;
        }
    }

    // What a few places have in common is a segment, too, where those pairs that have no more in common do not link all of them: else
    // a place would be missing that has something more in common with each of the others.
    void keep_few(Places places) {
        if (places.size() < 3 || growth_ <= 0) return;
        Common& known = common_[std::uint64_t{places[1] - places[0]} << 32 | places.size()];
        if (places[0] < known.end && known.is_of(places)) return;  // others stood beside these places for a while
        auto [before, after] = equal_around(places[0], places[1], 0);
        for (const std::uint32_t place : places.subspan(2)) {
            const Equal own = equal_around(places[0], place, 0);
            before = std::min(before, own.before);
            after = std::min(after, own.after);
        }
        growth_ -= static_cast<std::int64_t>(places.size()) * (before + after);
        known = {{places.begin(), places.end()}, places[0] + after};
        for (std::size_t i = 0; i + 1 < places.size(); ++i)
            if (places[i + 1] - places[i] < match_of(places[i], places[i + 1], i)) return;  // a stretch that repeats at once
        if (!are_linked(places, before, after)) keep(places, before, before + after - 1 + size_);
    }

    // A segment of many places, grown to both sides as far as all of them agree, from the stretch that names it, `named`, and what it is
    // known to have. Where places are nearer to each other than that, it repeats at once: it is cut into periods, and the one is kept in
    // which the stretch begins. One that as many places have grown over stands there already. Of grams, those that count are found by windows.
    // `known`: a layer of which segments that hold more places may be grown already, this one or that of what begins with a gram.
    void keep_many(Layer& layer, const Layer& known, std::size_t segment, const Around& named, Around around, bool counts) {
        const Places places = layer.segments.places(segment);
        Grown& last = grown_to_[static_cast<std::int64_t>(places.size())];
        Around& grown = layer.grown[segment];
        if (places[0] - named.before < last.kept_end && places[0] + named.after + size_ <= last.end) {
            grown = {places[0] - last.begin, std::max(grown.after, last.end - size_ - places[0])};
            return;
        }
        around.after = std::max(around.after, grown.after);
        grow_before(known, places, around, growth_);
        grow_after(known, places, around, growth_);
        grown = around;
        const std::int64_t begin = places[0] - around.before, end = begin + around.length(size_), apart = apart_by(places);
        std::int64_t start = begin, length = end - begin;
        if (apart < length) {
            start += (around.before - named.before) / apart * apart;
            length = std::min(std::max(apart, counted_.least_from(start)), end - start);
        }
        last = {start + length, begin, end};
        if (counts || !counted_.is_enough(start, start + length)) keep(places, places[0] - start, length);
    }

private:
    static constexpr std::int64_t kGrowth = 16;  // steps a gram of a page's segments, at most, for those that grow; those of one from behind

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

    // Tokens of the first of places that were grown: where what is kept ends, and what all of them share begins and ends.
    struct Grown {
        std::int64_t kept_end = 0, begin = 0, end = 0;
    };

    // How many grams before two equal ones are equal, and from them on.
    struct Equal {
        std::int64_t before, after;
    };

    // That of two places, of which the first one is the `nth` of its segment. Two copies of a text agree over all that it repeats in
    // itself: what was found for the segment before is looked for first.
    Equal equal_around(std::int64_t a, std::int64_t b, std::size_t nth) {
        constexpr std::int64_t kLong = 64;  // of shorter ones the search costs less than to keep them
        const std::pair key{b - a, nth};
        if (const auto known = agreed_.find(key); known != agreed_.end() && known->second.first <= a && a < known->second.second)
            return {a - known->second.first, known->second.second - a};
        const Equal equal{grams_.equal_before(a, b), grams_.equal_from(a, b)};
        if (equal.before + equal.after >= kLong) agreed_[key] = {a - equal.before, a + equal.after};
        return equal;
    }

    // Tokens that two places have in common.
    std::int64_t match_of(std::int64_t a, std::int64_t b, std::size_t nth) {
        const Equal equal = equal_around(a, b, nth);
        return equal.before + equal.after - 1 + size_;
    }

    // Whether the pairs that have so much in common, and no more, link all places.
    bool are_linked(Places places, std::int64_t before, std::int64_t after) const {
        std::vector<std::uint32_t> linked{places[0]}, left(places.begin() + 1, places.end());
        for (std::size_t i = 0; i < linked.size() && !left.empty(); ++i)
            std::erase_if(left, [&](std::uint32_t place) {
                const std::int64_t a = std::min(linked[i], place), b = std::max(linked[i], place);
                const bool same = grams_.equal_before(a, b, before + 1) == before && grams_.equal_from(a, b, after + 1) == after;
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
    void grow_anew(const Layer& layer, std::size_t s) {
        led_to_ = page_around(page_first_, layer.segments.places(s)[0]).second;
        growth_ = 0;
        common_.clear();
        agreed_.clear();
        for (; s < layer.segments.size() && layer.segments.places(s)[0] < led_to_; ++s)
            if (const Places places = layer.segments.places(s); places.size() > 1)
                growth_ += kGrowth * static_cast<std::int64_t>(places.size()) *
                           (layer.segments.grams(s) + layer.length(places[0]) - size_);
    }

    // What places have in common, grown to a side as far as all of them agree: gram by gram, and as far as those go on together that the
    // segment has there, which holds these places and more.
    void grow_before(const Layer& known, Places places, Around& around, std::int64_t& steps) const {
        const auto count = static_cast<std::int64_t>(places.size());
        for (; steps > 0 && agree(places, -around.before - 1); steps -= count) {
            ++around.before;
            around.before += known.known_around(places[0] - around.before).before;
        }
    }
    void grow_after(const Layer& known, Places places, Around& around, std::int64_t& steps) const {
        const auto count = static_cast<std::int64_t>(places.size());
        for (; steps > 0 && agree(places, around.after + 1); steps -= count) {
            ++around.after;
            const std::int64_t end = places[0] + around.after + size_;
            const std::int64_t at = end - (known.named == Named::kGram ? size_ : counted_.least_up_to(end));
            around.after = std::max(around.after, at - places[0] + known.known_around(at).after);
        }
    }

    static std::int64_t apart_by(Places places) {
        std::int64_t least = INT64_MAX;
        for (std::size_t i = 0; i + 1 < places.size(); ++i) least = std::min<std::int64_t>(least, places[i + 1] - places[i]);
        return least;
    }

    // A segment of the places that do not overlap an earlier one, if there are two.
    void keep(Places places, std::int64_t before, std::int64_t length) {
        const auto kept = kept_.position.size();
        for (const std::uint32_t place : places)
            if (kept_.position.size() == kept || place - before >= kept_.position.back() + length) kept_.position.push_back(place - before);
        if (kept_.position.size() - kept < 2) {
            kept_.position.resize(kept);
            return;
        }
        kept_.end_segment(length);
    }

    const RepeatedGrams& grams_;
    CountedLength counted_;
    std::int64_t size_, max_members_;
    Offsets page_first_;
    std::int64_t growth_ = 0, led_to_ = 0;  // steps of places that may be grown, before which token the first of them stands
    std::unordered_map<std::uint64_t, Common> common_;  // of a page's segments, by two of their places and how many there are
    std::map<std::pair<std::int64_t, std::size_t>, std::pair<std::int64_t, std::int64_t>> agreed_;  // of a page's: grams, see equal_around
    std::unordered_map<std::int64_t, Grown> grown_to_;  // the last segment of so many places
    SegmentTable kept_;
};

}  // namespace dedup
