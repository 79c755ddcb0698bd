// Text cut into tokens code point by code point: what a token is, in full.
#pragma once

#include <algorithm>
#include <cstdint>

#include "arrays.hpp"
#include "mapped.hpp"
#include "masks.hpp"
#include "memory.hpp"
#include "utf8.hpp"

namespace dedup {

// Cuts text code point by code point. One object serves many stretches and keeps its buffers.
class CharCutter {
   public:
    explicit CharCutter(Folds folds) : folds_(folds) {}

    // Calls sink.content(bytes, length, start, end, half) for each token that begins in the first piece of text[from, to):
    // no token is open at `from`, nor where the next unit or separator of three bytes begins, which is returned.
    template <class Sink>
    std::int64_t cut_piece(Bytes text, std::int64_t from, std::int64_t to, Sink& sink) {
        std::int64_t at = from;
        while (at < to) {
            const std::uint8_t byte = text[static_cast<std::size_t>(at)];
            if (is_ascii_word(byte)) {
                ascii(byte, at++, sink);
                continue;
            }
            const Decoded decoded = decode(text.data() + at, to - at);
            if (decoded.length == 3 && at > from && begins_piece(decoded.code)) break;
            const Place place{at, at + decoded.length};
            at = place.end;
            map(decoded.code, place, sink);
        }
        close(sink);
        return at;
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

    static bool begins_piece(std::uint32_t code) {
        if (is_hangul(code)) return false;
        const MappedForm form(code);
        return form.is_itself() && (form.itself().kind == Class::kUnit || form.itself().kind == Class::kSeparator);
    }

    template <class Sink>
    DEDUP_INLINE void map(std::uint32_t code, Place place, Sink& sink) {
        if (code == kBadByte) return close(sink);
        if (is_hangul(code)) {
            for_each_jamo(code, [&](std::uint32_t jamo) { feed({jamo, Class::kLetter, 0}, place, sink); });
            return;
        }
        const MappedForm form(code);
        if (form.is_itself()) return feed(form.itself(), place, sink);
        for (std::uint32_t i = 0; i < form.size(); ++i) feed(form[i], place, sink);
    }

    template <class Sink>
    DEDUP_INLINE void feed(const MappedChar& item, Place place, Sink& sink) {
        const auto [code, own_kind, ccc] = item;
        Class kind = own_kind;
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
