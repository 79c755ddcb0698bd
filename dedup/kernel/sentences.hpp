// Sentences of ranges of text. Where it is not sure that one ends ("Mr. Smith", "e.g. these"), it does not: what is cut by
// sentences never loses half of one.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <tuple>

#include "arrays.hpp"
#include "memory.hpp"

namespace dedup {

inline constexpr std::int64_t kShortWord = 3;  // bytes of a capitalised word that may be an abbreviation

class SentenceCutter {
public:
    explicit SentenceCutter(Bytes text) : text_(text) {}

    // Calls use(start, end) for each sentence of [from, to), without the blanks around it.
    template <class Use>
    void cut(std::int64_t from, std::int64_t to, Use use) const {
        std::int64_t begin = after_blanks(from, to);
        for (std::int64_t at = begin; at < to;) {
            while (at < to && !kMayStop[byte(at)]) ++at;
            if (at == to) break;
            const std::int64_t wide = wide_stop(at, to);
            if (!wide && !is_stop(byte(at))) {
                ++at;
                continue;
            }
            const std::int64_t stop = at + (wide ? wide : 1);
            const std::int64_t end = after_marks(stop, to), next = after_blanks(end, to);
            const bool only_a_dot = byte(at) == '.' && end == stop;
            if (next < to && !wide && (next == end || is_lower(byte(next)) || (only_a_dot && may_go_on(begin, at)))) {
                at = end;
                continue;
            }
            use(begin, end);
            at = begin = next;
        }
        if (begin < to) {
            std::int64_t end = to;
            while (end > begin && is_blank_byte(byte(end - 1))) --end;
            use(begin, end);
        }
    }

private:
    static constexpr std::array<bool, 256> kMayStop = [] {  // first bytes of stops
        std::array<bool, 256> table{};
        for (const int c : {0x21, 0x2E, 0x3F, 0xE3, 0xEF}) table[static_cast<std::size_t>(c)] = true;
        return table;
    }();

    std::uint8_t byte(std::int64_t at) const { return text_[static_cast<std::size_t>(at)]; }
    static bool is_blank_byte(std::uint8_t c) { return c == ' ' || (c >= 9 && c <= 13); }
    static bool is_stop(std::uint8_t c) { return c == '.' || c == '!' || c == '?'; }
    static bool is_lower(std::uint8_t c) { return c >= 'a' && c <= 'z'; }

    bool holds(std::int64_t at, std::int64_t to, const char* mark, std::int64_t size) const {
        return to - at >= size && std::memcmp(text_.data() + at, mark, static_cast<std::size_t>(size)) == 0;
    }

    // Length of a full stop of a script without spaces: U+3002, U+FF01, U+FF1F; 0 for none.
    std::int64_t wide_stop(std::int64_t at, std::int64_t to) const {
        if (byte(at) < 0xE3) return 0;
        return holds(at, to, "\xE3\x80\x82", 3) || holds(at, to, "\xEF\xBC\x81", 3) || holds(at, to, "\xEF\xBC\x9F", 3) ? 3 : 0;
    }

    // Behind further stops and the marks that close a sentence.
    std::int64_t after_marks(std::int64_t at, std::int64_t to) const {
        for (std::int64_t size = 1; at < to && size; at += size) {
            const std::uint8_t c = byte(at);
            size = 0;
            if (is_stop(c) || c == '"' || c == '\'' || c == ')' || c == ']' || c == '}') size = 1;
            else if (holds(at, to, "\xC2\xBB", 2)) size = 2;                                                // »
            else if (holds(at, to, "\xE2\x80\x9D", 3) || holds(at, to, "\xE2\x80\x99", 3) ||               // ” ’
                     holds(at, to, "\xE3\x80\x8D", 3) || holds(at, to, "\xE3\x80\x8F", 3) ||               // 」 』
                     holds(at, to, "\xEF\xBC\x89", 3)) size = 3;                                            // ）
            else size = wide_stop(at, to);
        }
        return at;
    }

    std::int64_t after_blanks(std::int64_t at, std::int64_t to) const {
        while (at < to && is_blank_byte(byte(at))) ++at;
        return at;
    }

    // Whether the word before a dot may be an abbreviation, an initial or a number in a list.
    bool may_go_on(std::int64_t begin, std::int64_t dot) const {
        std::int64_t word = dot;
        bool dotted = false, number = true;
        while (word > begin && !is_blank_byte(byte(word - 1)) && byte(word - 1) != '(' && byte(word - 1) != '"') {
            --word;
            dotted = dotted || byte(word) == '.';
            number = number && byte(word) >= '0' && byte(word) <= '9';
        }
        const bool capital = byte(word) >= 'A' && byte(word) <= 'Z';
        return dotted || word == dot || (dot - word <= kShortWord && (capital || number));
    }

    Bytes text_;
};

// Sentences of some ranges: (start, end, first one of each range, one longer).
inline std::tuple<Mapped<std::int64_t>, Mapped<std::int64_t>, Mapped<std::int64_t>> sentences(Bytes text, Offsets start,
                                                                                              Offsets end) {
    check_ranges(start, end, static_cast<std::int64_t>(text.size()), "text");
    const SentenceCutter cutter(text);
    Mapped<std::int64_t> begins, ends, first{0};
    for (std::size_t i = 0; i < start.size(); ++i) {
        cutter.cut(start[i], end[i], [&](std::int64_t from, std::int64_t to) {
            begins.push_back(from);
            ends.push_back(to);
        });
        first.push_back(static_cast<std::int64_t>(begins.size()));
    }
    return {std::move(begins), std::move(ends), std::move(first)};
}

}  // namespace dedup
