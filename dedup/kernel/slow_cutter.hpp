// Runs of text that are not all ASCII, cut into tokens: lanes for what is frequent, code point by code point what is left.
//
// A run is cut piece by piece. Where a piece begins no token is open, so each piece may take the lane that fits: words of
// ASCII and letters of two or three bytes; units and letters that are their own mapped form, with marks in order.
#pragma once

#include <algorithm>
#include <cstdint>

#include "arrays.hpp"
#include "char_cutter.hpp"
#include "mapped.hpp"
#include "masks.hpp"
#include "token_words.hpp"
#include "utf8.hpp"

namespace dedup {

// One object serves many runs and keeps its buffers.
class SlowCutter {
   public:
    explicit SlowCutter(Folds folds) : folds_(folds), letters_(TwoByteLetters::of(folds)), chars_(folds) {}

    const Folds& folds() const { return folds_; }

    // A range is cut that may stand anywhere.
    void next_range() { relief_.place(); }

    // Calls sink.content(bytes, length, start, end, half) for each token of a run.
    template <class Sink>
    void cut(Bytes text, std::int64_t from, std::int64_t to, Sink& sink) {
        const std::int64_t readable = static_cast<std::int64_t>(text.size()) - kReach;
        for (std::int64_t at = from; at < to;) {
            if (at > readable) {
                at = chars_.cut_piece(text, at, to, sink);
                continue;
            }
            const std::uint8_t byte = text[static_cast<std::size_t>(at)];
            if (is_joiner(byte)) {  // nothing is open
                ++at;
                continue;
            }
            std::int64_t next = byte < 0xE0 ? kOther : three_byte_tokens(text, at, to, sink);
            if (next == kOther) next = word(text.data(), at, to, sink);
            at = next == kOther ? chars_.cut_piece(text, at, to, sink) : next;
        }
    }

   private:
    static constexpr std::int64_t kMostBytes = 63;           // of a word that takes the lane
    static constexpr std::int64_t kReach = kMostBytes + 33;  // bytes from its first one on that may be looked at
    static constexpr std::int64_t kContent = 16;             // bytes that a sink may read of a token, however short
    static constexpr std::int64_t kOther = -1;               // says that a lane does not fit
    static constexpr std::size_t kMostMapped = 16;           // bytes that a letter is mapped to
    static constexpr std::uint32_t kApostrophe = 0x2019;

    // The code point of three bytes at p of which `left` may be looked at, or kBadByte.
    static std::uint32_t three_bytes(const std::uint8_t* p, std::int64_t left) {
        if (left < 3 || (p[0] & 0xF0) != 0xE0 || !is_continuation(p[1]) || !is_continuation(p[2])) return kBadByte;
        const std::uint32_t code = (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
        return code < 0x800 ? kBadByte : code;
    }

    // Where separators of three bytes at `from` end; or, if tokens of three-byte code points begin there, where the next piece
    // does: units with their marks, or a word of letters with theirs that are their own mapped forms.
    template <class Sink>
    std::int64_t three_byte_tokens(Bytes text, std::int64_t from, std::int64_t to, Sink& sink) {
        const std::uint8_t* const p = text.data();
        const std::int64_t at = plain_units(p, from, to, static_cast<std::int64_t>(text.size()) - kContent, sink);
        if (at > from) return at;
        const std::uint32_t first = three_bytes(p + from, to - from);
        if (first == kBadByte || is_hangul(first)) return kOther;
        const MappedForm form(first);
        if (separates(first, form) || first == kApostrophe) return from + 3;
        if (form[0].kind == Class::kUnit) return unit(p, from, to, form, sink);
        return form.is_itself() && is_letter(form.itself().kind) ? own_letters(p, from, to, sink) : kOther;
    }

    // Units, each followed by one of its kind, a separator, ASCII or the end, up to the `last` place at which one may stand.
    // Returns where the first other code point begins.
    template <class Sink>
    std::int64_t plain_units(const std::uint8_t* p, std::int64_t from, std::int64_t to, std::int64_t last, Sink& sink) {
        constexpr std::uint32_t kUnit = static_cast<std::uint32_t>(Class::kUnit), kSeparator = 0;
        std::int64_t at = from;
        for (std::uint32_t value = own_value(p + at, to - at); value == kUnit && at <= last; at += 3) {
            value = at + 3 < to && p[at + 3] >= 0x80 ? own_value(p + at + 3, to - at - 3) : kSeparator;
            if (value != kUnit && value != kSeparator) break;
            sink.content(p + at, 3, at, at + 3, true);
        }
        return at;
    }

    // What the tables hold of three bytes.
    static std::uint32_t own_value(const std::uint8_t* p, std::int64_t left) {
        const std::uint32_t code = three_bytes(p, left);
        return code == kBadByte ? code : MappedForm::value_of(code);
    }

    // A unit with its marks.
    template <class Sink>
    std::int64_t unit(const std::uint8_t* p, std::int64_t from, std::int64_t to, const MappedForm& form, Sink& sink) {
        std::int64_t end = from + 3;
        std::uint32_t ccc = 0;
        for (; end < to && p[end] >= 0x80; end += 3) {
            if (end - from > kMostBytes) return kOther;
            const std::uint32_t code = three_bytes(p + end, to - end);
            if (code == kBadByte) return kOther;
            if (is_hangul(code)) break;
            const MappedForm next(code);
            const MappedChar own = next[0];
            if (own.kind == Class::kDropped || own.kind == Class::kDroppedMark) return kOther;
            if (own.kind != Class::kMark) break;
            if (!next.is_itself() || !form.is_itself() || (own.ccc != 0 && own.ccc < ccc)) return kOther;
            ccc = own.ccc;
        }
        if (form.is_itself()) {
            sink.content(p + from, end - from, from, end, true);
            return end;
        }
        if (form.size() != 2 || form[1].kind != Class::kMark) return kOther;  // not a voiced kana
        const int length = encode(form[0].code, content_);
        sink.content(content_, length + encode(form[1].code, content_ + length), from, end, true);
        return end;
    }

    // A word of letters and marks.
    template <class Sink>
    std::int64_t own_letters(const std::uint8_t* p, std::int64_t from, std::int64_t to, Sink& sink) {
        std::int64_t end = from + 3;
        std::uint32_t ccc = 0;
        for (; end < to; end += 3) {
            const std::uint32_t code = three_bytes(p + end, to - end);
            if (code == kBadByte || is_hangul(code) || end - from > kMostBytes) return kOther;
            const MappedForm next(code);
            if (separates(code, next) || next[0].kind == Class::kUnit) break;
            const bool mark = next.is_itself() && next.itself().kind == Class::kMark;
            if (!mark && !(next.is_itself() && is_letter(next.itself().kind))) return kOther;
            if (mark && next.itself().ccc != 0 && next.itself().ccc < ccc) return kOther;
            ccc = mark ? next.itself().ccc : 0;
        }
        sink.content(p + from, end - from, from, end, false);
        return end;
    }

    // Whether whatever is open ends at a form: a separator, or three full stops in one.
    static bool separates(std::uint32_t code, const MappedForm& form) { return code == 0x2026 || form.separates(); }
    bool is_letter(Class kind) const { return kind == Class::kLetter || (kind == Class::kDigit && !folds_.digits); }

    // A word of ASCII and letters of two or three bytes, with joiners of ASCII or ’ between them. Returns where the next piece
    // begins.
    template <class Sink>
    std::int64_t word(const std::uint8_t* text, std::int64_t from, std::int64_t to, Sink& sink) {
        const std::uint8_t* const p = text + from;
        const std::int64_t size = std::min(to - from, kMostBytes);
        std::uint8_t* out = content_;
        std::int64_t at = 0;
        for (std::uint64_t high = high_bits(p, size); high; high &= high - 1) {
            const std::int64_t other = lowest_bit(high);
            if (other != at) out = copy_ascii(p + at, other - at, out);
            at = other;
            high &= high - 1;
            if ((p[at] & 0xE0) == 0xC0 && is_continuation(p[at + 1])) {
                const std::uint64_t letter = letters_[(p[at] & 0x1Fu) << 6 | (p[at + 1] & 0x3Fu)], kind = letter >> 56;
                if (kind - 1 >= TwoByteLetters::kMost) [[unlikely]] {
                    if (kind == TwoByteLetters::kSeparator && at + 2 <= size) return finish(from, at, at + 2, out, sink);
                    if (!is_dropped(kind, p, at, size)) return kOther;
                    at += 2;
                    continue;
                }
                store_word(out, letter);
                out += kind;
                at += 2;
                continue;
            }
            const std::uint32_t code = three_bytes(p + at, size - at);
            high &= high - 1;
            if (code == kApostrophe) {
                if (at == 0 || is_joiner(p[at - 1])) return kOther;
                if (at + 3 == to - from) return finish(from, at, at + 3, out, sink);
                if (!is_letter_at(p, at + 3, size)) return kOther;
                *out++ = '\'';
            } else {
                const std::uint64_t kind = write_three_bytes(code, out);
                if (kind == TwoByteLetters::kSeparator && at > 0) return finish(from, at, at, out, sink);
                if (kind == TwoByteLetters::kOther || kind == TwoByteLetters::kSeparator) return kOther;
                out += kind;
            }
            at += 3;
        }
        if (at > size || size < to - from) return kOther;
        return finish(from, size, size, copy_ascii(p + at, size - at, out), sink);
    }

    // Hands on the word of text[from, from + size) in content_, but for a joiner at its end; returns the place `next` behind `from`.
    template <class Sink>
    std::int64_t finish(std::int64_t from, std::int64_t size, std::int64_t next, const std::uint8_t* out, Sink& sink) {
        const std::int64_t joiner = size > 0 && is_joiner(out[-1]);
        if (size > joiner) sink.content(content_, out - content_ - joiner, from, from + size - joiner, false);
        return from + next;
    }

    // Whether the code point of two bytes at `at` makes no difference to the word around it.
    bool is_dropped(std::uint64_t kind, const std::uint8_t* p, std::int64_t at, std::int64_t size) const {
        if (at == 0 || is_joiner(p[at - 1]) || at + 2 > size) return false;
        if (kind == TwoByteLetters::kDropped) return is_letter_at(p, at + 2, size);
        return kind == TwoByteLetters::kDroppedMark && (at + 2 == size || !is_joiner(p[at + 2]));
    }

    // Whether a letter begins here, of ASCII or two bytes.
    bool is_letter_at(const std::uint8_t* p, std::int64_t at, std::int64_t size) const {
        if (at >= size) return false;
        if (p[at] < 0x80) return !is_joiner(p[at]);
        if (at + 1 >= size || (p[at] & 0xE0) != 0xC0 || !is_continuation(p[at + 1])) return false;
        return (letters_[(p[at] & 0x1Fu) << 6 | (p[at + 1] & 0x3Fu)] >> 56) - 1 < TwoByteLetters::kMost;
    }

    // The bytes >= 0x80 among `size` <= 63 ones; 64 may be read.
    static std::uint64_t high_bits(const std::uint8_t* p, std::int64_t size) {
        std::uint64_t high = 0;
        for (std::int64_t i = 0; i < std::max<std::int64_t>(size, 32); i += 16) {
#if defined(__SSE2__)
            const auto bits = _mm_movemask_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p + i)));
#else
            std::uint32_t bits = 0;
            for (int j = 0; j < 16; ++j) bits |= static_cast<std::uint32_t>(p[i + j] >> 7) << j;
#endif
            high |= static_cast<std::uint64_t>(static_cast<std::uint32_t>(bits)) << i;
        }
        return high & ((std::uint64_t{1} << size) - 1);
    }

    std::uint8_t* copy_ascii(const std::uint8_t* p, std::int64_t length, std::uint8_t* out) const {
        for (std::int64_t i = 0; i < length; i += 16) {
            store_word(out + i, fold_ascii(load_word(p + i), folds_.digits));
            store_word(out + i + 8, fold_ascii(load_word(p + i + 8), folds_.digits));
        }
        return out + length;
    }

    static bool is_joiner(std::uint8_t byte) { return byte == '\'' || byte == '.'; }

    // Writes a letter of three bytes; how many bytes it has mapped, or what TwoByteLetters says of what is none.
    std::uint64_t write_three_bytes(std::uint32_t code, std::uint8_t* out) const {
        if (code == kBadByte) return 0;
        if (is_hangul(code)) return write_jamo(code, out);
        const MappedForm form(code);
        if (separates(code, form) || form[0].kind == Class::kUnit) return TwoByteLetters::kSeparator;
        return write_letter(form, folds_, out, kMostMapped);
    }

    Folds folds_;
    const TwoByteLetters& letters_;
    CharCutter chars_;
    Relief relief_;
    std::uint8_t content_[kMostBytes * kMostMapped / 2 + 32];
};

}  // namespace dedup
