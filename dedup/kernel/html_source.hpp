// The source of a page of HTML, and where the texts of its tree stand in it. All offsets are code points; the twin of all of
// this is dedup/readers/sourcemap.py.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dedup::html {

using Chars = std::u32string;
using View = std::u32string_view;

// What is collapsed in a block.
inline bool is_blank(char32_t c) { return c == U' ' || (c >= 9 && c <= 13 && c != 11) || c == 0xA0; }

// Python's str.isspace.
inline bool is_space(char32_t c) {
    if (c < 0x80) return c == U' ' || (c >= 9 && c <= 13) || (c >= 0x1C && c <= 0x1F);
    return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F || c == 0x3000;
}

inline bool is_surrogate(char32_t c) { return c >= 0xD800 && c <= 0xDFFF; }
inline bool is_letter(char32_t c) { return (c | 0x20) >= U'a' && (c | 0x20) <= U'z'; }
inline bool is_digit(char32_t c) { return c >= U'0' && c <= U'9'; }
inline bool is_hex(char32_t c) { return is_digit(c) || ((c | 0x20) >= U'a' && (c | 0x20) <= U'f'); }

inline bool begins_with(View text, std::size_t at, View with) {
    return at <= text.size() && text.size() - at >= with.size() && text.compare(at, with.size(), with) == 0;
}

// From here on text and source run in step. Of two points for one offset of the text the first one is where the source of what
// stands before it ends.
struct Point {
    std::int64_t text, source;
};
using Points = std::vector<Point>;

// The words of a text, as Python's str.split gives them.
template <class Use>
void for_each_word(View text, Use use) {
    for (std::size_t at = 0; at < text.size();) {
        if (is_space(text[at])) {
            ++at;
            continue;
        }
        std::size_t end = at;
        while (end < text.size() && !is_space(text[end])) ++end;
        use(text.substr(at, end - at));
        at = end;
    }
}

// A source with line ends turned into LF, and the way back.
class Source {
public:
    explicit Source(Chars original) : text_(std::move(original)) {
        std::size_t size = 0;
        for (std::size_t at = 0; at < text_.size(); ++at) {
            char32_t c = text_[at];
            if (c == U'\r') {
                if (at + 1 < text_.size() && text_[at + 1] == U'\n') pairs_.push_back(static_cast<std::int64_t>(size)), ++at;
                c = U'\n';
            }
            if (c == U'\n') feeds_.push_back(static_cast<std::int64_t>(size));
            text_[size++] = c;
        }
        text_.resize(size);
    }

    View text() const { return text_; }
    std::int64_t size() const { return static_cast<std::int64_t>(text_.size()); }

    // The line of an offset, from 1.
    std::int64_t line(std::int64_t offset) const { return rank(feeds_, offset) + 1; }
    // The first offset of a line, -1 where there is none.
    std::int64_t line_start(std::int64_t line) const {
        if (line < 1 || line > static_cast<std::int64_t>(feeds_.size()) + 1) return -1;
        return line == 1 ? 0 : feeds_[static_cast<std::size_t>(line) - 2] + 1;
    }
    // Offsets in the original source of the line ends inside ranges of lines, ascending.
    std::vector<std::int64_t> feeds(const std::vector<std::int64_t>& line, const std::vector<std::int64_t>& end_line) const {
        std::vector<std::pair<std::int64_t, std::int64_t>> ranges;
        for (std::size_t i = 0; i < line.size(); ++i)
            if (end_line[i] > line[i]) ranges.emplace_back(line[i] - 1, end_line[i] - 1);
        std::sort(ranges.begin(), ranges.end());
        std::vector<std::int64_t> out;
        std::int64_t reached = 0;
        for (const auto& [begin, end] : ranges) {
            for (std::int64_t i = std::max(begin, reached); i < end; ++i) out.push_back(original(feeds_[static_cast<std::size_t>(i)]));
            reached = std::max(reached, end);
        }
        return out;
    }
    // The offset in the original source.
    std::int64_t original(std::int64_t offset) const { return offset + rank(pairs_, offset); }

    // Hands on points into the original source for those of a text of `size` characters.
    template <class Use>
    void original_points(const Points& points, std::int64_t size, Use use) const {
        for (std::size_t i = 0; i < points.size(); ++i) {
            const auto [text, source] = points[i];
            if (pairs_.empty()) {
                use(text, source);
                continue;
            }
            const std::int64_t stop = (i + 1 < points.size() ? points[i + 1].text : size) - text + source;
            std::int64_t row = rank(pairs_, source);
            use(text, source + row);
            for (; row < static_cast<std::int64_t>(pairs_.size()) && pairs_[static_cast<std::size_t>(row)] + 1 < stop; ++row) {
                const std::int64_t after = pairs_[static_cast<std::size_t>(row)] + 1;
                use(text + after - source, after + row + 1);
            }
        }
    }

private:
    static std::int64_t rank(const std::vector<std::int64_t>& sorted, std::int64_t value) {
        return std::lower_bound(sorted.begin(), sorted.end(), value) - sorted.begin();
    }

    Chars text_;
    std::vector<std::int64_t> pairs_, feeds_;  // line ends that were two characters; all line ends
};

// Markup inside of text: a comment, a tag, a character reference, NUL; `end` is 0 where there is none.
struct Markup {
    std::size_t begin = 0, end = 0;
    bool reference = false;
};

inline std::size_t end_of_comment(View source, std::size_t at) {
    if (begins_with(source, at, U">")) return at + 1;
    if (begins_with(source, at, U"->")) return at + 2;
    for (; (at = source.find(U"--", at)) != View::npos; ++at) {
        if (begins_with(source, at + 2, U">")) return at + 3;
        if (begins_with(source, at + 2, U"!>")) return at + 4;
    }
    return source.size();
}

// One behind the character reference that begins with an ampersand, 0 where there is none.
inline std::size_t end_of_reference(View source, std::size_t at) {
    const auto past = [&](std::size_t from, auto&& belongs) {
        while (from < source.size() && belongs(source[from])) ++from;
        return from;
    };
    std::size_t first = at + 1, end = first;
    if (begins_with(source, first, U"#")) {
        const bool hex = begins_with(source, first + 1, U"x") || begins_with(source, first + 1, U"X");
        first += hex ? 2 : 1;
        end = hex ? past(first, is_hex) : past(first, is_digit);
    } else if (first < source.size() && is_letter(source[first])) {
        end = past(first, [](char32_t c) { return is_letter(c) || is_digit(c); });
    }
    if (end == first) return 0;
    return begins_with(source, end, U";") ? end + 1 : end;
}

// The first markup that begins in a range of the source.
inline Markup find_markup(View source, std::size_t at, std::size_t limit) {
    limit = std::min(limit, source.size());
    for (; at < limit; ++at) {
        const char32_t c = source[at];
        if (c > U'<' || (c != U'<' && c != U'&' && c != 0)) continue;
        if (c == 0) return {at, at + 1, false};
        if (c == U'&') {
            if (const std::size_t end = end_of_reference(source, at)) return {at, end, true};
            continue;
        }
        if (begins_with(source, at, U"<!--")) return {at, end_of_comment(source, at + 4), false};
        const char32_t next = at + 1 < source.size() ? source[at + 1] : U' ';
        if (next != U'/' && next != U'!' && next != U'?' && !is_letter(next)) continue;
        const std::size_t end = source.find(U'>', at + 2);
        return {at, end == View::npos ? source.size() : end + 1, false};
    }
    return {};
}

// Finds texts of the tree in a source, behind markup that left no node; how much of that is bounded.
class Locator {
public:
    Locator(View source, std::function<Chars(const Chars&)> unescape)
        : source_(source), unescape_(std::move(unescape)), left_(200'000 + static_cast<std::int64_t>(source.size() / 4)) {}

    // Points of a text that stands at or after `start`, the last one for its end; whether it stands there.
    bool locate(View data, std::size_t start, Points& points) {
        points.clear();
        if (begins_with(source_, start, data)) return in_step(data, start, points);
        if (begins_with(source_, start, U"\n") && begins_with(source_, start + 1, data)) return in_step(data, start + 1, points);
        return step(data, start, points);
    }

private:
    static bool in_step(View data, std::size_t start, Points& points) {
        add(points, 0, start);
        add(points, data.size(), start + data.size());
        return true;
    }

    static void add(Points& points, std::size_t text, std::size_t source) {
        points.push_back({static_cast<std::int64_t>(text), static_cast<std::int64_t>(source)});
    }

    bool step(View data, std::size_t at, Points& points) {
        std::size_t done = 0;
        const std::size_t size = data.size();
        while (done < size) {
            if (--left_ < 0) return false;
            const Markup found = find_markup(source_, at, at + (size - done));
            const std::size_t literal = std::min((found.end ? found.begin : source_.size()) - at, size - done);
            if (literal) {
                if (!begins_with(data, done, source_.substr(at, literal))) return false;
                add(points, done, at);
                done += literal, at += literal;
                if (done == size) break;
            }
            if (!found.end) return false;
            if (!found.reference) {
                at = found.end;
                continue;
            }
            const View raw = source_.substr(found.begin, found.end - found.begin);
            const Chars text = unescape_(Chars(raw));
            if (text.empty() || !begins_with(data, done, text)) return false;
            std::size_t same = 0;  // "&copyright" is "©right"
            while (same < raw.size() && same < text.size() && raw[raw.size() - 1 - same] == text[text.size() - 1 - same]) ++same;
            if (same == text.size() && same < raw.size()) same = 0;  // "&semi;" is ";" as a whole
            add(points, done, at);
            done += text.size() - same, at += raw.size() - same;
            if (same < text.size()) add(points, done, at), add(points, done, at);
            done += same, at += same;
        }
        add(points, size, at);
        return true;
    }

    View source_;
    std::function<Chars(const Chars&)> unescape_;
    std::int64_t left_;
};

}  // namespace dedup::html
