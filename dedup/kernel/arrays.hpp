// Spans over arrays that the caller owns, and checks of what they hold. No Python here.
#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>

namespace dedup {

using Bytes = std::span<const std::uint8_t>;
using Offsets = std::span<const std::int64_t>;
using Hashes = std::span<const std::uint64_t>;

// Throws unless the values ascend within 0..limit.
inline void check_ascending(Offsets values, std::int64_t limit, const char* name) {
    std::int64_t before = 0;
    for (std::int64_t value : values) {
        if (value < before || value > limit) {
            throw std::invalid_argument(std::string(name) + " must ascend from 0 to " + std::to_string(limit) +
                                        " at most");
        }
        before = value;
    }
}

// Throws unless start and end are equally long and 0 <= start <= end <= limit in each row.
inline void check_ranges(Offsets start, Offsets end, std::int64_t limit, const char* name) {
    if (start.size() != end.size()) {
        throw std::invalid_argument(std::string(name) + ": as many starts as ends are needed");
    }
    for (std::size_t i = 0; i < start.size(); ++i) {
        if (start[i] < 0 || start[i] > end[i] || end[i] > limit) {
            throw std::invalid_argument(std::string(name) + ": range " + std::to_string(i) + " is not within 0 to " +
                                        std::to_string(limit));
        }
    }
}

}  // namespace dedup
