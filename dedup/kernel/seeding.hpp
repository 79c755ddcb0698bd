// Seeds of edited and reworded passages: keys that two places share, and the anchors that they give.
//
// An item is what the bag of a text holds: a word by its first letters, a character of a script without spaces with the
// one after it; 30 bits of hash, and two bits that say more (align.hpp).
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <span>
#include <tuple>
#include <vector>

#include "align.hpp"
#include "marks.hpp"
#include "memory.hpp"
#include "tokenise.hpp"

namespace dedup {

// ---- items ----

// Whether a sentence ends in what stands between two tokens: . ! ? with closing marks and a blank after it, a full stop of
// a script that needs no blank, an empty line.
inline bool ends_sentence(Bytes text, std::int64_t from, std::int64_t to) {
    const auto is = [&](std::int64_t at, std::string_view mark) {
        return to - at >= static_cast<std::int64_t>(mark.size()) &&
               std::memcmp(text.data() + at, mark.data(), mark.size()) == 0;
    };
    static constexpr std::string_view kFull[] = {"\u3002", "\uff01", "\uff1f", "\u0964", "\u061f", "\u06d4", "\u1362", "\u0f0d"};
    static constexpr std::string_view kClosing[] = {"\u201d", "\u2019", "\u00bb", "\u203a", "\u2026"};
    bool stopped = false;
    int lines = 0;
    for (std::int64_t at = from; at < to;) {
        const std::uint8_t byte = text[static_cast<std::size_t>(at)];
        if (byte < 0x80) {
            ++at;
            if (byte == ' ' || (byte >= 9 && byte <= 13)) {
                if (stopped || (byte == '\n' && ++lines == 2)) return true;
                continue;
            }
            lines = 0;
            if (byte == '.' || byte == '!' || byte == '?') stopped = true;
            else if (byte != '"' && byte != '\'' && byte != ')' && byte != ']' && byte != '}') stopped = false;
            continue;
        }
        lines = 0;
        if (is(at, "\u00a0") && stopped) return true;
        for (const std::string_view mark : kFull)
            if (is(at, mark)) return true;
        bool closing = false;
        for (const std::string_view mark : kClosing)
            if (is(at, mark)) closing = true, stopped = stopped || mark == "\u2026", at += static_cast<std::int64_t>(mark.size());
        if (!closing) stopped = false, ++at;
    }
    return false;
}

// Bytes of the first `letters` characters.
inline std::int64_t first_letters(const std::uint8_t* p, std::int64_t length, std::int64_t letters) {
    std::int64_t at = 0;
    for (; at < length; ++at)
        if ((p[at] & 0xC0) != 0x80 && letters-- == 0) break;
    return at;
}

// Items of words of one to eight bytes that are not folded yet, by 64-bit words: `low` holds those bytes and what stands behind
// them. `count` is a multiple of eight.
template <bool kFoldDigits>
DEDUP_INLINE void items_of_words(Words low, const std::uint32_t* DEDUP_RESTRICT size, const std::uint32_t* DEDUP_RESTRICT marks,
                                 std::size_t count, std::uint32_t* DEDUP_RESTRICT item) {
    for (std::size_t i = 0; i < (count & ~std::size_t{7}); ++i) {
        const std::uint64_t bytes = size[i], beyond = 64 - 8 * bytes;
        std::uint64_t h = (bytes * kLengthFactor ^ fold_ascii(low[i] << beyond >> beyond, kFoldDigits)) * kWordFactor;
        h ^= h >> 32;
        item[i] = static_cast<std::uint32_t>(fmix64(h) >> 34 << kItemFlags) | marks[i];
    }
}

DEDUP_CLONES inline void word_items(Words low, const std::uint32_t* size, const std::uint32_t* marks, std::size_t count,
                                    bool fold_digits, std::uint32_t* item) {
    if (fold_digits) items_of_words<true>(low, size, marks, count, item);
    else items_of_words<false>(low, size, marks, count, item);
}

class ItemSink {
public:
    ItemSink(Bytes text, bool fold_digits, std::int64_t letters, Mapped<std::uint32_t>& items)
        : text_(text), fold_digits_(fold_digits), letters_(letters), items_(items) {
        size_.fill(1);
    }

    void next_range() {
        first_ = true;
        half_before_ = false;
    }

    void ascii(std::int64_t start, std::int64_t end) {
        const std::int64_t size = std::min(end - start, letters_);
        if (size > kShort || static_cast<std::int64_t>(text_.size()) - start < kShort)
            return put(hash_ascii(text_, start, start + size, fold_digits_, 0), start, end, false);
        if (count_ == kSize) flush();
        add(load_word(text_.data() + start), size, start, end);
    }
    void words(std::int64_t base, std::uint64_t starts, std::uint64_t ends) {
        if (letters_ > kShort || static_cast<std::int64_t>(text_.size()) - base < 64 + kShort) {
            for (; ends; ends &= ends - 1, starts &= starts - 1) ascii(base + lowest_bit(starts), base + lowest_bit(ends));
            return;
        }
        if (count_ + 32 > kSize) flush();
        for (; ends; ends &= ends - 1, starts &= starts - 1) {
            const std::int64_t start = base + lowest_bit(starts), end = base + lowest_bit(ends);
            add(load_word(text_.data() + start), std::min(end - start, letters_), start, end);
        }
    }
    void content(const std::uint8_t* bytes, std::int64_t length, std::int64_t start, std::int64_t end, bool half) {
        const std::int64_t size = half ? length : first_letters(bytes, length, letters_);
        if (half || size > kShort) return put(hash_content(bytes, size, 0), start, end, half);
        if (count_ == kSize) flush();
        add(load_word(bytes), size, start, end);  // folded once, folding changes nothing
    }

    // Makes the items of the words that wait.
    void flush() {
        const std::size_t at = items_.size(), count = (count_ + 7) & ~std::size_t{7};
        items_.resize(at + count);
        word_items(low_.data(), size_.data(), marks_.data(), count, fold_digits_, items_.data() + at);
        items_.resize(at + count_);
        count_ = 0;
    }

private:
    static constexpr std::size_t kSize = 512;
    static constexpr std::int64_t kShort = 8;  // bytes of a word that waits, at most

    void add(std::uint64_t low, std::int64_t size, std::int64_t start, std::int64_t end) {
        low_[count_] = low;
        size_[count_] = static_cast<std::uint32_t>(size);
        marks_[count_++] = is_border(start) ? kStartsSentence : 0;
        half_before_ = false;
        end_ = end;
    }
    void put(std::uint64_t hash, std::int64_t start, std::int64_t end, bool half) {
        if (count_ > 0) flush();
        if (half && half_before_)
            items_.back() = (items_.back() & 3) | bits(fmix64(hash_before_ * kGramBase + hash));
        items_.push_back(bits(hash) | (half ? kHalf : 0) | (is_border(start) ? kStartsSentence : 0));
        half_before_ = half;
        hash_before_ = hash;
        end_ = end;
    }
    // Whether a sentence starts with the next token: with a range, or behind the end of another one, which takes two characters.
    bool is_border(std::int64_t start) {
        const bool border = first_ || (start - end_ > 1 && ends_sentence(text_, end_, start));
        first_ = false;
        return border;
    }
    static std::uint32_t bits(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 34 << kItemFlags); }

    Bytes text_;
    bool fold_digits_, first_ = true, half_before_ = false;
    std::int64_t letters_, end_ = 0;
    std::uint64_t hash_before_ = 0;
    Mapped<std::uint32_t>& items_;
    std::size_t count_ = 0;
    std::array<std::uint64_t, kSize> low_{};
    std::array<std::uint32_t, kSize> size_, marks_{};
};

inline Mapped<std::uint32_t> bag_items(Bytes text, Offsets start, Offsets end, std::uint32_t flags, std::int64_t letters) {
    const Folds folds = Folds::of(flags);
    check_ranges(start, end, static_cast<std::int64_t>(text.size()), "text");
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < start.size(); ++i) bytes += static_cast<std::size_t>(end[i] - start[i]);
    Mapped<std::uint32_t> items;
    items.reserve(bytes / 5 + 16);
    ItemSink sink(text, folds.digits, letters, items);
    SlowCutter slow(folds);
    for (std::size_t i = 0; i < start.size(); ++i) {
        sink.next_range();
        cut_range(text, start[i], end[i], slow, sink);
    }
    sink.flush();
    return items;
}

// How often items that are not quiet occur, by their upper `bits` bits.
inline std::vector<std::uint32_t> count_items(Items item, Bytes quiet, int bits) {
    std::vector<std::uint32_t> out(std::size_t{1} << bits, 0);
    for (std::size_t i = 0; i < item.size(); ++i) out[item[i] >> (32 - bits)] += quiet[i] == 0;
    return out;
}

// How rare an item is that occurs so often among so many, in 1/16 or another part of it: that of one which occurs once.
class Rareness {
public:
    Rareness(int once, std::int64_t total)
        : once_(once), most_(std::max<std::int64_t>(1, fixed_log2(static_cast<std::uint64_t>(std::max<std::int64_t>(total, 1))))) {
        told_[0] = static_cast<std::uint8_t>(once);
    }
    std::uint8_t operator()(std::uint32_t count) {
        std::uint8_t known = count < told_.size() ? told_[count] : std::uint8_t{0};
        if (!known) {
            known = static_cast<std::uint8_t>(std::max<std::int64_t>(
                once_ * (most_ - static_cast<std::int64_t>(fixed_log2(count))) / most_, 1));
            if (count < told_.size()) told_[count] = known;
        }
        return known;
    }
    std::uint8_t told(std::uint32_t count) const { return told_[count]; }

private:
    std::int64_t once_, most_;
    std::array<std::uint8_t, 1024> told_{};  // 0: not yet
};

// How rare items are of which it is known how often they occur; 0 for the most frequent ones, those that make up `stop_share` of
// all, if each is `stop_least` of it and occurs eight times.
inline std::vector<std::uint8_t> rarities(std::span<const std::uint32_t> counts, int once, double stop_least, double stop_share) {
    std::int64_t total = 0;
    for (const std::uint32_t count : counts) total += count;
    Rareness rare(once, total);
    constexpr std::uint32_t kFew = 8;  // most items occur less often: nothing foretells which one is next, so nothing branches on it
    for (std::uint32_t count = 1; count < kFew; ++count) rare(count);
    const double least = stop_least * static_cast<double>(total);
    std::vector<std::uint8_t> out(counts.size(), static_cast<std::uint8_t>(once));
    std::vector<std::size_t> frequent;
    constexpr std::size_t kTogether = 8;
    for (std::size_t begin = 0; begin < counts.size(); begin += kTogether) {
        const std::size_t end = std::min(begin + kTogether, counts.size());
        std::uint32_t any = 0;
        for (std::size_t i = begin; i < end; ++i) any |= counts[i];
        if (any < 2) continue;  // most of them, and there are many more than items
        if (any < kFew) {
            for (std::size_t i = begin; i < end; ++i) out[i] = rare.told(counts[i]);
            continue;
        }
        for (std::size_t i = begin; i < end; ++i) {
            if (counts[i] >= 2) out[i] = rare(counts[i]);
            if (counts[i] >= 8 && static_cast<double>(counts[i]) >= least) frequent.push_back(i);
        }
    }
    std::stable_sort(frequent.begin(), frequent.end(), [&](std::size_t a, std::size_t b) { return counts[a] > counts[b]; });
    std::int64_t before = 0;
    for (const std::size_t i : frequent) {
        if (static_cast<double>(before) >= stop_share * static_cast<double>(total)) break;
        out[i] = 0;
        before += counts[i];
    }
    return out;
}

// `rarities` of the counts of items, in one go: of those that stand in none of some ranges, which are apart and ascend. Most items are few:
// they are counted in a byte each, which the nearer cache holds. Only slots that were counted are looked at: there are many more of them.
inline Mapped<std::uint8_t> item_rarities(Items item, std::span<const std::uint32_t> quiet_start, std::span<const std::uint32_t> quiet_end,
                                          int bits, int once, double stop_least, double stop_share) {
    constexpr std::uint8_t kMany = 255;
    const std::size_t slots = std::size_t{1} << bits;
    Mapped<std::uint8_t> counts(slots, std::uint8_t{0}), out(slots, static_cast<std::uint8_t>(once));
    Mapped<std::uint32_t> met(std::min(slots, item.size()) + 1);
    std::vector<std::pair<std::uint32_t, std::uint32_t>> many(std::bit_ceil(2 * item.size() / kMany + 8));  // slot + 1, count beyond
    const auto beyond = [&](std::uint32_t slot) -> std::uint32_t& {
        std::size_t at = slot * 0x9E3779B1U & (many.size() - 1);
        while (many[at].first != 0 && many[at].first != slot + 1) at = (at + 1) & (many.size() - 1);
        many[at].first = slot + 1;
        return many[at].second;
    };
    std::int64_t total = 0;
    std::size_t different = 0;
    for (std::size_t r = 0, at = 0; r <= quiet_start.size(); ++r) {
        const std::size_t end = r < quiet_start.size() ? std::min<std::size_t>(quiet_start[r], item.size()) : item.size();
        if (at < end) total += static_cast<std::int64_t>(end - at);
        for (; at < end; ++at) {
            const std::uint32_t slot = item[at] >> (32 - bits);
            const std::uint8_t count = counts[slot];
            met[different] = slot;
            different += count == 0;
            if (count == kMany) ++beyond(slot);
            else counts[slot] = static_cast<std::uint8_t>(count + 1);
        }
        if (r < quiet_start.size()) at = std::max<std::size_t>(at, quiet_end[r]);
    }
    Rareness rare(once, total);
    const auto least = static_cast<std::uint32_t>(std::ceil(std::max(8.0, stop_least * static_cast<double>(total))));
    std::vector<std::pair<std::uint32_t, std::uint32_t>> frequent;  // count, slot
    for (std::size_t i = 0; i < different; ++i) {
        const std::uint32_t slot = met[i], count = counts[slot] + (counts[slot] == kMany ? beyond(slot) : 0);
        out[slot] = rare(count);
        if (count >= least) frequent.emplace_back(count, slot);
    }
    std::sort(frequent.begin(), frequent.end(), [](const auto& a, const auto& b) {
        return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    std::int64_t before = 0;
    for (const auto& [count, slot] : frequent) {
        if (static_cast<double>(before) >= stop_share * static_cast<double>(total)) break;
        out[slot] = 0;
        before += count;
    }
    return out;
}

// ---- keys ----

// What a key is made of: 0: winnowed runs of kGramItems, one of every kGramWindow at least; 1: triples; 2: winnowed runs of
// kLetterItems, one of every kLetterWindow at least.
inline constexpr std::int64_t kGramItems = 4, kGramWindow = 2;
inline constexpr std::int64_t kLetterItems = 10, kLetterWindow = 8;
inline constexpr std::size_t kTripleSpan = 4;

// What a batch of pages has: items, which of them stand inside a run that is known to be a copy, how rare they are (a table
// by the upper bits of an item; 0: too frequent).
struct SeedText {
    Items items;
    Offsets page_first;
    Bytes quiet, rarity;

    std::uint8_t rare(std::uint32_t item) const {
        return rarity.empty() ? 1 : rarity[item >> (32 - std::countr_zero(rarity.size()))];
    }
};

// Keys of the grams that begin at an item and behind it: eight at a time where the processor multiplies so many.
DEDUP_CLONES inline void gram_keys(const std::uint32_t* items, std::size_t count, std::uint64_t* keys) {
    const auto value = [items](std::size_t at) { return (items[at] >> kItemFlags) + std::uint64_t{1}; };
    for (std::size_t i = 0; i < count; ++i)
        keys[i] = fmix64(((value(i) * kGramBase + value(i + 1)) * kGramBase + value(i + 2)) * kGramBase + value(i + 3));
}

// Every run of k + w - 1 items that two texts share has a key in common: the least of every w keys in a row, the last
// one of equals. Schleimer, Wilkerson, Aiken, "Winnowing", 2003. Which one is the least is anybody's guess, so nothing branches
// on it: places are written one over the other until one is chosen.
template <class Use>
void for_each_gram_key(const SeedText& text, std::int64_t begin, std::int64_t end, Use use) {
    static_assert(kGramWindow == 2 && kGramItems == 4);
    constexpr std::int64_t kChunk = 256;
    const std::int64_t grams = end - begin - kGramItems + 1;
    const auto told = [&](std::int64_t at) {  // not all of the gram is quiet
        if (text.quiet.empty()) return true;
        std::uint32_t quiet;
        std::memcpy(&quiet, text.quiet.data() + at, sizeof quiet);
        return quiet != 0x01010101U;
    };
    std::array<std::uint64_t, kChunk + 1> keys;
    std::array<std::uint32_t, kChunk> chosen;
    bool taken = false;  // the gram before
    for (std::int64_t at = begin; at < begin + grams; at += kChunk) {
        const std::int64_t size = std::min(kChunk + 1, begin + grams - at);
        gram_keys(text.items.data() + at, static_cast<std::size_t>(size), keys.data());
        if (grams == 1 && told(at)) use(keys[0], at);
        std::size_t count = 0;
        for (std::int64_t i = 1; i < size; ++i) {
            const bool less = keys[static_cast<std::size_t>(i)] <= keys[static_cast<std::size_t>(i - 1)];
            const std::int64_t least = less ? i : i - 1;
            chosen[count] = static_cast<std::uint32_t>(least);
            count += (less || !taken) & told(at + least);
            taken = less;
        }
        for (std::size_t i = 0; i < count; ++i) use(keys[chosen[i]], at + chosen[i]);
    }
}

// The same with runs and windows of letters.
template <class Use>
void for_each_letter_key(const SeedText& text, std::int64_t begin, std::int64_t end, Use use) {
    struct Key {
        std::uint64_t hash;
        std::int64_t at;
    };
    std::array<Key, kLetterWindow> least{};  // a ring: those that no later one in the window undercuts, ascending
    std::int64_t head = 0, tail = 0, last = -1;
    const auto of = [&](std::int64_t i) -> Key& { return least[static_cast<std::size_t>(i % kLetterWindow)]; };
    const std::int64_t grams = end - begin - kLetterItems + 1;
    for (std::int64_t at = begin; at < begin + grams; ++at) {
        std::uint64_t sum = 0;
        for (std::int64_t j = 0; j < kLetterItems; ++j)
            sum = sum * kGramBase + (text.items[static_cast<std::size_t>(at + j)] >> kItemFlags) + 1;
        const std::uint64_t hash = fmix64(sum);
        if (head < tail && of(head).at + kLetterWindow <= at) ++head;
        while (head < tail && of(tail - 1).hash >= hash) --tail;
        of(tail++) = {hash, at};
        if (at - begin + 1 < std::min(kLetterWindow, grams) || of(head).at == last) continue;
        last = of(head).at;
        bool told = text.quiet.empty();
        for (std::int64_t j = 0; j < kLetterItems && !told; ++j) told = !text.quiet[static_cast<std::size_t>(last + j)];
        if (told) use(of(head).hash, last);
    }
}

// Keys of the triples that begin at each of `count` items, which kTripleSpan others follow: those with the two others of `pairs`, one
// after the other; and which of them there are, by bits. Values of items are above zero; of an item that is not there it is zero. All are
// made of an item at a time, so that many are made at once.
struct Triples {
    static constexpr std::size_t kMost = 256;  // items at a time
    static constexpr std::array<std::pair<std::size_t, std::size_t>, 6> kPairs{{{1, 2}, {1, 3}, {1, 4}, {2, 3}, {2, 4}, {3, 4}}};
    std::array<std::array<std::uint64_t, kMost>, kPairs.size()> key;
    std::array<std::uint8_t, kMost> there;
};

DEDUP_CLONES inline void triple_keys(const std::uint32_t* DEDUP_RESTRICT value, const std::uint8_t* DEDUP_RESTRICT quiet, std::size_t count,
                                     Triples& out) {
    std::uint8_t* const DEDUP_RESTRICT there = out.there.data();
    for (std::size_t i = 0; i < count; ++i) there[i] = 0;
    for (std::size_t c = 0; c < out.key.size(); ++c) {
        const auto [first, second] = Triples::kPairs[c];
        std::uint64_t* const DEDUP_RESTRICT key = out.key[c].data();
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint32_t p = value[i], q = value[i + first], r = value[i + second];
            const std::uint32_t low = std::min(p, std::min(q, r)), high = std::max(p, std::max(q, r)), middle = p ^ q ^ r ^ low ^ high;
            key[i] = fmix64((low * kGramBase + middle) * kGramBase + high);
        }
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint32_t p = value[i], q = value[i + first], r = value[i + second];
            const std::uint8_t differ = (p != q) & (p != r) & (q != r) & (r != 0);
            there[i] |= static_cast<std::uint8_t>((differ & ~(quiet[i] & quiet[i + first] & quiet[i + second])) << c);
        }
    }
}

// Unordered triples of different items, the frequent ones left out, that lie within kTripleSpan of the first one. Calls use(key, at,
// whether there is one).
template <class Use>
void for_each_triple_key(const SeedText& text, std::int64_t begin, std::int64_t end, Use use) {
    static_assert(kTripleSpan == 4);
    constexpr std::size_t kRoom = 2 * Triples::kMost;
    std::array<std::uint32_t, kRoom + kTripleSpan> value;
    std::array<std::uint8_t, kRoom + kTripleSpan> quiet;
    std::array<std::int64_t, kRoom + kTripleSpan> place;
    Triples triples;
    std::size_t held = 0;
    const auto take = [&](std::size_t count) {
        triple_keys(value.data(), quiet.data(), count, triples);
        for (std::size_t i = 0; i < count; ++i)
            for (std::size_t c = 0; c < triples.key.size(); ++c) use(triples.key[c][i], place[i], (triples.there[i] >> c & 1) != 0);
        std::move(value.begin() + static_cast<std::ptrdiff_t>(count), value.begin() + static_cast<std::ptrdiff_t>(held), value.begin());
        std::move(quiet.begin() + static_cast<std::ptrdiff_t>(count), quiet.begin() + static_cast<std::ptrdiff_t>(held), quiet.begin());
        std::move(place.begin() + static_cast<std::ptrdiff_t>(count), place.begin() + static_cast<std::ptrdiff_t>(held), place.begin());
        held -= count;
    };
    for (std::int64_t at = begin; at < end;) {
        for (; at < end && held < kRoom; ++at) {  // nobody can tell which items are frequent: nothing branches on it
            const std::uint32_t item = text.items[static_cast<std::size_t>(at)];
            value[held] = (item >> kItemFlags) + 1;
            quiet[held] = !text.quiet.empty() && text.quiet[static_cast<std::size_t>(at)] != 0;
            place[held] = at;
            held += text.rare(item) != 0;
        }
        while (held >= Triples::kMost + kTripleSpan) take(Triples::kMost);
    }
    std::fill_n(value.begin() + static_cast<std::ptrdiff_t>(held), kTripleSpan, 0);
    std::fill_n(quiet.begin() + static_cast<std::ptrdiff_t>(held), kTripleSpan, 0);
    while (held > 0) {
        const std::size_t count = std::min(held, Triples::kMost);
        held += kTripleSpan;
        take(count);
        held -= kTripleSpan;
    }
}

template <class Use>
void for_each_key(const SeedText& text, std::int64_t kind, Use use) {
    for (std::size_t p = 0; p + 1 < text.page_first.size(); ++p) {
        if (kind == 0) for_each_gram_key(text, text.page_first[p], text.page_first[p + 1], use);
        else if (kind == 2) for_each_letter_key(text, text.page_first[p], text.page_first[p + 1], use);
        else for_each_triple_key(text, text.page_first[p], text.page_first[p + 1], use);
    }
}

// Calls use(key, at) for every key that a slice has, late.
template <int kSlotBits, class Use>
void for_each_key_ahead(const SeedText& text, std::int64_t kind, Hashes table, Slice slice, Use use) {
    Ahead<kSlotBits, Use> ahead(table, slice, use);
    for_each_key(text, kind, [&](std::uint64_t key, std::int64_t at, bool is_there = true) { ahead(key, at, is_there); });
    ahead.finish();
}

inline void mark_seeds(const SeedText& text, std::int64_t kind, std::span<std::uint64_t> table, std::uint64_t number,
                       std::uint64_t slices, bool is_shared) {
    const Slice slice(number, slices, 32 * table.size());
    for_each_key_ahead<5>(text, kind, table, slice, [&](std::span<const Row> rows) { mark_slots(table, rows, is_shared); });
}

// Keys whose slot was seen twice, with the number of their first token, ordered by partition.
inline Partitioned repeated_seeds(const SeedText& text, std::int64_t kind, Hashes twice, std::int64_t before,
                                  std::int64_t partitions, std::uint64_t number, std::uint64_t slices) {
    const Slice slice(number, slices, 64 * twice.size());
    SetRows found(twice, before, partitions);
    found.reserve(text.items.size() / 4 + 256);
    for_each_key_ahead<6>(text, kind, twice, slice, [&](std::span<const Row> rows) { found.put(rows); });
    return found.ordered();
}

// Places of each key that has at least two and at most `cap`: (position, first of each class, places of hotter keys).
inline std::tuple<Mapped<std::uint32_t>, Mapped<std::int64_t>, std::int64_t> seed_classes(
    Hashes key, std::span<const std::uint32_t> position, std::int64_t cap) {
    Mapped<std::uint32_t> out;
    Mapped<std::int64_t> first{0};
    std::int64_t hot = 0;
    for_each_class(key, position, [&](std::span<const Row> rows) {
        const std::size_t before = out.size();
        for (std::size_t m = 0; m < rows.size(); ++m)
            if (m == 0 || rows[m].value != rows[m - 1].value) out.push_back(static_cast<std::uint32_t>(rows[m].value));
        const auto places = static_cast<std::int64_t>(out.size() - before);
        if (places > cap) hot += places;
        if (places < 2 || places > cap) out.resize(before);
        else first.push_back(static_cast<std::int64_t>(out.size()));
    });
    return {std::move(out), std::move(first), hot};
}

}  // namespace dedup
