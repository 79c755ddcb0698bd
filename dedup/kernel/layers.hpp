// Equal stretches that count, as grams or as windows, and their segments.
#pragma once

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "arrays.hpp"
#include "counted_length.hpp"
#include "segments.hpp"

namespace dedup {

// Grams before and after the one at a place that some places have in common.
struct Around {
    std::int64_t before, after;

    std::int64_t length(std::int64_t size) const { return before + after + size; }
};

// What equal stretches that count are named by: the gram that they are, their first one, or their last one.
enum class Named { kGram, kByFirst, kByLast };
struct Layer {
    const RepeatedGrams& runs;
    Segments segments;
    Named named;
    CountedLength counted;
    std::unordered_map<std::size_t, Around> grown{};  // segments of many places: what they have around their first gram

    Layer(const RepeatedGrams& own, Named by, CountedLength count) : runs(own), segments(own), named(by), counted(count) {}

    // Grams around the one that names a stretch, in it, and the tokens of that.
    Around inside(std::int64_t gram) const {
        if (named == Named::kByFirst) return {0, counted.least_from(gram) - counted.size()};
        if (named == Named::kByLast) return {counted.least_up_to(gram + counted.size()) - counted.size(), 0};
        return {0, 0};
    }
    std::int64_t length(std::int64_t gram) const { return inside(gram).length(counted.size()); }

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

// Segments of many places: those of segment s are position[first[s]..first[s + 1]), each length[s] tokens long.
struct SegmentTable {
    Mapped<std::int64_t> first{0}, position, length;

    std::size_t size() const { return length.size(); }
    void end_segment(std::int64_t tokens) {
        first.push_back(static_cast<std::int64_t>(position.size()));
        length.push_back(tokens);
    }
};

// First token of the page that holds one, and the token behind it.
inline std::pair<std::int64_t, std::int64_t> page_around(Offsets page_first, std::int64_t token) {
    const auto next = std::upper_bound(page_first.begin(), page_first.end(), token);
    if (next == page_first.begin() || next == page_first.end())
        throw std::invalid_argument("runs: a gram begins on no page");
    return {*std::prev(next), *next};
}

}  // namespace dedup
