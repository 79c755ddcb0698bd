// Ranges of text cut into tokens.
//
// The text is thought of as mapped (each code point replaced by its mapped form, unicode_tables.hpp) and then cut. ASCII
// needs no tables: 64 bytes at a time become bit masks, and a token is a run of bits. A run that holds a byte >= 0x80 is
// handed, whole, to the slow path; it begins and ends where no token can be open, so the two never need to agree on more.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "arrays.hpp"
#include "masks.hpp"
#include "slow_cutter.hpp"
#include "token_hash.hpp"

namespace dedup {

// Hands words of one window to the sink: those that begin at the bits of `starts` and end at those of `ends`.
template <class Sink>
DEDUP_INLINE void put_words(Sink& sink, std::int64_t base, std::uint64_t starts, std::uint64_t ends) {
    if constexpr (requires { sink.words(base, starts, ends); }) {
        sink.words(base, starts, ends);
    } else {
        for (; ends; ends &= ends - 1, starts &= starts - 1) sink.ascii(base + lowest_bit(starts), base + lowest_bit(ends));
    }
}

// Hands words of one window of which some are slow to a sink that takes them together; what it leaves stays in the masks.
template <class Sink>
DEDUP_INLINE void put_mixed_words(Bytes text, std::int64_t base, std::uint64_t& starts, std::uint64_t& ends, std::uint64_t& slow_ends,
                                  SlowCutter& slow, Sink& sink) {
    const auto put = [&](std::int64_t from, std::int64_t to) { slow.cut(text, from, to, sink); };
    if constexpr (requires { sink.mixed_words(base, starts, ends, slow_ends, put); }) {
        const std::uint64_t left = sink.mixed_words(base, starts, ends, slow_ends, put);
        if (left != ends) starts &= ~std::uint64_t{0} << highest_bit(ends & ~left);
        ends = left;
        slow_ends &= left;
    }
}

// The tokens of text[from, to), in order, as if hyphens at the ends of lines were any hyphens. A sink has
//     ascii(start, end)                               for a token of ASCII only,
//     content(bytes, length, start, end, half)        for any other one; 16 bytes behind it may be read,
//     words(base, starts, ends), if it likes          for some of ASCII only, as bits of a window,
//     mixed_words(base, starts, ends, slow, put), if it likes   for some of which those that end at `slow` are put by
//                                                     put(start, end), mostly one token each: returns the ends it has left,
//     done(), if it likes                             whether it wants no more.
template <class Sink>
void cut_apart(Bytes text, std::int64_t from, std::int64_t to, SlowCutter& slow, Sink& sink) {
    std::int64_t start = -1;     // of the run that came over the border of 64 bytes, if any
    bool start_is_slow = false;  // it holds a byte >= 0x80
    std::uint64_t before = 0;    // 1 if the byte before this window is part of a word, or may be
    MaskStrip strip(text, from, to);
    for (std::int64_t base = from; base < to; base += 64) {
        if constexpr (requires { sink.done(); })
            if (sink.done()) return;
        const Masks masks = strip.next();
        const std::uint64_t solid = masks.word | masks.other;
        const std::uint64_t after = base + 64 < to && may_be_word(text[static_cast<std::size_t>(base + 64)]);
        const std::uint64_t runs = solid | (masks.joiner & (solid << 1 | before) & (solid >> 1 | after << 63));
        const std::uint64_t shifted = runs << 1 | (start >= 0);
        std::uint64_t starts = runs & ~shifted, ends = ~runs & shifted;
        if (ends && start >= 0) {
            const int end = lowest_bit(ends);
            ends &= ends - 1;
            if (start_is_slow || (masks.other & ((std::uint64_t{1} << end) - 1))) {
                slow.cut(text, start, base + end, sink);
            } else {
                sink.ascii(start, base + end);
            }
            start = -1;
        }
        if (runs >> 63) {  // goes on in the next window
            if (start < 0 || starts) {
                const int first = highest_bit(starts);
                start = base + first;
                start_is_slow = masks.other >> first != 0;
            } else {
                start_is_slow |= masks.other != 0;
            }
        }
        // Added to a run, its first bit is carried to its end, but not over a byte >= 0x80.
        std::uint64_t slow_ends = ends & ~((runs & ~masks.other) + starts);
        if (slow_ends) put_mixed_words(text, base, starts, ends, slow_ends, slow, sink);
        for (; slow_ends; slow_ends &= slow_ends - 1) {
            const int end = lowest_bit(slow_ends);
            const std::uint64_t earlier = (std::uint64_t{1} << end) - 1;
            const int first = highest_bit(starts & earlier);
            put_words(sink, base, starts, ends & earlier);
            slow.cut(text, base + first, base + end, sink);
            starts &= ~earlier;
            ends &= ~(earlier << 1 | 1);
        }
        if (ends) put_words(sink, base, starts, ends);
        before = solid >> 63;
    }
    if (start >= 0) {
        if (start_is_slow) {
            slow.cut(text, start, to, sink);
        } else {
            sink.ascii(start, to);
        }
    }
}

// Whether nothing but a hyphen at the end of a line stands between two words: a hyphen (also a soft one, U+2010, ¬), blanks,
// one line break, blanks.
inline bool is_line_hyphen(Bytes text, std::int64_t from, std::int64_t to) {
    static constexpr std::string_view kHyphens[] = {"-", "\u00ad", "\u2010", "\u00ac"};
    std::string_view gap(reinterpret_cast<const char*>(text.data()) + from, static_cast<std::size_t>(to - from));
    const auto* const hyphen = std::find_if(std::begin(kHyphens), std::end(kHyphens), [&](std::string_view h) { return gap.starts_with(h); });
    if (hyphen == std::end(kHyphens)) return false;
    gap.remove_prefix(hyphen->size());
    const auto skip_blanks = [&] { gap.remove_prefix(std::min(gap.find_first_not_of(" \t"), gap.size())); };
    skip_blanks();
    const std::size_t line_break = gap.starts_with("\r\n") ? 2 : gap.starts_with('\n') || gap.starts_with('\r') ? 1 : 0;
    if (line_break == 0) return false;
    gap.remove_prefix(line_break);
    skip_blanks();
    return gap.empty();
}

// Joins words that a hyphen at the end of a line cuts in two, and hands everything on: each token when the next one is known.
// A digit beside the hyphen keeps them apart (1914-\n1918), and so does a unit.
template <class Sink>
class HyphenSink {
   public:
    HyphenSink(Bytes text, bool fold_digits, Sink& sink) : text_(text), fold_digits_(fold_digits), sink_(sink) {}

    bool done() const requires requires(const Sink& sink) { sink.done(); } { return sink_.done(); }

    void ascii(std::int64_t start, std::int64_t end) {
        if (joins(start, false)) {
            append_ascii(start, end);
            end_ = end;
            return;
        }
        flush();
        kind_ = Kind::kAscii;
        start_ = start;
        end_ = end;
    }
    void content(const std::uint8_t* bytes, std::int64_t length, std::int64_t start, std::int64_t end, bool half) {
        if (!joins(start, half)) {
            flush();
            kind_ = half ? Kind::kHalf : Kind::kContent;
            start_ = start;
        }
        append(bytes, length);
        end_ = end;
    }
    void flush() {
        if (kind_ == Kind::kAscii) sink_.ascii(start_, end_);
        else if (kind_ != Kind::kNone) content_.room(16), sink_.content(content_.data(), content_.size(), start_, end_, kind_ == Kind::kHalf);
        content_.clear();
        kind_ = Kind::kNone;
    }

   private:
    enum class Kind { kNone, kAscii, kContent, kHalf };

    static bool is_digit(std::uint8_t byte) { return byte - 0u - '0' < 10u; }

    // Whether the next token goes on with the one that is kept, whose content is written down then.
    bool joins(std::int64_t start, bool half) {
        if (half || kind_ == Kind::kNone || kind_ == Kind::kHalf || start - end_ < 2) return false;
        if (is_digit(text_[static_cast<std::size_t>(end_ - 1)]) || is_digit(text_[static_cast<std::size_t>(start)])) return false;
        if (!is_line_hyphen(text_, end_, start)) return false;
        if (kind_ == Kind::kAscii) append_ascii(start_, end_);
        kind_ = Kind::kContent;
        return true;
    }
    void append(const std::uint8_t* bytes, std::int64_t length) {
        std::memcpy(content_.room(static_cast<std::size_t>(length)), bytes, static_cast<std::size_t>(length));
        content_.extend(static_cast<std::size_t>(length));
    }
    void append_ascii(std::int64_t start, std::int64_t end) {
        std::uint8_t* const to = content_.room(static_cast<std::size_t>(end - start));
        for (std::int64_t at = start; at < end; ++at)
            to[at - start] = static_cast<std::uint8_t>(fold_ascii(text_[static_cast<std::size_t>(at)], fold_digits_));
        content_.extend(static_cast<std::size_t>(end - start));
    }

    Bytes text_;
    bool fold_digits_;
    Sink& sink_;
    Kind kind_ = Kind::kNone;
    std::int64_t start_ = 0, end_ = 0;
    ByteBuffer content_;
};

// Calls sink.ascii or sink.content for the tokens of text[from, to), in order.
template <class Sink>
void cut_range(Bytes text, std::int64_t from, std::int64_t to, SlowCutter& slow, Sink& sink) {
    slow.next_range();
    if (!slow.folds().hyphens) return cut_apart(text, from, to, slow, sink);
    HyphenSink<Sink> joined(text, slow.folds().digits, sink);
    cut_apart(text, from, to, slow, joined);
    joined.flush();
}

}  // namespace dedup
