// Items of scanned text: runs of letters, whatever stands between them. docs/design/ocr.md says why.
//
// The letters of a page are those of its tokens' contents, one token after the other: no blanks, no joiners (' . ·), no
// accents, and hyphens at line ends make no difference. A character of a script without spaces counts as two letters.
#pragma once

#include <array>
#include <cstdint>
#include <tuple>

#include "align.hpp"
#include "seeding.hpp"
#include "tokenise.hpp"

namespace dedup {

inline constexpr std::size_t kMaxLetters = 16;

class LetterSink {
public:
    LetterSink(Bytes text, bool fold_digits, std::int64_t letters, Mapped<std::uint32_t>& items, Mapped<std::int64_t>& first)
        : text_(text), fold_digits_(fold_digits), letters_(static_cast<std::size_t>(letters)), items_(items), first_(first) {
        for (std::size_t i = 1; i < kMaxLetters; ++i) power_[i] = power_[i - 1] * kGramBase;
    }

    void next_range() { range_begins_ = true; }

    // Letters of the last page that had too few behind them: their runs are as long as they can be.
    void end_page() {
        while (count_ > 0) emit();
    }

    void ascii(std::int64_t start, std::int64_t end) {
        begin(start, end);
        for (std::int64_t at = start; at < end; ++at) {
            const std::uint8_t byte = text_[static_cast<std::size_t>(at)];
            if (byte != '\'' && byte != '.') put(fold_ascii(byte, fold_digits_));
        }
        first_.push_back(letters_put_);
    }
    void content(const std::uint8_t* bytes, std::int64_t length, std::int64_t start, std::int64_t end, bool half) {
        begin(start, end);
        if (half) {
            const std::uint64_t whole = hash_content(bytes, length, 0) & ~std::uint64_t{1};
            put(whole);
            put(whole | 1);
        } else {
            for (std::int64_t at = 0; at < length;) {
                const Decoded decoded = decode(bytes + at, length - at);
                at += decoded.length;
                const std::uint32_t code = decoded.code;
                if (code != '\'' && code != '.' && code != 0xB7 && code - 0x300 >= 0x70) put(code);
            }
        }
        first_.push_back(letters_put_);
    }

private:
    void begin(std::int64_t start, std::int64_t end) {
        starts_sentence_ = range_begins_ || (start > end_ && ends_sentence(text_, end_, start));
        range_begins_ = false;
        end_ = end;
    }
    void put(std::uint64_t letter) {
        pending_[(head_ + count_++) % kMaxLetters] = {letter + 1, starts_sentence_};
        sum_ = sum_ * kGramBase + letter + 1;
        starts_sentence_ = false;
        ++letters_put_;
        if (count_ == letters_) emit();
    }
    // The item of the first pending letter: all that are pending.
    void emit() {
        const Letter& front = pending_[head_];
        items_.push_back(static_cast<std::uint32_t>(fmix64(sum_) >> 34 << kItemFlags) | (front.starts_sentence ? kStartsSentence : 0));
        sum_ -= front.value * power_[--count_];
        head_ = (head_ + 1) % kMaxLetters;
    }

    struct Letter {
        std::uint64_t value;
        bool starts_sentence;
    };

    Bytes text_;
    bool fold_digits_, range_begins_ = true, starts_sentence_ = false;
    std::size_t letters_, head_ = 0, count_ = 0;
    std::int64_t end_ = 0, letters_put_ = 0;
    std::array<Letter, kMaxLetters> pending_{};                   // a ring: those of the next item
    std::array<std::uint64_t, kMaxLetters> power_{1};             // of kGramBase
    std::uint64_t sum_ = 0;                                       // of the pending letters, each times its power
    Mapped<std::uint32_t>& items_;
    Mapped<std::int64_t>& first_;
};

// One item a letter, and the first one of each token, one longer: (item, first). page_first: the ranges of each page.
inline std::tuple<Mapped<std::uint32_t>, Mapped<std::int64_t>> letter_items(Bytes text, Offsets start, Offsets end,
                                                                            Offsets page_first, std::uint32_t flags,
                                                                            std::int64_t letters) {
    const Folds folds = Folds::of(flags);
    check_ranges(start, end, static_cast<std::int64_t>(text.size()), "text");
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < start.size(); ++i) bytes += static_cast<std::size_t>(end[i] - start[i]);
    std::tuple<Mapped<std::uint32_t>, Mapped<std::int64_t>> out;
    auto& [items, first] = out;
    items.reserve(bytes + 16);  // only what is written is touched
    first.reserve(bytes / 5 + 16);
    first.push_back(0);
    LetterSink sink(text, folds.digits, letters, items, first);
    SlowCutter slow(folds);
    for (std::size_t p = 0; p + 1 < page_first.size(); ++p) {
        for (auto i = static_cast<std::size_t>(page_first[p]); i < static_cast<std::size_t>(page_first[p + 1]); ++i) {
            sink.next_range();
            cut_range(text, start[i], end[i], slow, sink);
        }
        sink.end_page();
    }
    return out;
}

}  // namespace dedup
