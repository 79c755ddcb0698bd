// What repeats inside a page, counted as corpus builders do (Rae et al. 2021, table A1): lines, paragraphs, runs of words.
//
// A run of n words can stand twice only where the two runs of n - 1 in it do. So only runs of 2 are looked at everywhere;
// of ordinary text little is left at 3 and next to nothing at 5.
#pragma once

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "arrays.hpp"
#include "memory.hpp"
#include "tokenise.hpp"

namespace dedup {

inline constexpr std::size_t kRepetitionCounts = 18, kTopWords = 4, kMostWords = 10;

// Numbers different keys 0, 1, ... in the order in which they come, and counts each.
class KeyNumbers {
   public:
    void clear(std::size_t expected) {
        const std::size_t size = std::bit_ceil(std::clamp<std::size_t>(2 * expected, 64, 8192));
        slots_.assign(size, Slot{0, kFree});
        count_.clear();
    }

    // `same` says whether number n, whose key is equal, is the one that is meant.
    template <class Same>
    std::uint32_t add(std::uint64_t key, Same&& same) {
        std::size_t at = place(key);
        for (; slots_[at].number != kFree; at = (at + 1) & (slots_.size() - 1))
            if (slots_[at].key == key && same(slots_[at].number)) {
                ++count_[slots_[at].number];
                return slots_[at].number;
            }
        const auto number = static_cast<std::uint32_t>(count_.size());
        slots_[at] = {key, number};
        count_.push_back(1);
        if (2 * count_.size() > slots_.size()) grow();
        return number;
    }
    std::uint32_t add(std::uint64_t key) {
        return add(key, [](std::uint32_t) { return true; });
    }

    std::uint32_t count(std::uint32_t number) const { return count_[number]; }
    std::size_t size() const { return count_.size(); }

   private:
    struct Slot {
        std::uint64_t key;
        std::uint32_t number;
    };
    static constexpr std::uint32_t kFree = 0xFFFFFFFF;

    std::size_t place(std::uint64_t key) const {
        return static_cast<std::size_t>(fmix64(key)) & (slots_.size() - 1);
    }

    void grow() {
        Mapped<Slot> before;
        before.swap(slots_);
        slots_.assign(2 * before.size(), Slot{0, kFree});
        for (const Slot& slot : before) {
            if (slot.number == kFree) continue;
            std::size_t at = place(slot.key);
            while (slots_[at].number != kFree) at = (at + 1) & (slots_.size() - 1);
            slots_[at] = slot;
        }
    }

    Mapped<Slot> slots_;
    Mapped<std::uint32_t> count_;
};

inline std::int64_t count_code_points(const std::uint8_t* p, const std::uint8_t* end) {
    std::int64_t count = 0;
    for (; p < end; ++p) count += !is_continuation(*p);
    return count;
}

// Pieces of text, and those that equal an earlier one.
class EqualPieces {
   public:
    explicit EqualPieces(Bytes text) : text_(text) {}

    void clear(std::size_t expected) {
        numbers_.clear(expected);
        first_.clear();
        pieces = copies = chars = copied = 0;
    }

    void add(std::int64_t start, std::int64_t end) {
        const auto* const p = text_.data() + start;
        const auto size = static_cast<std::size_t>(end - start);
        const std::uint64_t hash = hash_content(p, end - start, 0);
        const std::uint32_t number = numbers_.add(hash, [&](std::uint32_t n) {
            return first_[n].second == size && std::memcmp(text_.data() + first_[n].first, p, size) == 0;
        });
        const std::int64_t own = count_code_points(p, p + size);
        ++pieces;
        chars += own;
        if (number < first_.size()) {
            ++copies;
            copied += own;
        } else {
            first_.emplace_back(start, size);
        }
    }

    std::int64_t pieces = 0, copies = 0, chars = 0, copied = 0;

   private:
    Bytes text_;
    KeyNumbers numbers_;
    Mapped<std::pair<std::int64_t, std::size_t>> first_;
};

// The words of one page: numbers of their contents, and code points before each.
class PageWords {
   public:
    PageWords(Bytes text, bool fold_digits) : text_(text), fold_digits_(fold_digits) {}

    void clear(std::size_t expected) {
        numbers_.clear(expected);
        word.clear();
        before.assign(1, 0);
    }

    void ascii(std::int64_t start, std::int64_t end) { put(hash_ascii(text_, start, end, fold_digits_, 0), end - start); }
    void content(const std::uint8_t* bytes, std::int64_t length, std::int64_t start, std::int64_t end, bool) {
        put(hash_content(bytes, length, 0), count_code_points(text_.data() + start, text_.data() + end));
    }

    std::int64_t chars(std::size_t from, std::size_t to) const { return before[to] - before[from]; }

    Mapped<std::uint32_t> word;
    Mapped<std::int64_t> before;  // one longer than the words

   private:
    void put(std::uint64_t hash, std::int64_t length) {
        word.push_back(numbers_.add(hash));
        before.push_back(before.back() + length);
    }

    Bytes text_;
    bool fold_digits_;
    KeyNumbers numbers_;
};

// Where the runs of n words stand that stand twice or more, and which of them stand where; n grows from 2.
class RepeatedRuns {
   public:
    explicit RepeatedRuns(const PageWords& words) : words_(words) {}

    void find_pairs() {
        size_ = 2;
        at_.clear();
        run_.clear();
        const std::size_t pairs = words_.word.size() < 2 ? 0 : words_.word.size() - 1;
        mark_pairs(pairs);
        numbers_.clear(pairs / 4);
        for (std::size_t i = 0; i < pairs; ++i) {
            if (!perhaps_repeated(pair(i))) continue;
            at_.push_back(static_cast<std::uint32_t>(i));
            run_.push_back(numbers_.add(pair(i)));
        }
        drop_single();
    }

    void lengthen() {
        ++size_;
        numbers_.clear(at_.size());
        std::size_t kept = 0;
        for (std::size_t i = 0; i + 1 < at_.size(); ++i) {
            if (at_[i + 1] != at_[i] + 1) continue;
            const std::uint32_t number = numbers_.add(std::uint64_t{run_[i]} << 32 | run_[i + 1]);
            at_[kept] = at_[i];  // what is overwritten has been read
            run_[kept++] = number;
        }
        at_.resize(kept);
        run_.resize(kept);
        drop_single();
    }

    // Code points in the places of the most frequent run, each counted once; of equally frequent ones the longer one's, and of
    // these the first one's.
    std::int64_t most_frequent() const {
        std::size_t best = 0;
        for (std::size_t n = 1; n < first_.size(); ++n)
            if (count_[n] > count_[best] || (count_[n] == count_[best] && chars(first_[n]) > chars(first_[best])))
                best = n;
        std::int64_t sum = 0;
        std::size_t reached = 0;
        for (std::size_t i = 0; i < at_.size(); ++i) {
            if (run_[i] != best) continue;
            sum += words_.chars(std::max<std::size_t>(at_[i], reached), at_[i] + size_);
            reached = at_[i] + size_;
        }
        return sum;
    }

    // Code points of the runs that stand before; where one does, the search goes on behind it.
    std::int64_t repeated() {
        seen_.assign(first_.size(), 0);
        std::int64_t sum = 0;
        std::size_t reached = 0;
        for (std::size_t i = 0; i < at_.size(); ++i) {
            if (at_[i] < reached) continue;
            if (seen_[run_[i]]) {
                sum += chars(at_[i]);
                reached = at_[i] + size_;
            }
            seen_[run_[i]] = 1;
        }
        return sum;
    }

   private:
    static constexpr std::uint32_t kNone = 0xFFFFFFFF;

    std::int64_t chars(std::size_t at) const { return words_.chars(at, at + size_); }
    std::uint64_t pair(std::size_t i) const { return std::uint64_t{words_.word[i]} << 32 | words_.word[i + 1]; }

    // Two bits for each of many more places than there are pairs: a pair whose place is met once stands once.
    void mark_pairs(std::size_t pairs) {
        const std::size_t places = std::bit_ceil(std::max<std::size_t>(8 * pairs, 64));
        shift_ = 64 - std::countr_zero(places);
        marks_.assign(places / 32, 0);
        for (std::size_t i = 0; i < pairs; ++i) {
            const std::size_t place = place_of(pair(i));
            std::uint64_t& word = marks_[place / 32];
            const std::uint64_t once = std::uint64_t{1} << (2 * (place % 32));
            word |= word & once ? once << 1 : once;
        }
    }
    bool perhaps_repeated(std::uint64_t key) const {
        const std::size_t place = place_of(key);
        return marks_[place / 32] >> (2 * (place % 32) + 1) & 1;
    }
    std::size_t place_of(std::uint64_t key) const { return static_cast<std::size_t>(key * kGramBase >> shift_); }

    // Leaves out runs that stand once and numbers the others anew, in the order of their first places.
    void drop_single() {
        renumbered_.assign(numbers_.size(), kNone);
        first_.clear();
        count_.clear();
        std::size_t kept = 0;
        for (std::size_t i = 0; i < at_.size(); ++i) {
            const std::uint32_t count = numbers_.count(run_[i]);
            if (count < 2) continue;
            std::uint32_t& number = renumbered_[run_[i]];
            if (number == kNone) {
                number = static_cast<std::uint32_t>(first_.size());
                first_.push_back(at_[i]);
                count_.push_back(count);
            }
            at_[kept] = at_[i];
            run_[kept++] = number;
        }
        at_.resize(kept);
        run_.resize(kept);
    }

    const PageWords& words_;
    std::size_t size_ = 2;
    int shift_ = 0;
    Mapped<std::uint64_t> marks_;
    KeyNumbers numbers_;
    Mapped<std::uint32_t> at_, run_;        // of each place, ascending: its first word, its run
    Mapped<std::uint32_t> first_, count_;   // of each run
    Mapped<std::uint32_t> renumbered_;
    Mapped<std::uint8_t> seen_;
};

// Lines without the blanks at their ends, empty ones left out; paragraphs are what stands between empty ones.
inline void cut_lines(Bytes text, std::int64_t from, std::int64_t to, EqualPieces& lines, EqualPieces& paragraphs) {
    const auto is_blank_byte = [](std::uint8_t c) { return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v'; };
    std::int64_t opened = -1, reached = -1;
    while (from < to) {
        const auto* const feed =
            static_cast<const std::uint8_t*>(std::memchr(text.data() + from, '\n', static_cast<std::size_t>(to - from)));
        const std::int64_t line_end = feed ? feed - text.data() : to;
        std::int64_t start = from, end = line_end;
        while (start < end && is_blank_byte(text[static_cast<std::size_t>(start)])) ++start;
        while (start < end && is_blank_byte(text[static_cast<std::size_t>(end - 1)])) --end;
        if (start < end) {
            lines.add(start, end);
            if (opened < 0) opened = start;
            reached = end;
        } else if (opened >= 0) {
            paragraphs.add(opened, reached);
            opened = -1;
        }
        from = line_end + 1;
    }
    if (opened >= 0) paragraphs.add(opened, reached);
}

// 18 numbers a range, range after range; dedup/kernel/twin_repetition.py names them.
inline Mapped<std::int64_t> repetition_counts(Bytes text, Offsets start, Offsets end, std::uint32_t flags) {
    const Folds folds = Folds::of(flags);
    check_ranges(start, end, static_cast<std::int64_t>(text.size()), "text");
    SlowCutter slow(folds);
    EqualPieces lines(text), paragraphs(text);
    PageWords words(text, folds.digits);
    RepeatedRuns runs(words);
    Mapped<std::int64_t> out;
    out.reserve(kRepetitionCounts * start.size());
    for (std::size_t i = 0; i < start.size(); ++i) {
        const auto bytes = static_cast<std::size_t>(end[i] - start[i]);
        lines.clear(bytes / 64);
        paragraphs.clear(bytes / 256);
        cut_lines(text, start[i], end[i], lines, paragraphs);
        for (const EqualPieces* found : {&lines, &paragraphs})
            for (const std::int64_t count : {found->pieces, found->copies, found->chars, found->copied}) out.push_back(count);
        words.clear(bytes / 16);
        cut_range(text, start[i], end[i], slow, words);
        if (words.word.size() >= 0xFFFFFFFF) throw std::invalid_argument("text: a range has more words than 32 bits number");
        out.push_back(words.before.back());
        runs.find_pairs();
        for (std::size_t size = 2; size <= kMostWords; ++size) {
            if (size > 2) runs.lengthen();
            out.push_back(size <= kTopWords ? runs.most_frequent() : runs.repeated());
        }
    }
    return out;
}

}  // namespace dedup
