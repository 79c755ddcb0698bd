// Strings among bytes: stretches that are put one after the other; and authorities of addresses, what stands between "://" and the
// path, the query or the fragment, of which equal ones have one number.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <tuple>

#include "arrays.hpp"
#include "memory.hpp"
#include "token_hash.hpp"

namespace dedup {

// Stretches of some bytes one after the other, and where each begins there, one longer.
inline std::tuple<Mapped<std::uint8_t>, Mapped<std::int64_t>> cut_bytes(Bytes data, Offsets start, Offsets end) {
    check_ranges(start, end, static_cast<std::int64_t>(data.size()), "data");
    Mapped<std::int64_t> first(start.size() + 1, 0);
    for (std::size_t i = 0; i < start.size(); ++i) first[i + 1] = first[i] + end[i] - start[i];
    Mapped<std::uint8_t> out(static_cast<std::size_t>(first.back()));
    for (std::size_t i = 0; i < start.size(); ++i) std::copy(data.data() + start[i], data.data() + end[i], out.data() + first[i]);
    return {std::move(out), std::move(first)};
}

// The authority of an address, empty where it has none.
inline std::string_view authority_of(std::string_view address) {
    const std::size_t mark = address.find("://");
    if (mark == std::string_view::npos) return {};
    const std::string_view rest = address.substr(mark + 3);
    return rest.substr(0, std::min(rest.find_first_of("/?#\\"), rest.size()));
}

// (begin, end, number): where each different authority stands first, in that order, and which one each address has.
inline std::tuple<Mapped<std::int64_t>, Mapped<std::int64_t>, Mapped<std::int32_t>> authorities(Bytes data, Offsets first) {
    if (first.empty()) throw std::invalid_argument("first must not be empty");
    check_ascending(first, static_cast<std::int64_t>(data.size()), "first");
    const std::size_t count = first.size() - 1;
    const std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
    Mapped<std::int32_t> number(count), slots(std::bit_ceil(2 * count + 1), -1);
    Mapped<std::string_view> found;
    for (std::size_t i = 0; i < count; ++i) {
        const auto begin = static_cast<std::size_t>(first[i]);
        const std::string_view own = authority_of(text.substr(begin, static_cast<std::size_t>(first[i + 1]) - begin));
        std::size_t at = hash_content(reinterpret_cast<const std::uint8_t*>(own.data()), static_cast<std::int64_t>(own.size()), 0);
        for (at &= slots.size() - 1; slots[at] >= 0 && found[static_cast<std::size_t>(slots[at])] != own;)
            at = (at + 1) & (slots.size() - 1);
        if (slots[at] < 0) {
            slots[at] = static_cast<std::int32_t>(found.size());
            found.push_back(own);
        }
        number[i] = slots[at];
    }
    Mapped<std::int64_t> begin, end;
    for (const std::string_view own : found) {
        begin.push_back(own.empty() ? 0 : own.data() - text.data());
        end.push_back(begin.back() + static_cast<std::int64_t>(own.size()));
    }
    return {std::move(begin), std::move(end), std::move(number)};
}

}  // namespace dedup
