// Bytes, code points and lines: where a place in a buffer stands. No Python here.
#pragma once

#include <vector>

#include "arrays.hpp"

namespace dedup {

inline bool is_continuation(std::uint8_t byte) { return (byte & 0xC0) == 0x80; }

inline std::int64_t count_code_points(Bytes text, std::int64_t from, std::int64_t to) {
    std::int64_t count = 0;
    for (std::int64_t i = from; i < to; ++i) count += !is_continuation(text[static_cast<std::size_t>(i)]);
    return count;
}

inline std::vector<std::int64_t> code_points(Bytes text, Offsets positions) {
    check_ascending(positions, static_cast<std::int64_t>(text.size()), "positions");
    std::vector<std::int64_t> counts;
    counts.reserve(positions.size());
    std::int64_t at = 0, count = 0;
    for (std::int64_t position : positions) {
        count += count_code_points(text, at, position);
        at = position;
        counts.push_back(count);
    }
    return counts;
}

}  // namespace dedup
