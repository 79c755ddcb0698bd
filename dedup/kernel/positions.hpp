// Bytes, code points and lines: where a place in a buffer stands.
#pragma once

#include <algorithm>
#include <cstring>
#include <tuple>
#include <vector>

#include "arrays.hpp"
#include "clones.hpp"
#include "memory.hpp"
#include "sets.hpp"
#include "utf8.hpp"

namespace dedup {

// Counted in bytes as far as one holds them: so many are counted at a time, whole registers full.
DEDUP_CLONES inline std::int64_t count_code_points(const std::uint8_t* text, std::int64_t from, std::int64_t to) {
    std::int64_t count = 0;
    while (from < to) {
        const std::int64_t end = std::min<std::int64_t>(to, from + 192);
        std::uint8_t some = 0;
        for (; from < end; ++from) some = static_cast<std::uint8_t>(some + !is_continuation(text[from]));
        count += some;
    }
    return count;
}
// Of a few words: eight bytes at a time, without a call.
inline std::int64_t count_few_code_points(const std::uint8_t* text, std::int64_t from, std::int64_t to) {
    constexpr std::uint64_t kEach = 0x0101010101010101U;
    std::int64_t count = to - from;
    for (; to - from >= 8; from += 8) {
        std::uint64_t bytes;
        std::memcpy(&bytes, text + from, 8);
        count -= static_cast<std::int64_t>((bytes >> 7 & ~bytes >> 6 & kEach) * kEach >> 56);
    }
    for (; from < to; ++from) count -= is_continuation(text[from]);
    return count;
}
inline std::int64_t count_code_points(Bytes text, std::int64_t from, std::int64_t to) {
    constexpr std::int64_t kFew = 128;
    return to - from <= kFew ? count_few_code_points(text.data(), from, to) : count_code_points(text.data(), from, to);
}

inline Mapped<std::int64_t> code_points(Bytes text, Offsets positions) {
    check_ascending(positions, static_cast<std::int64_t>(text.size()), "positions");
    Mapped<std::int64_t> counts;
    counts.reserve(positions.size());
    std::int64_t at = 0, count = 0;
    for (std::int64_t position : positions) {
        count += count_code_points(text, at, position);
        at = position;
        counts.push_back(count);
    }
    return counts;
}

// Code points before the positions of three columns, in any order: the text is gone over once.
inline std::tuple<Mapped<std::int64_t>, Mapped<std::int64_t>, Mapped<std::int64_t>> char_columns(Bytes text, Offsets a, Offsets b, Offsets c) {
    Mapped<std::int64_t> together;
    together.reserve(a.size() + b.size() + c.size());
    for (const Offsets column : {a, b, c}) together.insert(together.end(), column.begin(), column.end());
    for (const std::int64_t position : together)
        if (position < 0) throw std::invalid_argument("positions must not be negative");
    const Mapped<std::int64_t> order = stable_order({reinterpret_cast<const std::uint64_t*>(together.data()), together.size()});
    Mapped<std::int64_t> ascending;
    ascending.reserve(order.size());
    for (const std::int64_t row : order) ascending.push_back(together[static_cast<std::size_t>(row)]);
    const Mapped<std::int64_t> chars = code_points(text, ascending);
    for (std::size_t nth = 0; nth < order.size(); ++nth) together[static_cast<std::size_t>(order[nth])] = chars[nth];
    const auto from = [&](std::size_t at) { return together.begin() + static_cast<std::ptrdiff_t>(at); };
    return {{from(0), from(a.size())}, {from(a.size()), from(a.size() + b.size())}, {from(a.size() + b.size()), together.end()}};
}

inline Mapped<std::int64_t> byte_offsets(Bytes text, std::int64_t start, std::int64_t end, Offsets wanted) {
    const std::int64_t range[2] = {start, end};
    check_ranges({range, 1}, {range + 1, 1}, static_cast<std::int64_t>(text.size()), "text");
    check_ascending(wanted, end - start, "code_points");
    Mapped<std::int64_t> offsets;
    offsets.reserve(wanted.size());
    std::int64_t at = start, count = 0;  // code points in text[start, at)
    const auto byte = [&](std::int64_t i) { return text[static_cast<std::size_t>(i)]; };
    while (at < end && is_continuation(byte(at))) ++at;
    for (std::int64_t number : wanted) {
        while (count < number && at < end) {
            ++count;
            ++at;
            while (at < end && is_continuation(byte(at))) ++at;
        }
        if (count < number) {
            throw std::invalid_argument("code_points: " + std::to_string(number) + " is more than the range's " +
                                        std::to_string(count));
        }
        offsets.push_back(at);
    }
    return offsets;
}

inline Mapped<std::int64_t> line_numbers(Bytes text, std::int64_t start, Offsets positions) {
    const auto size = static_cast<std::int64_t>(text.size());
    check_ascending(positions, size, "positions");
    if (start < 0 || start > size || (!positions.empty() && positions[0] < start)) {
        throw std::invalid_argument("positions must not lie before start, nor start outside the text");
    }
    Mapped<std::int64_t> lines;
    lines.reserve(positions.size());
    std::int64_t at = start, count = 0;
    for (std::int64_t position : positions) {
        for (; at < position; ++at) {
            const auto i = static_cast<std::size_t>(at);
            const bool lone_cr = text[i] == '\r' && !(at + 1 < size && text[i + 1] == '\n');
            count += text[i] == '\n' || lone_cr;
        }
        lines.push_back(count);
    }
    return lines;
}

}  // namespace dedup
