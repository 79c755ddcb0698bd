// Rows of text made from columns: the lines of a report. twin_rows.py says what each cell looks like.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "arrays.hpp"
#include "memory.hpp"
#include "utf8.hpp"

namespace dedup {

enum class Cell : std::uint8_t { kNumber, kRaw, kJson, kCsv };

// One cell of each row and what stands around it; a negative start (of a number: value) makes it `missing`.
struct Field {
    Cell cell;
    Bytes before, after, missing, data;
    Offsets start, end;
};

// Throws unless each cell that is there is within the data.
inline void check_cells(const Field& field) {
    if (field.cell == Cell::kNumber) return;
    for (std::size_t row = 0; row < field.start.size(); ++row) {
        const std::int64_t start = field.start[row], end = field.end[row];
        if (start >= 0 && (start > end || end > static_cast<std::int64_t>(field.data.size())))
            throw std::invalid_argument("data: a cell is not within 0 to " + std::to_string(field.data.size()));
    }
}

// What a terminal reacts to, `report.text.safe` says why; lone surrogates are no characters.
inline bool is_unsafe(std::uint32_t code) {
    if (code < 0x7F) return code < 0x20;
    if (code < 0x200B) return code <= 0x9F || code == 0x61C || code == 0x180E;
    if (code < 0x10000)
        return code == 0x200B || code == 0x200E || code == 0x200F || (code >= 0x2028 && code <= 0x202E) ||
               (code >= 0x2060 && code <= 0x206F) || (code >= 0xD800 && code <= 0xDFFF) || code == 0xFEFF ||
               (code >= 0xFFF9 && code <= 0xFFFB);
    return code >= 0xE0000 && code <= 0xE0FFF;
}

enum class Byte : std::uint8_t { kPlain, kEscaped, kDoubtful };

inline constexpr std::array<Byte, 256> kJsonBytes = [] {
    std::array<Byte, 256> kinds{};
    for (std::size_t byte = 0; byte < 0x20; ++byte) kinds[byte] = Byte::kEscaped;
    kinds['"'] = kinds['\\'] = kinds[0x7F] = Byte::kEscaped;
    for (const std::size_t lead : {0xC2, 0xD8, 0xE1, 0xE2, 0xED, 0xEF, 0xF3}) kinds[lead] = Byte::kDoubtful;
    return kinds;
}();

// 1 where two ranges hold the same bytes.
inline Mapped<std::uint8_t> equal_bytes(Bytes text, Offsets start, Offsets end, Offsets other, Offsets other_end) {
    Mapped<std::uint8_t> equal(start.size());
    for (std::size_t i = 0; i < start.size(); ++i) {
        const auto size = static_cast<std::size_t>(end[i] - start[i]);
        equal[i] = end[i] - start[i] == other_end[i] - other[i] &&
                   (start[i] == other[i] || std::memcmp(text.data() + start[i], text.data() + other[i], size) == 0);
    }
    return equal;
}

// Whether eight bytes are ASCII that JSON has as it is: each test sets the high bit of a byte that fails it.
inline bool are_plain(const std::uint8_t* bytes) {
    constexpr std::uint64_t kEach = 0x0101010101010101, kHigh = 0x80 * kEach;
    std::uint64_t x;
    std::memcpy(&x, bytes, sizeof x);
    const auto is = [&](std::uint64_t byte) { return (x ^ byte * kEach) - kEach; };  // right where no byte is above 0x7F
    return ((x | (x - 0x20 * kEach) | is('"') | is('\\') | is(0x7F)) & kHigh) == 0;
}

class RowWriter {
   public:
    std::tuple<Mapped<std::uint8_t>, Mapped<std::int64_t>> write(const std::vector<Field>& fields) {
        const std::size_t rows = fields.empty() ? 0 : fields.front().start.size();
        Mapped<std::int64_t> first(rows + 1);
        first[0] = 0;
        for (std::size_t row = 0; row < rows; ++row) {
            for (const Field& field : fields) put(field, row);
            first[row + 1] = static_cast<std::int64_t>(used_);
        }
        out_.resize(used_);
        return {std::move(out_), std::move(first)};
    }

   private:
    void put(const Field& field, std::size_t row) {
        const std::int64_t start = field.start[row];
        if (start < 0) return put(field.missing);
        put(field.before);
        if (field.cell == Cell::kNumber) {
            put_number(start);
        } else {
            const Bytes text = field.data.subspan(static_cast<std::size_t>(start),
                                                  static_cast<std::size_t>(field.end[row] - start));
            if (field.cell == Cell::kRaw) put(text);
            if (field.cell == Cell::kJson) put_json(text);
            if (field.cell == Cell::kCsv) put_csv(text);
        }
        put(field.after);
    }

    void put(Bytes bytes) {
        const std::size_t size = bytes.size();
        std::uint8_t* const to = room(size);
        const std::uint8_t* const from = bytes.data();
        if (size > 16) {
            std::memcpy(to, from, size);
        } else if (size >= 8) {  // two copies that may overlap: no call, and no loop
            std::memcpy(to, from, 8);
            std::memcpy(to + size - 8, from + size - 8, 8);
        } else if (size >= 4) {
            std::memcpy(to, from, 4);
            std::memcpy(to + size - 4, from + size - 4, 4);
        } else {
            for (std::size_t i = 0; i < size; ++i) to[i] = from[i];
        }
        used_ += size;
    }

    DEDUP_INLINE std::uint8_t* room(std::size_t bytes) {
        if (out_.size() - used_ < bytes) [[unlikely]] grow(bytes);
        return out_.data() + used_;
    }

    void grow(std::size_t bytes) { out_.resize(std::max(used_ + bytes, std::max(out_.size() * 2, kLeastRoom))); }

    void put_number(std::int64_t value) {
        char* const begin = reinterpret_cast<char*>(room(20));
        used_ += static_cast<std::size_t>(std::to_chars(begin, begin + 20, value).ptr - begin);
    }

    void put_json(Bytes text) {
        const std::uint8_t *at = text.data(), *const end = at + text.size(), *plain = at;
        while (at < end) {
            const Byte kind = kJsonBytes[*at];
            if (kind == Byte::kPlain) {
                ++at;
                while (end - at >= 8 && are_plain(at)) at += 8;
                continue;
            }
            const Decoded next = decode(at, end - at);
            if (kind == Byte::kEscaped || is_unsafe(next.code)) {
                put({plain, at});
                put_escape(next.code);
                plain = at + next.length;
            }
            at += next.length;
        }
        put({plain, at});
    }

    void put_escape(std::uint32_t code) {
        static constexpr char kShort[] = "\b\t\n\f\r\"\\", kNames[] = "btnfr\"\\";
        const char* const named = code < 0x80 && code != 0 ? std::strchr(kShort, static_cast<int>(code)) : nullptr;
        if (named) {
            const std::uint8_t pair[] = {'\\', static_cast<std::uint8_t>(kNames[named - kShort])};
            return put(pair);
        }
        if (code < 0x10000) return put_unit(code);
        put_unit(0xD800 + ((code - 0x10000) >> 10));
        put_unit(0xDC00 + ((code - 0x10000) & 0x3FF));
    }

    void put_unit(std::uint32_t unit) {
        std::uint8_t* const to = room(6);
        to[0] = '\\';
        to[1] = 'u';
        for (int digit = 0; digit < 4; ++digit)
            to[2 + digit] = static_cast<std::uint8_t>("0123456789abcdef"[unit >> (12 - 4 * digit) & 15]);
        used_ += 6;
    }

    void put_csv(Bytes text) {
        const std::uint8_t *at = text.data(), *const end = at + text.size(), *plain = at;
        const bool quoted = std::any_of(at, end, [](std::uint8_t byte) {
            return byte == '"' || byte == ',' || byte == '\r' || byte == '\n';
        });
        if (quoted) put_byte('"');
        if (at < end && is_formula(decode(at, end - at).code)) put_byte('\'');
        while (at < end) {
            const Decoded next = *at == '"' || *at == 0xED ? decode(at, end - at) : Decoded{0, 1};
            if (next.code == '"') {
                put({plain, at});
                plain = at;
                put_byte('"');
            } else if (next.code >= 0xD800 && next.code <= 0xDFFF) {
                static constexpr std::uint8_t kReplacement[] = {0xEF, 0xBF, 0xBD};
                put({plain, at});
                put(kReplacement);
                plain = at + next.length;
            }
            at += next.length;
        }
        put({plain, at});
        if (quoted) put_byte('"');
    }

    static bool is_formula(std::uint32_t code) {
        switch (code) {
            case '=': case '+': case '-': case '@': case '\t': case '\r': case '\n':
            case 0xFF1D: case 0xFF0B: case 0xFF0D: case 0xFF20:
                return true;
            default:
                return false;
        }
    }

    void put_byte(char byte) { *room(1) = static_cast<std::uint8_t>(byte), ++used_; }

    static constexpr std::size_t kLeastRoom = 1 << 12;
    Mapped<std::uint8_t> out_;
    std::size_t used_ = 0;
};

}  // namespace dedup
