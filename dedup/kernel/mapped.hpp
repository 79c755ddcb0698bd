// What each code point is mapped to, and its class: the tables of unicode_tables.hpp, and letters of two bytes made ready.
#pragma once

#include <array>
#include <cstdint>
#include <stdexcept>

#include "token_words.hpp"
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

inline constexpr std::uint32_t kIotaBelow = 0x345, kIota = 0x3B9;  // a mark, folded where it stands among marks in order
inline constexpr std::uint32_t kHangul = 0xAC00, kSyllables = 11172;

inline bool is_hangul(std::uint32_t code) { return code - kHangul < kSyllables; }

// Calls use(jamo) for the letters of a syllable.
template <class Use>
DEDUP_INLINE void for_each_jamo(std::uint32_t syllable, Use use) {
    const std::uint32_t index = syllable - kHangul, tail = index % 28;
    use(0x1100 + index / 588);
    use(0x1161 + index % 588 / 28);
    if (tail) use(0x11A7 + tail);
}

// Writes them, eight bytes at a time; how many bytes they have: six or nine.
inline std::uint64_t write_jamo(std::uint32_t syllable, std::uint8_t* to) {
    const std::uint32_t index = syllable - kHangul, tail = index % 28, code = 0x11A7 + tail;
    store_word(to, 0xA185E18084E1 + (std::uint64_t{index / 588} << 16) + (std::uint64_t{index % 588 / 28} << 40));
    store_word(to + 6, 0x8080E1 | (code >> 6 & 0x3F) << 8 | (code & 0x3F) << 16);
    return tail ? 9 : 6;
}

// One character of a mapped form; ccc is its canonical combining class.
struct MappedChar {
    std::uint32_t code;
    Class kind;
    std::uint32_t ccc;
};

// The mapped form of a code point that is no Hangul syllable.
class MappedForm {
   public:
    // What the tables hold: below 2048 the code point is itself, its class in the lowest three bits and its ccc above them.
    static std::uint32_t value_of(std::uint32_t code) {
        return unicode::kStage2[unicode::kStage1[code >> 7] * 128u + (code & 127)];
    }

    explicit MappedForm(std::uint32_t code) {
        const std::uint32_t value = value_of(code);
        if (value < kIdentity) {
            itself_ = {code, static_cast<Class>(value & 7), value >> 3};
        } else {
            from_ = unicode::kFirst[value - kIdentity];
            size_ = unicode::kFirst[value - kIdentity + 1] - from_;
        }
    }

    // Whether the code point is its own mapped form.
    bool is_itself() const { return size_ == 0; }
    const MappedChar& itself() const { return itself_; }

    std::uint32_t size() const { return is_itself() ? 1 : size_; }
    MappedChar operator[](std::uint32_t i) const {
        if (is_itself()) return itself_;
        const std::uint32_t item = unicode::kMapped[from_ + i];
        return {item & 0x1FFFFF, static_cast<Class>(item >> 21 & 7), item >> 24};
    }

    // Whether it is a separator, or mapped to one: whatever is open ends here.
    bool separates() const { return size() == 1 && (*this)[0].kind == Class::kSeparator; }

   private:
    static constexpr std::uint32_t kIdentity = 2048;

    MappedChar itself_{};
    std::uint32_t from_ = 0, size_ = 0;
};

// Writes the mapped form of a code point behind `to` if it is a letter or digit with marks behind it, in order, and no
// longer than `most` bytes; how many bytes it has, 0 if it is something else. Eight bytes more may be written.
inline std::size_t write_letter(const MappedForm& form, Folds folds, std::uint8_t* to, std::size_t most) {
    std::size_t length = 0;
    std::uint32_t before = 0;
    for (std::uint32_t i = 0; i < form.size(); ++i) {
        const MappedChar item = form[i];
        const bool letter = item.kind == Class::kLetter || item.kind == Class::kDigit;
        if (!letter && (i == 0 || item.kind != Class::kMark || item.ccc < before)) return 0;
        if (!letter && folds.accents && item.code - 0x300 < 0x70) continue;
        before = letter ? 0 : item.ccc;
        const std::uint32_t code = item.code == kIotaBelow ? kIota : item.kind == Class::kDigit && folds.digits ? '0' : item.code;
        length += static_cast<std::size_t>(encode(code, to + length));
        if (length > most) return 0;
    }
    return length;
}

// What code points of two bytes are mapped to, in one word each: up to six bytes of a letter, and in its last byte how many they
// are, or what else it is.
class TwoByteLetters {
   public:
    static constexpr std::uint64_t kMost = 6, kOther = 0, kSeparator = 0x80, kDropped = 0x81, kDroppedMark = 0x82;

    explicit TwoByteLetters(Folds folds) {
        for (std::uint32_t code = 0x80; code < 0x800; ++code) {
            const MappedForm form(code);
            std::uint8_t bytes[16] = {};
            const std::uint64_t length = write_letter(form, folds, bytes, kMost);
            const std::uint64_t word = length > 0 ? load_word(bytes) & 0xFFFFFFFFFFFF : 0;
            words_[code] = word | (length > 0 ? length : kind_of(code, form, folds)) << 56;
        }
    }

    std::uint64_t operator[](std::uint32_t code) const { return words_[code]; }

    // Those of some folds, made once.
    static const TwoByteLetters& of(Folds folds) {
        static const TwoByteLetters kept[] = {TwoByteLetters({false, false, false}), TwoByteLetters({true, false, false}),
                                              TwoByteLetters({false, true, false}), TwoByteLetters({true, true, false})};
        return kept[folds.accents + 2 * folds.digits];
    }

   private:
    static std::uint64_t kind_of(std::uint32_t code, const MappedForm& form, Folds folds) {
        if (form.separates()) return kSeparator;
        if (form.is_itself() && form.itself().kind == Class::kDropped) return kDropped;
        const bool accent = folds.accents && code - 0x300 < 0x70;
        if (form.is_itself() && (accent || form.itself().kind == Class::kDroppedMark)) return kDroppedMark;
        return kOther;
    }

    std::array<std::uint64_t, 0x800> words_{};
};

}  // namespace dedup
