// Tokens of WTF-8 text: where they stand, their normalised content, its hash. docs/design/tokens.md defines them.
//
// The text is thought of as mapped (each code point replaced by its mapped form, unicode_tables.hpp) and then cut. ASCII
// needs no tables: 64 bytes at a time become bit masks, and a token is a run of bits. A run that holds a byte >= 0x80 is
// handed, whole, to the slow path; it begins and ends where no token can be open, so the two never need to agree on more.
#pragma once

#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "hash.hpp"
#include "memory.hpp"
#include "sets.hpp"
#include "unicode_tables.hpp"
#include "utf8.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace dedup {

struct Folds {
    bool accents = false;  // drop U+0300-036F
    bool digits = false;   // every decimal digit counts as 0
    bool hyphens = false;  // words that a hyphen at the end of a line cuts in two are one

    static Folds of(std::uint32_t flags) {
        if (flags > 7) throw std::invalid_argument("flags: 1 folds accents, 2 folds digits, 4 joins hyphens, or their sum");
        return {(flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0};
    }
};

// ---- hash of a token's content ----------------------------------------------------------------------------------

// Odd, so that multiplying loses nothing; bits set about evenly.
inline constexpr std::uint64_t kWordFactor = 0x9FB21C651E98DF25;
inline constexpr std::uint64_t kLengthFactor = 0xD6E8FEB86659FD93;

// Over 8-byte little-endian words, the last one padded with zeros: h = (h ^ w) * kWordFactor; h ^= h >> 32. The length
// goes into the start, so padding is not mistaken for content; murmur3's mixer at the end.
class TokenHash {
   public:
    TokenHash(std::uint64_t seed, std::int64_t length) : h_(seed ^ static_cast<std::uint64_t>(length) * kLengthFactor) {}

    void add(std::uint64_t word) {
        h_ = (h_ ^ word) * kWordFactor;
        h_ ^= h_ >> 32;
    }

    std::uint64_t finish() const { return fmix64(h_); }

   private:
    std::uint64_t h_;
};

// Eight bytes, the first one lowest on any machine.
DEDUP_INLINE std::uint64_t little_endian(std::uint64_t word) {
    if constexpr (std::endian::native == std::endian::big) {
        std::uint64_t swapped = 0;
        for (int i = 0; i < 8; ++i) swapped |= (word >> (8 * i) & 0xFF) << (56 - 8 * i);
        return swapped;
    }
    return word;
}

DEDUP_INLINE std::uint64_t load_word(const std::uint8_t* p, std::size_t size = 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, p, size);
    return little_endian(word);
}

DEDUP_INLINE void store_word(std::uint8_t* p, std::uint64_t word) {
    word = little_endian(word);
    std::memcpy(p, &word, 8);
}

inline std::uint64_t hash_content(const std::uint8_t* p, std::int64_t length, std::uint64_t seed) {
    TokenHash hash(seed, length);
    for (; length >= 8; p += 8, length -= 8) hash.add(load_word(p));
    if (length > 0) hash.add(load_word(p, static_cast<std::size_t>(length)));
    return hash.finish();
}

// The eight bytes of a word of ASCII letters, digits, ' and . (or zero padding), folded.
inline std::uint64_t fold_ascii(std::uint64_t word, bool digits) {
    constexpr std::uint64_t kOnes = 0x0101010101010101;
    if (digits) word &= ~((word >> 4 & ~(word >> 6) & kOnes) * 0x0F);  // 0x30-0x39: bit 4 without bit 6
    return word | (word & kOnes * 0x40) >> 1;                         // letters: bit 6
}

// ---- masks: 64 bytes at a time ----------------------------------------------------------------------------------

struct Masks {
    std::uint64_t word = 0;    // ASCII letters and digits
    std::uint64_t joiner = 0;  // ' and .
    std::uint64_t other = 0;   // bytes >= 0x80
};

#if defined(__SSE2__)
inline Masks masks_of_64(const std::uint8_t* p) {
    // Signed bytes: x + (127 - last) > 127 - count is true for `count` values that end with `last`.
    const auto within = [](__m128i bytes, char last, char count) {
        return _mm_cmpgt_epi8(_mm_add_epi8(bytes, _mm_set1_epi8(static_cast<char>(127 - last))),
                              _mm_set1_epi8(static_cast<char>(127 - count)));
    };
    const auto bits = [](__m128i mask) {
        return static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm_movemask_epi8(mask)));
    };
    Masks masks;
    for (int i = 0; i < 4; ++i) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16 * i));
        const __m128i lower = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
        const __m128i word = _mm_or_si128(within(lower, 'z', 26), within(bytes, '9', 10));
        const __m128i joiner =
            _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\'')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('.')));
        masks.word |= bits(word) << (16 * i);
        masks.joiner |= bits(joiner) << (16 * i);
        masks.other |= bits(bytes) << (16 * i);
    }
    return masks;
}
#else
inline Masks masks_of_64(const std::uint8_t* p) {
    Masks masks;
    for (int i = 0; i < 64; ++i) {
        const std::uint32_t byte = p[i];
        const bool word = (byte | 0x20) - 'a' < 26u || byte - '0' < 10u;
        masks.word |= static_cast<std::uint64_t>(word) << i;
        masks.joiner |= static_cast<std::uint64_t>(byte == '\'' || byte == '.') << i;
        masks.other |= static_cast<std::uint64_t>(byte >> 7) << i;
    }
    return masks;
}
#endif

// Masks of the 64 bytes from `base`, those from `end` on as if they were blanks.
inline Masks masks_at(Bytes text, std::int64_t base, std::int64_t end) {
    if (base >= end) return {};
    const std::int64_t left = static_cast<std::int64_t>(text.size()) - base;
    Masks masks;
    if (left >= 64) {
        masks = masks_of_64(text.data() + base);
    } else {
        std::uint8_t copy[64] = {};
        std::memcpy(copy, text.data() + base, static_cast<std::size_t>(left));
        masks = masks_of_64(copy);
    }
    if (end - base < 64) {
        const std::uint64_t keep = (std::uint64_t{1} << (end - base)) - 1;
        masks = {masks.word & keep, masks.joiner & keep, masks.other & keep};
    }
    return masks;
}

// ---- slow path: through the tables ------------------------------------------------------------------------------

enum class Class : std::uint32_t { kSeparator, kLetter, kMark, kDigit, kUnit, kJoiner, kDropped, kDroppedMark };

// Cuts a stretch of text code point by code point. One object serves many stretches and keeps its buffers.
class SlowCutter {
   public:
    explicit SlowCutter(Folds folds) : folds_(folds) {}

    const Folds& folds() const { return folds_; }

    // Calls sink.content(bytes, length, start, end, half) for each token.
    template <class Sink>
    void cut(Bytes text, std::int64_t from, std::int64_t to, Sink& sink) {
        for (std::int64_t at = from; at < to;) {
            const std::uint8_t byte = text[static_cast<std::size_t>(at)];
            if (is_ascii_word(byte)) {
                ascii(byte, at++, sink);
                continue;
            }
            const Decoded decoded = decode(text.data() + at, to - at);
            const Place place{at, at + decoded.length};
            at = place.end;
            map(decoded.code, place, sink);
        }
        close(sink);
    }

   private:
    enum class State { kNone, kWord, kUnit };

    struct Place {
        std::int64_t start, end;
    };

    static bool is_ascii_word(std::uint8_t byte) { return (byte | 0x20u) - 'a' < 26u || byte - 0u - '0' < 10u; }

    // What map() does for an ASCII letter or digit, without the tables.
    template <class Sink>
    DEDUP_INLINE void ascii(std::uint8_t byte, std::int64_t at, Sink& sink) {
        if (state_ == State::kUnit) close(sink);
        const bool is_digit = byte <= '9';
        grow(is_digit ? (folds_.digits ? '0' : byte) : byte | 0x20u, 0, {at, at + 1});
    }

    static constexpr std::uint32_t kIdentity = 2048;  // table values below: the code point is itself
    static constexpr std::uint32_t kIotaBelow = 0x345, kIota = 0x3B9;

    template <class Sink>
    DEDUP_INLINE void map(std::uint32_t code, Place place, Sink& sink) {
        if (code == kBadByte) return close(sink);
        if (code - 0xAC00 < 11172) {  // Hangul syllables
            const std::uint32_t index = code - 0xAC00, tail = index % 28;
            feed(0x1100 + index / 588, Class::kLetter, 0, place, sink);
            feed(0x1161 + index % 588 / 28, Class::kLetter, 0, place, sink);
            if (tail) feed(0x11A7 + tail, Class::kLetter, 0, place, sink);
            return;
        }
        const std::uint32_t value = unicode::kStage2[unicode::kStage1[code >> 7] * 128u + (code & 127)];
        if (value < kIdentity) return feed(code, static_cast<Class>(value & 7), value >> 3, place, sink);
        const std::uint32_t last = unicode::kFirst[value - kIdentity + 1];
        for (std::uint32_t i = unicode::kFirst[value - kIdentity]; i < last; ++i) {
            const std::uint32_t item = unicode::kMapped[i];
            feed(item & 0x1FFFFF, static_cast<Class>(item >> 21 & 7), item >> 24, place, sink);
        }
    }

    // One code point of the mapped text; ccc is its canonical combining class.
    template <class Sink>
    DEDUP_INLINE void feed(std::uint32_t code, Class kind, std::uint32_t ccc, Place place, Sink& sink) {
        if (folds_.accents && code - 0x300 < 0x70) kind = Class::kDroppedMark;
        switch (kind) {
            case Class::kLetter:
                if (state_ == State::kUnit) close(sink);
                return grow(code, 0, place);
            case Class::kDigit:
                if (state_ == State::kUnit) close(sink);
                return grow(folds_.digits ? '0' : code, 0, place);
            case Class::kMark:
                return grow(code, ccc, place);
            case Class::kUnit:
                close(sink);
                grow(code, 0, place);
                state_ = State::kUnit;
                return;
            case Class::kJoiner:
                if (state_ == State::kWord && !joiner_) {
                    joiner_ = code;
                } else {
                    close(sink);
                }
                return;
            case Class::kDroppedMark:
                if (state_ != State::kNone && !joiner_) end_ = place.end;
                return;
            case Class::kDropped:
                return;
            case Class::kSeparator:
                return close(sink);
        }
    }

    DEDUP_INLINE void grow(std::uint32_t code, std::uint32_t ccc, Place place) {
        if (state_ == State::kNone) {
            state_ = State::kWord;
            start_ = place.start;
        }
        end_ = place.end;
        if (joiner_) {
            put_starter(joiner_);
            joiner_ = 0;
        }
        if (ccc) {
            marks_.push_back(ccc << 24 | code);
        } else {
            put_starter(code);
        }
    }

    DEDUP_INLINE void put_starter(std::uint32_t code) {
        if (!marks_.empty()) put_marks();
        content_.append(code);
    }

    // Marks in canonical order: by combining class, equal ones as they came.
    void put_marks() {
        const auto before = [](std::uint32_t a, std::uint32_t b) { return a >> 24 < b >> 24; };
        if (!std::is_sorted(marks_.begin(), marks_.end(), before)) {
            std::stable_sort(marks_.begin(), marks_.end(), before);
        }
        for (std::uint32_t mark : marks_) {
            const std::uint32_t code = mark & 0x1FFFFF;
            content_.append(code == kIotaBelow ? kIota : code);
        }
        marks_.clear();
    }

    template <class Sink>
    void close(Sink& sink) {
        if (state_ == State::kNone) return;
        if (!marks_.empty()) put_marks();
        sink.content(content_.data(), content_.size(), start_, end_, state_ == State::kUnit);
        content_.clear();
        state_ = State::kNone;
        joiner_ = 0;
    }

    Folds folds_;
    State state_ = State::kNone;
    std::uint32_t joiner_ = 0;  // seen after a word; part of it if the word goes on
    std::int64_t start_ = 0, end_ = 0;
    ByteBuffer content_;
    Mapped<std::uint32_t> marks_;  // of the last starter, not yet in order: ccc << 24 | code point
};

// ---- cutting ranges ---------------------------------------------------------------------------------------------

// Calls sink.ascii(start, end) for tokens of ASCII only and sink.content(bytes, length, start, end, half) for the
// others, in order, for the tokens of text[from, to), as if hyphens at the ends of lines were any hyphens.
template <class Sink>
void cut_apart(Bytes text, std::int64_t from, std::int64_t to, SlowCutter& slow, Sink& sink) {
    std::int64_t start = -1;     // of the run that came over the border of 64 bytes, if any
    bool start_is_slow = false;  // it holds a byte >= 0x80
    std::uint64_t before = 0;    // 1 if the byte before this window is part of a word, or may be
    Masks masks = masks_at(text, from, to);
    for (std::int64_t base = from; base < to; base += 64) {
        if constexpr (requires { sink.done(); })  // a sink that wants no more
            if (sink.done()) return;
        const Masks following = masks_at(text, base + 64, to);
        const std::uint64_t solid = masks.word | masks.other;
        const std::uint64_t after = (following.word | following.other) & 1;
        const std::uint64_t runs = solid | (masks.joiner & (solid << 1 | before) & (solid >> 1 | after << 63));
        const std::uint64_t shifted = runs << 1 | (start >= 0);
        std::uint64_t starts = runs & ~shifted, ends = ~runs & shifted;
        if (ends && start >= 0) {
            const int end = std::countr_zero(ends);
            ends &= ends - 1;
            if (start_is_slow || (masks.other & ((std::uint64_t{1} << end) - 1))) {
                slow.cut(text, start, base + end, sink);
            } else {
                sink.ascii(start, base + end);
            }
            start = -1;
        }
        if (masks.other == 0) {
            for (; ends; ends &= ends - 1, starts &= starts - 1) {
                sink.ascii(base + std::countr_zero(starts), base + std::countr_zero(ends));
            }
        } else {
            for (; ends; ends &= ends - 1, starts &= starts - 1) {
                const int first = std::countr_zero(starts), end = std::countr_zero(ends);
                if (masks.other >> first & ((std::uint64_t{1} << (end - first)) - 1)) {
                    slow.cut(text, base + first, base + end, sink);
                } else {
                    sink.ascii(base + first, base + end);
                }
            }
        }
        if (starts) {
            const int first = std::countr_zero(starts);
            start = base + first;
            start_is_slow = masks.other >> first != 0;
        } else if (start >= 0) {
            start_is_slow = start_is_slow || masks.other != 0;
        }
        before = solid >> 63;
        masks = following;
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
        else if (kind_ != Kind::kNone) sink_.content(content_.data(), content_.size(), start_, end_, kind_ == Kind::kHalf);
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
    if (!slow.folds().hyphens) return cut_apart(text, from, to, slow, sink);
    HyphenSink<Sink> joined(text, slow.folds().digits, sink);
    cut_apart(text, from, to, slow, joined);
    joined.flush();
}

inline std::uint64_t hash_ascii(Bytes text, std::int64_t start, std::int64_t end, bool fold_digits,
                                std::uint64_t seed) {
    const std::uint8_t* p = text.data() + start;
    const std::uint8_t* const limit = text.data() + text.size();
    std::int64_t left = end - start;
    TokenHash hash(seed, left);
    for (; left >= 8; p += 8, left -= 8) hash.add(fold_ascii(load_word(p), fold_digits));
    if (left > 0) {
        const std::uint64_t word = limit - p >= 8 ? load_word(p) & ((std::uint64_t{1} << (8 * left)) - 1)
                                                  : load_word(p, static_cast<std::size_t>(left));
        hash.add(fold_ascii(word, fold_digits));
    }
    return hash.finish();
}

// ---- what is made of the tokens ---------------------------------------------------------------------------------

// (hash, start, end, half, first token of each range).
using Tokens = std::tuple<Mapped<std::uint64_t>, Mapped<std::int64_t>, Mapped<std::int64_t>,
                          Mapped<std::uint8_t>, Mapped<std::int64_t>>;

struct TokenSink {
    Bytes text;
    bool fold_digits;
    std::uint64_t seed;
    Tokens& tokens;

    void ascii(std::int64_t start, std::int64_t end) { put(hash_ascii(text, start, end, fold_digits, seed), start, end, 0); }
    void content(const std::uint8_t* bytes, std::int64_t length, std::int64_t start, std::int64_t end, bool half) {
        put(hash_content(bytes, length, seed), start, end, half);
    }
    void put(std::uint64_t hash, std::int64_t start, std::int64_t end, std::uint8_t half) {
        std::get<0>(tokens).push_back(hash);
        std::get<1>(tokens).push_back(start);
        std::get<2>(tokens).push_back(end);
        std::get<3>(tokens).push_back(half);
    }
};

inline Tokens tokenise(Bytes text, Offsets start, Offsets end, std::uint32_t flags, std::uint64_t seed) {
    const Folds folds = Folds::of(flags);
    check_ranges(start, end, static_cast<std::int64_t>(text.size()), "text");
    Tokens tokens;
    TokenSink sink{text, folds.digits, seed, tokens};
    SlowCutter slow(folds);
    std::get<4>(tokens).push_back(0);
    for (std::size_t i = 0; i < start.size(); ++i) {
        cut_range(text, start[i], end[i], slow, sink);
        std::get<4>(tokens).push_back(static_cast<std::int64_t>(std::get<0>(tokens).size()));
    }
    return tokens;
}

// Only the hashes.
struct HashSink {
    Bytes text;
    bool fold_digits;
    std::uint64_t seed;
    Mapped<std::uint64_t>& hash;

    void ascii(std::int64_t start, std::int64_t end) { hash.push_back(hash_ascii(text, start, end, fold_digits, seed)); }
    void content(const std::uint8_t* bytes, std::int64_t length, std::int64_t, std::int64_t, bool) {
        hash.push_back(hash_content(bytes, length, seed));
    }
};

inline std::tuple<Mapped<std::uint64_t>, Mapped<std::int64_t>> hash_tokens(Bytes text, Offsets start, Offsets end,
                                                                           std::uint32_t flags, std::uint64_t seed) {
    const Folds folds = Folds::of(flags);
    check_ranges(start, end, static_cast<std::int64_t>(text.size()), "text");
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < start.size(); ++i) bytes += static_cast<std::size_t>(end[i] - start[i]);
    Mapped<std::uint64_t> hash;
    hash.reserve(bytes / 5 + 16);
    HashSink sink{text, folds.digits, seed, hash};
    SlowCutter slow(folds);
    Mapped<std::int64_t> first{0};
    first.reserve(start.size() + 1);
    for (std::size_t i = 0; i < start.size(); ++i) {
        cut_range(text, start[i], end[i], slow, sink);
        first.push_back(static_cast<std::int64_t>(hash.size()));
    }
    return {std::move(hash), std::move(first)};
}

// What the stages need of the tokens of each range: half of each hash, how many there are, their length in halves, and a
// digest of them all (as range_digests makes it).
using Survey = std::tuple<Mapped<std::uint32_t>, Mapped<std::int64_t>, Mapped<std::int64_t>,
                          Mapped<std::uint64_t>>;

struct SurveySink {
    Bytes text;
    bool fold_digits;
    Mapped<std::uint32_t>& token;
    std::uint64_t sum = 0, power = 1;
    std::int64_t count = 0, halves = 0;

    void ascii(std::int64_t start, std::int64_t end) { put(hash_ascii(text, start, end, fold_digits, 0), 2); }
    void content(const std::uint8_t* bytes, std::int64_t length, std::int64_t, std::int64_t, bool half) {
        put(hash_content(bytes, length, 0), half ? 1 : 2);
    }
    void put(std::uint64_t hash, std::int64_t length) {
        token.push_back(static_cast<std::uint32_t>(hash >> 32));
        sum = sum * kGramBase + hash;
        power *= kGramBase;
        count += 1;
        halves += length;
    }
};

inline Survey survey_tokens(Bytes text, Offsets start, Offsets end, std::uint32_t flags) {
    const Folds folds = Folds::of(flags);
    check_ranges(start, end, static_cast<std::int64_t>(text.size()), "text");
    Scratch<std::uint32_t> token;
    SlowCutter slow(folds);
    Survey out;
    auto& [tokens, first, halves, digest] = out;
    first.assign(start.size() + 1, 0);
    halves.resize(start.size());
    digest.resize(start.size());
    for (std::size_t i = 0; i < start.size(); ++i) {
        SurveySink sink{text, folds.digits, token.values()};
        cut_range(text, start[i], end[i], slow, sink);
        first[i + 1] = first[i] + sink.count;
        halves[i] = sink.halves;
        digest[i] = fmix64(static_cast<std::uint64_t>(sink.count) * sink.power + sink.sum);
    }
    tokens.assign(token.values().begin(), token.values().end());
    return out;
}

// Sets of the shingles of each range, of each element its upper half, as shingle_sets, written to `values`, which has room for
// as many as there are tokens. Returns where each begins.
inline Mapped<std::int64_t> short_sets(Bytes text, Offsets start, Offsets end, std::uint32_t flags, std::int64_t size,
                                       std::span<std::uint32_t> values) {
    const Folds folds = Folds::of(flags);
    check_ranges(start, end, static_cast<std::int64_t>(text.size()), "text");
    SlowCutter slow(folds);
    Scratch<std::uint64_t> hash;
    HashSink sink{text, folds.digits, 0, hash.values()};
    Mapped<std::int64_t> first(start.size() + 1, 0);
    for (std::size_t i = 0; i < start.size(); ++i) {
        hash.values().clear();
        cut_range(text, start[i], end[i], slow, sink);
        const auto at = static_cast<std::size_t>(first[i]);
        if (hash.values().size() > values.size() - at) throw std::invalid_argument("values has room for fewer than the tokens");
        first[i + 1] = first[i] + short_set(hash.values(), size, values.data() + at);
    }
    return first;
}

// First and last byte of some tokens, and the length in halves of what stands before them in their range: row r is token
// nth[r] of range row[r]; rows ascend by range, then by token.
struct LengthSink {
    Offsets nth;
    std::size_t at, end;  // rows of this range
    Mapped<std::int64_t>&starts, &ends, &halves;
    std::int64_t count = 0, length = 0;

    void ascii(std::int64_t start, std::int64_t end_) { put(start, end_, 2); }
    void content(const std::uint8_t*, std::int64_t, std::int64_t start, std::int64_t end_, bool half) {
        put(start, end_, half ? 1 : 2);
    }
    void put(std::int64_t start, std::int64_t end_, std::int64_t own) {
        for (; at < end && nth[at] == count; ++at) starts[at] = start, ends[at] = end_, halves[at] = length;
        ++count;
        length += own;
    }
};

inline std::tuple<Mapped<std::int64_t>, Mapped<std::int64_t>, Mapped<std::int64_t>> token_edges(
    Bytes text, Offsets start, Offsets end, std::uint32_t flags, Offsets row, Offsets nth) {
    check_ranges(start, end, static_cast<std::int64_t>(text.size()), "text");
    check_ascending(row, static_cast<std::int64_t>(start.size()) - 1, "row");
    if (row.size() != nth.size()) throw std::invalid_argument("row and nth must be equally long");
    SlowCutter slow(Folds::of(flags));
    Mapped<std::int64_t> starts(row.size(), -1), ends(row.size(), -1), halves(row.size(), 0);
    for (std::size_t begin = 0, past; begin < row.size(); begin = past) {
        const auto range = static_cast<std::size_t>(row[begin]);
        for (past = begin + 1; past < row.size() && row[past] == row[begin];) ++past;
        LengthSink sink{nth, begin, past, starts, ends, halves};
        cut_range(text, start[range], end[range], slow, sink);
        if (sink.at != past) throw std::invalid_argument("nth: a range has no such token, or nth does not ascend");
    }
    return {std::move(starts), std::move(ends), std::move(halves)};
}

struct CountSink {
    std::int64_t tokens = 0, halves = 0;

    void ascii(std::int64_t, std::int64_t) {
        tokens += 1;
        halves += 2;
    }
    void content(const std::uint8_t*, std::int64_t, std::int64_t, std::int64_t, bool half) {
        tokens += 1;
        halves += half ? 1 : 2;
    }
};

inline std::tuple<Mapped<std::int64_t>, Mapped<std::int64_t>> count_tokens(Bytes text, Offsets start,
                                                                           Offsets end,
                                                                           std::uint32_t flags) {
    SlowCutter slow(Folds::of(flags));
    check_ranges(start, end, static_cast<std::int64_t>(text.size()), "text");
    Mapped<std::int64_t> tokens(start.size()), halves(start.size());
    for (std::size_t i = 0; i < start.size(); ++i) {
        CountSink sink;
        cut_range(text, start[i], end[i], slow, sink);
        tokens[i] = sink.tokens;
        halves[i] = sink.halves;
    }
    return {std::move(tokens), std::move(halves)};
}

// Contents of the tokens, with a blank before each but the first and a unit that follows a unit.
class NormaliseSink {
   public:
    NormaliseSink(Bytes text, bool fold_digits, ByteBuffer& out)
        : text_(text), fold_digits_(fold_digits), out_(out) {}

    void next_range() { first_ = true; }

    void ascii(std::int64_t start, std::int64_t end) {
        blank(false);
        // Words of eight bytes, the last one beyond the token where there is room: what is too much is overwritten.
        const std::uint8_t *from = text_.data() + start, *const limit = text_.data() + text_.size();
        std::uint8_t* to = out_.room(static_cast<std::size_t>(end - start) + 8);
        for (std::int64_t left = end - start; left > 0; from += 8, to += 8, left -= 8) {
            const std::uint64_t word = limit - from >= 8 ? load_word(from) : load_word(from, static_cast<std::size_t>(left));
            store_word(to, fold_ascii(word, fold_digits_));
        }
        out_.extend(static_cast<std::size_t>(end - start));
    }
    void content(const std::uint8_t* bytes, std::int64_t length, std::int64_t, std::int64_t, bool half) {
        blank(half);
        std::memcpy(out_.room(static_cast<std::size_t>(length)), bytes, static_cast<std::size_t>(length));
        out_.extend(static_cast<std::size_t>(length));
    }

   private:
    void blank(bool half) {
        if (!first_ && !(half && half_before_)) out_.append(' ');
        first_ = false;
        half_before_ = half;
    }

    Bytes text_;
    bool fold_digits_, first_ = true, half_before_ = false;
    ByteBuffer& out_;
};

inline std::tuple<Mapped<std::uint8_t>, Mapped<std::int64_t>> normalise(Bytes text, Offsets start,
                                                                        Offsets end, std::uint32_t flags) {
    const Folds folds = Folds::of(flags);
    check_ranges(start, end, static_cast<std::int64_t>(text.size()), "text");
    SlowCutter slow(folds);
    ByteBuffer out;
    Mapped<std::int64_t> first{0};
    NormaliseSink sink(text, folds.digits, out);
    for (std::size_t i = 0; i < start.size(); ++i) {
        sink.next_range();
        cut_range(text, start[i], end[i], slow, sink);
        first.push_back(out.size());
    }
    return {out.take(), std::move(first)};
}

// Whether two ranges have equal tokens. A normalised text tells where its tokens begin: units stand alone, everything else is set
// off by blanks. So equal normalised texts mean equal tokens.
class TokenEquality {
   public:
    TokenEquality(Bytes text_a, Bytes text_b, std::uint32_t flags)
        : text_a_(text_a), text_b_(text_b), slow_(Folds::of(flags)), sink_a_(text_a, Folds::of(flags).digits, a_),
          sink_b_(text_b, Folds::of(flags).digits, b_) {}
    TokenEquality(const TokenEquality&) = delete;  // the sinks write to this one's buffers
    TokenEquality& operator=(const TokenEquality&) = delete;

    bool operator()(std::int64_t a_start, std::int64_t a_end, std::int64_t b_start, std::int64_t b_end) {
        const auto length = static_cast<std::size_t>(a_end - a_start);
        if (a_end - a_start == b_end - b_start &&
            (length == 0 || std::memcmp(text_a_.data() + a_start, text_b_.data() + b_start, length) == 0)) return true;
        a_.clear();
        b_.clear();
        sink_a_.next_range();
        sink_b_.next_range();
        cut_range(text_a_, a_start, a_end, slow_, sink_a_);
        cut_range(text_b_, b_start, b_end, slow_, sink_b_);
        return a_ == b_;
    }

   private:
    Bytes text_a_, text_b_;
    SlowCutter slow_;
    ByteBuffer a_, b_;
    NormaliseSink sink_a_, sink_b_;
};

inline Mapped<std::uint8_t> equal_tokens(Bytes text_a, Offsets a_start, Offsets a_end, Bytes text_b,
                                         Offsets b_start, Offsets b_end, std::uint32_t flags) {
    check_ranges(a_start, a_end, static_cast<std::int64_t>(text_a.size()), "text_a");
    check_ranges(b_start, b_end, static_cast<std::int64_t>(text_b.size()), "text_b");
    if (a_start.size() != b_start.size()) throw std::invalid_argument("as many ranges of text_a as of text_b are needed");
    TokenEquality same(text_a, text_b, flags);
    Mapped<std::uint8_t> equal(a_start.size());
    for (std::size_t i = 0; i < a_start.size(); ++i) equal[i] = same(a_start[i], a_end[i], b_start[i], b_end[i]);
    return equal;
}

}  // namespace dedup
