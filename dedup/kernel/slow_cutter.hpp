// Text that is not all ASCII, cut into tokens through the tables.
#pragma once

#include <algorithm>
#include <cstdint>
#include <stdexcept>

#include "arrays.hpp"
#include "masks.hpp"
#include "memory.hpp"
#include "unicode_tables.hpp"
#include "utf8.hpp"

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
        content_.room(16);  // may be read
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

}  // namespace dedup
