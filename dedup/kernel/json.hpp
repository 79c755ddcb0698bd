// Lines of JSON: where the wanted fields of each record stand, and its text with the escapes resolved.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "arrays.hpp"
#include "memory.hpp"
#include "utf8.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace dedup {

inline constexpr std::uint8_t kAbsent = 0, kPlain = 1, kOther = 2;  // what stands in a wanted field
inline constexpr int kMostNested = 60;                               // objects and arrays in each other, in one field
inline constexpr std::ptrdiff_t kIntegerDigits = 18, kExponentDigits = 2, kNumberBytes = 64;

using JsonRecords = std::tuple<Mapped<std::int64_t>, Mapped<std::uint8_t>, Mapped<std::uint8_t>,
                               Mapped<std::int64_t>, Mapped<std::int64_t>, Mapped<std::uint8_t>,
                               Mapped<std::int64_t>>;

// Walks over one line after the other. Whatever is doubtful is left to others, so each `false` below is safe.
class RecordScanner {
   public:
    RecordScanner(Bytes lines, Bytes names, Offsets name_first, std::int64_t texts)
        : begin_(lines.data()), end_(lines.data() + lines.size()), at_(begin_), names_(names), name_first_(name_first),
          fields_(name_first.size() - 1), texts_(static_cast<std::size_t>(texts)), text_(lines.size()) {}

    JsonRecords scan() {
        line_.push_back(0);
        text_first_.push_back(0);
        while (at_ < end_) {
            const std::uint8_t* const line = at_;
            kind_.resize(kind_.size() + fields_, kAbsent);
            start_.resize(kind_.size(), 0);
            stop_.resize(kind_.size(), 0);
            const bool good = record() && take_text();
            good_.push_back(good);
            if (!good) {
                std::fill(kind_.end() - static_cast<std::ptrdiff_t>(fields_), kind_.end(), kAbsent);
                std::fill(start_.end() - static_cast<std::ptrdiff_t>(fields_), start_.end(), 0);
                std::fill(stop_.end() - static_cast<std::ptrdiff_t>(fields_), stop_.end(), 0);
                const void* const feed = std::memchr(line, '\n', static_cast<std::size_t>(end_ - line));
                at_ = feed ? static_cast<const std::uint8_t*>(feed) : end_;
            }
            at_ += at_ < end_;  // the line feed
            line_.push_back(at_ - begin_);
            text_first_.push_back(written_);
        }
        text_.resize(static_cast<std::size_t>(written_));
        return {std::move(line_), std::move(good_), std::move(kind_), std::move(start_),
                std::move(stop_), std::move(text_), std::move(text_first_)};
    }

   private:
    // One object up to the end of its line.
    bool record() {
        if (!next_is('{')) return false;
        do {
            skip_blanks();
            if (at_ == end_ || *at_ != '"') return false;
            const std::uint8_t* const key = ++at_;
            bool plain = true;
            if (!string(plain) || !plain) return false;
            const std::size_t field = field_of(key, static_cast<std::size_t>(at_ - 1 - key));
            if (!next_is(':')) return false;
            skip_blanks();
            const std::uint8_t* from = at_;
            if (at_ < end_ && *at_ == '"') {
                ++at_;
                if (!string(plain)) return false;
            } else {
                plain = false;
                if (!value()) return false;
            }
            if (field == fields_) continue;
            const std::size_t cell = kind_.size() - fields_ + field;
            if (kind_[cell] != kAbsent) return false;  // twice in one record
            kind_[cell] = plain ? kPlain : kOther;
            start_[cell] = from - begin_ + plain;
            stop_[cell] = at_ - begin_ - plain;
        } while (next_is(','));
        if (!next_is('}')) return false;
        skip_blanks();
        return at_ == end_ || *at_ == '\n';
    }

    // Writes the first text field there is, if it is a string.
    bool take_text() {
        for (std::size_t cell = kind_.size() - fields_, last = cell + texts_; cell < last; ++cell) {
            if (kind_[cell] == kAbsent) continue;
            const std::uint8_t *from = begin_ + start_[cell], *to = begin_ + stop_[cell];
            if (kind_[cell] == kPlain) {
                write(from, to);
                return true;
            }
            if (*from != '"') return false;
            unescape(from + 1, to - 1);
            return true;
        }
        return false;
    }

    void skip_blanks() {
        while (at_ < end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\r')) ++at_;
    }

    bool next_is(std::uint8_t byte) {
        skip_blanks();
        if (at_ == end_ || *at_ != byte) return false;
        ++at_;
        return true;
    }

    std::size_t field_of(const std::uint8_t* key, std::size_t length) const {
        for (std::size_t field = 0; field < fields_; ++field) {
            const auto first = static_cast<std::size_t>(name_first_[field]);
            if (static_cast<std::size_t>(name_first_[field + 1]) - first == length &&
                std::equal(key, key + length, names_.data() + first))
                return field;
        }
        return fields_;
    }

    // The first byte from here that is no printable ASCII, or a quote or backslash.
    void skip_ordinary() {
#if defined(__SSE2__)
        const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), blank = _mm_set1_epi8(' ');
        for (; end_ - at_ >= 16; at_ += 16) {
            const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at_));
            const __m128i special = _mm_or_si128(_mm_cmplt_epi8(bytes, blank),  // signed: also 0x80 and above
                                                 _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)));
            const int found = _mm_movemask_epi8(special);
            if (found) {
                at_ += std::countr_zero(static_cast<unsigned>(found));
                return;
            }
        }
#endif
        while (at_ < end_ && *at_ >= ' ' && *at_ < 0x80 && *at_ != '"' && *at_ != '\\') ++at_;
    }

    // A string behind its opening quote, up to behind the closing one; `plain` becomes false where it has an escape.
    bool string(bool& plain) {
        while (true) {
            skip_ordinary();
            if (at_ == end_) return false;
            if (*at_ == '"') {
                ++at_;
                return true;
            }
            if (*at_ == '\\') {
                plain = false;
                if (!escape()) return false;
            } else {
                if (*at_ < 0x80) return false;
                do {
                    const Decoded decoded = decode(at_, end_ - at_);
                    if (decoded.code == kBadByte || is_surrogate(decoded.code)) return false;
                    at_ += decoded.length;
                } while (at_ < end_ && *at_ >= 0x80);
            }
        }
    }

    static bool is_surrogate(std::uint32_t code) { return code >= 0xD800 && code < 0xE000; }

    // Four hexadecimal digits, or kBadByte.
    std::uint32_t hex(const std::uint8_t* from) const {
        if (end_ - from < 4) return kBadByte;
        std::uint32_t code = 0;
        for (int i = 0; i < 4; ++i) {
            const std::uint8_t digit = from[i], lower = digit | 0x20;
            if (digit >= '0' && digit <= '9')
                code = code << 4 | (digit - std::uint32_t{'0'});
            else if (lower >= 'a' && lower <= 'f')
                code = code << 4 | (lower - std::uint32_t{'a'} + 10);
            else
                return kBadByte;
        }
        return code;
    }

    bool escape() {
        if (end_ - at_ < 2) return false;
        switch (at_[1]) {
            case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't':
                at_ += 2;
                return true;
            case 'u': break;
            default: return false;
        }
        const std::uint32_t code = hex(at_ + 2);
        if (code == kBadByte) return false;
        at_ += 6;
        if (!is_surrogate(code)) return true;
        if (code >= 0xDC00 || end_ - at_ < 6 || at_[0] != '\\' || at_[1] != 'u') return false;
        const std::uint32_t second = hex(at_ + 2);
        if (second == kBadByte || second < 0xDC00 || second >= 0xE000) return false;
        at_ += 6;
        return true;
    }

    bool digits(std::ptrdiff_t most) {
        const std::uint8_t* const from = at_;
        while (at_ < end_ && *at_ >= '0' && *at_ <= '9') ++at_;
        return at_ > from && at_ - from <= most;
    }

    bool number() {
        const std::uint8_t* const from = at_;
        if (at_ < end_ && *at_ == '-') ++at_;
        if (at_ < end_ && *at_ == '0') {
            ++at_;
        } else if (!digits(kIntegerDigits)) {
            return false;
        }
        if (at_ < end_ && *at_ == '.') {
            ++at_;
            if (!digits(kNumberBytes)) return false;
        }
        if (at_ < end_ && (*at_ == 'e' || *at_ == 'E')) {
            ++at_;
            if (at_ < end_ && (*at_ == '+' || *at_ == '-')) ++at_;
            if (!digits(kExponentDigits)) return false;
        }
        return at_ - from <= kNumberBytes;
    }

    bool literal(const char* word, std::ptrdiff_t length) {
        if (end_ - at_ < length || !std::equal(word, word + length, at_)) return false;
        at_ += length;
        return true;
    }

    bool key() {
        bool plain = true;
        return next_is('"') && string(plain) && next_is(':');
    }

    // Any value. What is open stands in the bits of a word: 1 an object, 0 an array.
    bool value() {
        std::uint64_t open = 0;
        int depth = 0;
        while (true) {
            skip_blanks();
            if (at_ == end_) return false;
            bool plain = true, good = true;
            switch (*at_) {
                case '"':
                    ++at_;
                    good = string(plain);
                    break;
                case 't': good = literal("true", 4); break;
                case 'f': good = literal("false", 5); break;
                case 'n': good = literal("null", 4); break;
                case '{':
                case '[': {
                    if (depth == kMostNested) return false;
                    const bool object = *at_++ == '{';
                    if (next_is(object ? '}' : ']')) break;
                    if (object && !key()) return false;
                    open = open << 1 | object;
                    ++depth;
                    continue;
                }
                default: good = number();
            }
            if (!good) return false;
            while (depth && next_is(open & 1 ? '}' : ']')) {
                open >>= 1;
                --depth;
            }
            if (!depth) return true;
            if (!next_is(',') || ((open & 1) && !key())) return false;
        }
    }

    void write(const std::uint8_t* from, const std::uint8_t* to) {
        std::copy(from, to, text_.data() + written_);
        written_ += to - from;
    }

    // Writes a string that was found good; never longer than it stands there.
    void unescape(const std::uint8_t* from, const std::uint8_t* to) {
        while (from < to) {
            const void* const found = std::memchr(from, '\\', static_cast<std::size_t>(to - from));
            const auto* const stop = found ? static_cast<const std::uint8_t*>(found) : to;
            write(from, stop);
            if (stop == to) return;
            from = stop + 2;
            std::uint32_t code = stop[1];
            switch (code) {
                case 'b': code = '\b'; break;
                case 'f': code = '\f'; break;
                case 'n': code = '\n'; break;
                case 'r': code = '\r'; break;
                case 't': code = '\t'; break;
                case 'u':
                    code = hex(from);
                    from += 4;
                    if (is_surrogate(code)) {
                        code = 0x10000 + ((code & 0x3FF) << 10 | (hex(from + 2) & 0x3FF));
                        from += 6;
                    }
                    break;
                default: break;
            }
            written_ += encode(code, text_.data() + written_);
        }
    }

    const std::uint8_t *begin_, *end_, *at_;
    Bytes names_;
    Offsets name_first_;
    std::size_t fields_, texts_;
    std::int64_t written_ = 0;
    Mapped<std::uint8_t> text_, good_, kind_;
    Mapped<std::int64_t> line_, start_, stop_, text_first_;
};

// See the twin.
inline JsonRecords json_records(Bytes lines, Bytes names, Offsets name_first, std::int64_t texts) {
    if (name_first.empty()) throw std::invalid_argument("name_first must be one longer than the names");
    check_ascending(name_first, static_cast<std::int64_t>(names.size()), "name_first");
    if (texts < 0 || texts >= static_cast<std::int64_t>(name_first.size()))
        throw std::invalid_argument("texts must be from 0 to the number of names");
    return RecordScanner(lines, names, name_first, texts).scan();
}

}  // namespace dedup
