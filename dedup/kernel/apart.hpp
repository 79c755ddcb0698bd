// Ranges that belong to owners: what they hold when each point of an owner is counted once.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <tuple>

#include "arrays.hpp"
#include "memory.hpp"
#include "places.hpp"
#include "sets.hpp"

namespace dedup {

// What the ranges of each owner hold, as ranges apart from each other and none of them empty; ascending by owner, then by start. Of
// ranges that overlap, a later one gives up what is taken. No number is negative.
inline std::tuple<Mapped<std::int64_t>, Mapped<std::int64_t>, Mapped<std::int64_t>> ranges_apart(Offsets owner, Offsets start,
                                                                                                  Offsets end) {
    const std::size_t count = owner.size();
    const auto unsigned_ = [](Offsets column) {
        return std::span(reinterpret_cast<const std::uint64_t*>(column.data()), column.size());
    };
    Mapped<std::int64_t> owners, starts, ends;
    owners.reserve(count), starts.reserve(count), ends.reserve(count);
    std::int64_t now = -1, reached = 0;
    Relief relief;
    const auto put = [&](std::size_t i) {
        if (owner[i] != now) now = owner[i], reached = 0;
        const std::int64_t begin = std::max(start[i], reached);
        if (end[i] <= begin) return;
        owners.push_back(now), starts.push_back(begin), ends.push_back(end[i]);
        reached = end[i];
    };
    bool ascend = true;
    for (std::size_t i = 1; i < count && ascend; ++i)
        ascend = owner[i - 1] < owner[i] || (owner[i - 1] == owner[i] && start[i - 1] <= start[i]);
    if (ascend) {
        for (std::size_t i = 0; i < count; ++i) put(i);
    } else {
        const Mapped<std::int64_t> by_start = stable_order(unsigned_(start));
        Mapped<std::uint64_t> owner_of(count);
        for (std::size_t i = 0; i < count; ++i) owner_of[i] = static_cast<std::uint64_t>(owner[static_cast<std::size_t>(by_start[i])]);
        const auto put_next = [&](std::size_t row, std::uint64_t) {
            relief.place();
            put(static_cast<std::size_t>(by_start[row]));
        };
        if (std::is_sorted(owner_of.begin(), owner_of.end()))  // ranges of pages, by page
            for (std::size_t row = 0; row < count; ++row) put_next(row, 0);
        else in_stable_order(std::span<const std::uint64_t>(owner_of), put_next);
    }
    return {std::move(owners), std::move(starts), std::move(ends)};
}

// How much of each range lies in frames, which ascend and are apart from each other.
inline Mapped<std::int64_t> lengths_inside(Offsets frame_start, Offsets frame_end, Offsets start, Offsets end) {
    Mapped<std::int64_t> out(start.size(), 0);
    if (frame_start.empty()) return out;
    Mapped<std::int64_t> before(frame_start.size() + 1, 0);
    for (std::size_t f = 0; f < frame_start.size(); ++f) before[f + 1] = before[f] + frame_end[f] - frame_start[f];
    BlockFinder finder(frame_start);  // the last frame that begins at a place or before it
    const auto up_to = [&](std::int64_t place) {
        if (place <= frame_start[0]) return std::int64_t{0};
        const std::size_t f = index(finder.of(place));
        return before[f] + std::min(place - frame_start[f], frame_end[f] - frame_start[f]);
    };
    Relief relief;
    for (std::size_t i = 0; i < start.size(); ++i) {
        relief.place();
        out[i] -= up_to(start[i]);
        out[i] += up_to(end[i]);
    }
    return out;
}

}  // namespace dedup
