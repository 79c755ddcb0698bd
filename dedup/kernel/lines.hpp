// Plain text cut into blocks: a hard-wrapped paragraph is one, every other line one of its own.
#pragma once

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "memory.hpp"
#include "tokenise.hpp"
#include "unicode_tables.hpp"
#include "utf8.hpp"

namespace dedup {

inline constexpr std::uint8_t kParagraph = 0, kLine = 6;              // BlockKind of dedup/model.py
inline constexpr std::int64_t kLeastWidth = 40, kGreatestWidth = 200;  // columns of a hard-wrapped paragraph
inline constexpr std::int64_t kWideWord = 5, kUnitWord = 10;          // columns that a line in an unspaced script may lack

// Unicode White_Space, and the zero-width U+200B and U+FEFF: nothing of a line that begins or ends in them is lost.
inline bool is_blank(std::uint32_t code) {
    return (code >= 0x09 && code <= 0x0D) || code == 0x20 || code == 0x85 || code == 0xA0 || code == 0x1680 ||
           (code >= 0x2000 && code <= 0x200B) || code == 0x2028 || code == 0x2029 || code == 0x202F ||
           code == 0x205F || code == 0x3000 || code == 0xFEFF;
}

// Characters two columns wide (East Asian Wide and Fullwidth, by block).
inline bool is_wide(std::uint32_t code) {
    if (code < 0x1100) return false;
    return code <= 0x115F || (code >= 0x2E80 && code <= 0xA4CF) || (code >= 0xAC00 && code <= 0xD7A3) ||
           (code >= 0xF900 && code <= 0xFAFF) || (code >= 0xFE30 && code <= 0xFE6F) ||
           (code >= 0xFF00 && code <= 0xFF60) || (code >= 0xFFE0 && code <= 0xFFE6) ||
           (code >= 0x1F300 && code <= 0x1FAFF) || (code >= 0x20000 && code <= 0x3FFFD);
}

inline bool is_unit(std::uint32_t code) {
    if (code >= 0x110000) return false;
    const std::uint32_t value = unicode::kStage2[unicode::kStage1[code >> 7] * 128u + (code & 127)];
    return value < 2048 && static_cast<Class>(value & 7) == Class::kUnit;
}

inline bool is_mapped(std::uint32_t code) {  // upper case, or a letter that decomposes
    if (code < 0x80) return code >= 'A' && code <= 'Z';
    return code < 0x110000 && unicode::kStage2[unicode::kStage1[code >> 7] * 128u + (code & 127)] >= 2048;
}

// Whether a line may end in the middle of a sentence here: not after a small letter or a digit where the next line begins
// with a capital, as labels and headlines do.
inline bool runs_on(std::uint32_t last, std::uint32_t next_first) {
    const bool open = last < 0x80 ? (last >= 'a' && last <= 'z') || (last >= '0' && last <= '9') : !is_mapped(last);
    return !is_mapped(next_first) || !open;
}

struct TextLine {
    std::int64_t from = 0, start = 0, end = 0;  // line begins; its text begins; its text ends
};

// What decides whether the next line's first word would have fitted on a line.
struct LineShape {
    std::int64_t columns = 0;     // with the indentation
    std::int64_t first_word = 0;  // columns
    bool first_wide = false, first_unit = false, last_wide = false, last_unit = false;
    std::uint32_t first = 0, last = 0;  // code points
};

inline LineShape shape_of(Bytes text, const TextLine& line) {
    LineShape shape;
    bool in_first_word = true;
    for (std::int64_t at = line.from; at < line.end;) {
        const Decoded decoded = decode(text.data() + at, line.end - at);
        const bool wide = is_wide(decoded.code);
        const std::int64_t columns = wide ? 2 : 1;
        shape.columns += columns;
        if (at >= line.start) {
            const bool unit = decoded.code >= 0x80 && is_unit(decoded.code);
            if (at == line.start) {
                shape.first_wide = wide;
                shape.first_unit = unit;
                shape.first = decoded.code;
            }
            if (in_first_word && is_blank(decoded.code)) in_first_word = false;
            if (in_first_word) shape.first_word += columns;
            shape.last_wide = wide;
            shape.last_unit = unit;
            shape.last = decoded.code;
        }
        at += decoded.length;
    }
    return shape;
}

inline bool is_full(const LineShape& line, const LineShape& next, std::int64_t width) {
    const bool unspaced = line.last_wide || line.last_unit || next.first_wide || next.first_unit;
    std::int64_t word = next.first_word;
    if (next.first_wide) {
        word = kWideWord;
    } else if (next.first_unit) {
        word = std::min(word, kUnitWord);
    } else if (line.last_wide) {
        word = std::max(word, kWideWord);
    }
    return line.columns + (unspaced ? 0 : 1) + word > width;
}

// The width of lines that are one paragraph, 0 where they are none. Where most break between a small letter and a capital they are
// one only if they are full in the width of the paragraph before.
inline std::int64_t wrapped_width(const std::vector<LineShape>& shapes, std::int64_t before) {
    std::int64_t width = 0;
    for (const LineShape& shape : shapes) width = std::max(width, shape.columns);
    if (shapes.size() < 2 || width < kLeastWidth || width > kGreatestWidth) return 0;
    std::size_t running = 0;
    bool full_in_both = before > 0;
    for (std::size_t i = 0; i + 1 < shapes.size(); ++i) {
        if (!is_full(shapes[i], shapes[i + 1], width)) return 0;
        full_in_both = full_in_both && is_full(shapes[i], shapes[i + 1], before);
        running += runs_on(shapes[i].last, shapes[i + 1].first);
    }
    if (2 * running >= shapes.size() - 1) return width;
    return full_in_both ? std::max(width, before) : 0;
}

// Length of the line end at `at`, 0 if there is none: \n, \r\n, \r, form feed, U+2028, U+2029.
inline std::int64_t line_end_at(Bytes text, std::int64_t at, std::int64_t end) {
    const std::uint8_t* p = text.data() + at;
    if (*p == '\n' || *p == '\f') return 1;
    if (*p == '\r') return at + 1 < end && p[1] == '\n' ? 2 : 1;
    if (*p == 0xE2 && at + 2 < end && p[1] == 0x80 && (p[2] == 0xA8 || p[2] == 0xA9)) return 3;
    return 0;
}

// The next byte from `at` on that may begin a line end, or `end`.
inline std::int64_t next_end_byte(Bytes text, std::int64_t at, std::int64_t end) {
    const std::uint8_t* const p = text.data();
#if defined(__SSE2__)
    for (; at + 16 <= end; at += 16) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + at));
        const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8('\r')), bytes);
        const int found = _mm_movemask_epi8(_mm_or_si128(low, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(static_cast<char>(0xE2)))));
        if (found) return at + std::countr_zero(static_cast<unsigned>(found));
    }
#endif
    while (at < end && p[at] > '\r' && p[at] != 0xE2) ++at;
    return at;
}

class LineSplitter {
   public:
    explicit LineSplitter(Bytes text) : text_(text) {}

    void split(std::int64_t page, std::int64_t from, std::int64_t to) {
        page_ = page;
        width_ = 0;
        for (std::int64_t at = from; at < to;) {
            std::int64_t end = at, length = 0;
            while ((end = next_end_byte(text_, end, to)) < to && (length = line_end_at(text_, end, to)) == 0) ++end;
            add(at, end);
            at = end + length;
        }
        flush();
    }

    std::tuple<Mapped<std::int64_t>, Mapped<std::int64_t>, Mapped<std::int64_t>,
               Mapped<std::uint8_t>>
    finish() {
        return {std::move(pages_), std::move(starts_), std::move(ends_), std::move(kinds_)};
    }

   private:
    void add(std::int64_t from, std::int64_t end) {
        std::int64_t first = from, past = end;
        while (first < end && is_ascii_blank(text_[static_cast<std::size_t>(first)])) ++first;
        while (past > first && is_ascii_blank(text_[static_cast<std::size_t>(past - 1)])) --past;
        if (past > first && text_[static_cast<std::size_t>(first)] < 0x80 && text_[static_cast<std::size_t>(past - 1)] < 0x80)
            lines_.push_back({from, first, past});
        else
            add_slowly(from, end);
    }

    static bool is_ascii_blank(std::uint8_t byte) { return byte == ' ' || (byte >= 9 && byte <= 13); }

    void add_slowly(std::int64_t from, std::int64_t end) {
        std::int64_t start = from, last = from;  // first and past the last character that is not white space
        bool found = false;
        for (std::int64_t at = from; at < end;) {
            const Decoded decoded = decode(text_.data() + at, end - at);
            if (!is_blank(decoded.code)) {
                if (!found) start = at;
                found = true;
                last = at + decoded.length;
            }
            at += decoded.length;
        }
        if (found) {
            lines_.push_back({from, start, last});
        } else {
            flush();
        }
    }

    // Whether a line has more characters than a hard-wrapped paragraph has columns.
    bool any_too_wide() const {
        return std::any_of(lines_.begin(), lines_.end(), [&](const TextLine& line) {
            const std::uint8_t* const p = text_.data();
            return line.end - line.from > kGreatestWidth &&
                   std::count_if(p + line.from, p + line.end, [](std::uint8_t byte) { return (byte & 0xC0) != 0x80; }) >
                       kGreatestWidth;
        });
    }

    void flush() {
        if (lines_.size() > 1 && !any_too_wide()) {
            shapes_.clear();
            for (const TextLine& line : lines_) shapes_.push_back(shape_of(text_, line));
            if (const std::int64_t width = wrapped_width(shapes_, width_)) {
                width_ = width;
                put(lines_.front().start, lines_.back().end, kParagraph);
                lines_.clear();
            }
        }
        for (const TextLine& line : lines_) put(line.start, line.end, kLine);
        lines_.clear();
    }

    void put(std::int64_t start, std::int64_t end, std::uint8_t kind) {
        pages_.push_back(page_);
        starts_.push_back(start);
        ends_.push_back(end);
        kinds_.push_back(kind);
    }

    Bytes text_;
    std::int64_t page_ = 0, width_ = 0;  // of the wrapped paragraph before, in columns
    std::vector<TextLine> lines_;  // since the last blank one
    std::vector<LineShape> shapes_;
    Mapped<std::int64_t> pages_, starts_, ends_;
    Mapped<std::uint8_t> kinds_;
};

inline std::tuple<Mapped<std::int64_t>, Mapped<std::int64_t>, Mapped<std::int64_t>,
                  Mapped<std::uint8_t>>
split_lines(Bytes text, Offsets start, Offsets end) {
    check_ranges(start, end, static_cast<std::int64_t>(text.size()), "text");
    LineSplitter splitter(text);
    for (std::size_t i = 0; i < start.size(); ++i) splitter.split(static_cast<std::int64_t>(i), start[i], end[i]);
    return splitter.finish();
}

}  // namespace dedup
