// Shingle sets, sketches and set joins: hot loops over contiguous buffers; knows nothing of Python.
//
// A family of sets is stored as `values` (all sets one after the other, each sorted and free of repeats) and `first`
// (where each begins, one longer than the number of sets).
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "clones.hpp"
#include "hash.hpp"
#include "memory.hpp"

namespace dedup {

// Stable least-significant-digit radix sort by the low `bits` of a row's key.
template <int kDigit = 11, class T, class Key>
void radix_sort(std::span<T> all, int bits, Key key) {
    if (all.size() < std::size_t{1} << kDigit >> 2) {  // to count a digit's values takes longer than to compare so few rows
        const uint64_t mask = bits < 64 ? (uint64_t{1} << bits) - 1 : UINT64_MAX;
        const auto below = [&](const T& row) { return static_cast<uint64_t>(key(row)) & mask; };
        return std::stable_sort(all.begin(), all.end(), [&](const T& x, const T& y) { return below(x) < below(y); });
    }
    Scratch<T, 6> scratch;
    scratch.values().resize(all.size());
    std::span<T> rows = all, other = scratch.values();
    for (int shift = 0; shift < bits; shift += kDigit) {
        std::size_t count[(1 << kDigit) + 1] = {};
        for (const T& row : rows) ++count[(key(row) >> shift & ((1 << kDigit) - 1)) + 1];
        for (int d = 0; d < 1 << kDigit; ++d) count[d + 1] += count[d];
        for (const T& row : rows) other[count[key(row) >> shift & ((1 << kDigit) - 1)]++] = row;
        std::swap(rows, other);
    }
    if (rows.data() != all.data()) std::copy(rows.begin(), rows.end(), all.begin());
}

// The same for many rows: put into bins by their upper bits first, so that what is sorted digit by digit lies in the nearer cache. Rows
// whose keys are spread unevenly are in fewer bins, no worse off than without.
template <class T, class Key>
void radix_sort_by_bins(std::span<T> all, int bits, Key key) {
    constexpr std::size_t kMany = std::size_t{1} << 15;
    constexpr int kBinBits = 9;
    if (all.size() < kMany || bits <= 11) return radix_sort(all, bits, key);
    const int shift = bits - kBinBits;
    std::size_t first[(1 << kBinBits) + 1] = {}, next[1 << kBinBits];
    for (const T& row : all) ++first[(key(row) >> shift) + 1];
    for (int bin = 0; bin < 1 << kBinBits; ++bin) next[bin] = first[bin], first[bin + 1] += first[bin];
    Mapped<T> binned(all.size());
    for (const T& row : all) binned[next[key(row) >> shift]++] = row;
    const auto low = [&](const T& row) { return key(row) & ((uint64_t{1} << shift) - 1); };
    for (int bin = 0; bin < 1 << kBinBits; ++bin) {
        const std::span<T> own(binned.data() + first[bin], first[bin + 1] - first[bin]);
        if (own.size() > 1) radix_sort<8>(own, shift, low);
        std::copy(own.begin(), own.end(), all.begin() + static_cast<std::ptrdiff_t>(first[bin]));
    }
}

// A row and its key, where they do not fit one word.
struct KeyedRow {
    uint64_t key, at;
};

// Calls use(row, key) for the rows in the stable order of their keys; only the bits in which keys differ are looked at.
template <class Use>
void in_stable_order(std::span<const uint64_t> key, Use use) {
    if (key.empty()) return;
    uint64_t least = key[0], most = key[0];
    bool ascend = true;
    for (size_t i = 1; i < key.size(); ++i) {
        ascend &= key[i - 1] <= key[i];
        least = std::min(least, key[i]), most = std::max(most, key[i]);
    }
    const int bits = std::bit_width(most - least), below = std::bit_width(key.size());
    if (ascend) {
        for (size_t i = 0; i < key.size(); ++i) use(i, key[i]);
    } else if (bits + below <= 64) {
        Scratch<uint64_t, 7> scratch;
        Mapped<uint64_t>& rows = scratch.values();
        rows.resize(key.size());
        for (size_t i = 0; i < key.size(); ++i) rows[i] = (key[i] - least) << below | i;
        radix_sort_by_bins(std::span(rows), bits, [below](uint64_t row) { return row >> below; });
        const uint64_t mask = (uint64_t{1} << below) - 1;
        for (const uint64_t row : rows) use(static_cast<size_t>(row & mask), (row >> below) + least);
    } else {
        Mapped<KeyedRow> rows(key.size());
        for (size_t i = 0; i < key.size(); ++i) rows[i] = {key[i] - least, i};
        radix_sort(std::span(rows), bits, [](const KeyedRow& row) { return row.key; });
        for (const KeyedRow& row : rows) use(static_cast<size_t>(row.at), row.key + least);
    }
}

// Sum of all counts before each one, one longer than the counts.
inline Mapped<int64_t> sums(std::span<const int64_t> counts) {
    Mapped<int64_t> before(counts.size() + 1);
    uint64_t sum = 0;
    for (size_t i = 0; i < counts.size(); ++i) {
        before[i] = static_cast<int64_t>(sum);
        sum += static_cast<uint64_t>(counts[i]);
    }
    before[counts.size()] = static_cast<int64_t>(sum);
    return before;
}

// The stable order of keys: key[order[0]] <= key[order[1]] <= ...
inline Mapped<int64_t> stable_order(std::span<const uint64_t> key) {
    Mapped<int64_t> order;
    order.reserve(key.size());
    in_stable_order(key, [&](size_t row, uint64_t) { order.push_back(static_cast<int64_t>(row)); });
    return order;
}

// Calls use(row) for rows that name places, and fetch(row) some rows before. Where memory is scarce, of many rows those of each 64 kB
// follow each other, so that these come into memory once; not of all rows, which may be as long a column as the one that is looked up.
template <class T, class Use, class Fetch>
void for_each_nearby(std::span<const T> place, Use use, Fetch fetch) {
    constexpr int kNearBits = 16;
    constexpr size_t kAhead = 8, kTogether = size_t{1} << 18;
    const size_t count = place.size();
    if (!is_scarce() || std::is_sorted(place.begin(), place.end())) {
        for (size_t i = 0; i < count; ++i) {
            if (i + kAhead < count) fetch(i + kAhead);
            use(i);
        }
        return;
    }
    Scratch<uint64_t, 7> scratch;
    Mapped<uint64_t>& rows = scratch.values();
    for (size_t begin = 0; begin < count; begin += kTogether) {
        rows.resize(std::min(kTogether, count - begin));
        uint64_t most = 0;
        for (size_t i = 0; i < rows.size(); ++i) {
            const auto near = static_cast<uint64_t>(place[begin + i]) >> kNearBits;
            most = std::max(most, near);
            rows[i] = near << 32 | i;
        }
        radix_sort(std::span(rows), std::bit_width(most), [](uint64_t row) { return row >> 32; });
        const auto row = [&](size_t i) { return begin + static_cast<size_t>(rows[i] & 0xffffffffULL); };
        for (size_t i = 0; i < rows.size(); ++i) {
            if (i + kAhead < rows.size()) fetch(row(i + kAhead));
            use(row(i));
        }
    }
}

template <class T, class Use>
void for_each_nearby(std::span<const T> place, Use use) {
    for_each_nearby(place, use, [](size_t) {});
}

// The first row of each distinct key, by key, and the number of each row's key.
inline std::tuple<Mapped<int64_t>, Mapped<int64_t>> distinct_keys(std::span<const uint64_t> key) {
    Mapped<int64_t> leader, number(key.size());
    leader.reserve(key.size());
    uint64_t before = 0;
    in_stable_order(key, [&](size_t row, uint64_t value) {
        if (leader.empty() || value != before) leader.push_back(static_cast<int64_t>(row));
        before = value;
        number[row] = static_cast<int64_t>(leader.size()) - 1;
    });
    if (leader.size() < leader.capacity() / 2) leader.shrink_to_fit();
    return {std::move(leader), std::move(number)};
}

// The same, of keys in order, each above its row in one word of which `below` bits are the row's; and the distinct keys.
inline std::tuple<Mapped<int64_t>, Mapped<int64_t>, Mapped<uint64_t>> distinct_in_order(std::span<const uint64_t> packed, int below) {
    Mapped<int64_t> leader, number(packed.size());
    Mapped<uint64_t> key;
    leader.reserve(packed.size()), key.reserve(packed.size());
    const uint64_t mask = (uint64_t{1} << below) - 1;
    for (size_t i = 0; i < packed.size(); ++i) {
        const uint64_t row = packed[i] & mask;
        if (row >= number.size()) throw std::invalid_argument("packed names a row that is not there");
        if (i == 0 || (packed[i] ^ packed[i - 1]) > mask) leader.push_back(static_cast<int64_t>(row)), key.push_back(packed[i] >> below);
        number[row] = static_cast<int64_t>(leader.size()) - 1;
    }
    if (leader.size() < leader.capacity() / 2) leader.shrink_to_fit(), key.shrink_to_fit();
    return {std::move(leader), std::move(number), std::move(key)};
}

// Sorts numbers that are spread evenly, as hashes are: into about as many buckets as there are numbers, then within them.
template <class T>
void sort_hashed(std::span<T> values) {
    constexpr std::size_t kFew = 24, kMostBits = 12;
    const std::size_t n = values.size();
    const auto insert = [](T* from, std::size_t count) {
        for (std::size_t i = 1; i < count; ++i) {
            const T value = from[i];
            std::size_t j = i;
            for (; j > 0 && from[j - 1] > value; --j) from[j] = from[j - 1];
            from[j] = value;
        }
    };
    if (n <= kFew) return insert(values.data(), n);
    const auto bits = std::min<std::size_t>(static_cast<std::size_t>(std::bit_width(n)), kMostBits);
    const std::size_t shift = 8 * sizeof(T) - bits;
    Scratch<T, 1> copy;
    copy.values().assign(values.begin(), values.end());
    uint32_t next[(1 << kMostBits) + 1];
    std::fill(next, next + (std::size_t{1} << bits) + 1, 0u);
    for (const T value : copy.values()) ++next[(value >> shift) + 1];
    for (std::size_t b = 1; b <= std::size_t{1} << bits; ++b) next[b] += next[b - 1];
    for (const T value : copy.values()) values[next[value >> shift]++] = value;
    if (n <= std::size_t{1} << kMostBits) return insert(values.data(), n);
    for (std::size_t b = 0; b < std::size_t{1} << bits; ++b)
        std::sort(values.data() + (b ? next[b - 1] : 0), values.data() + next[b]);
}

// Calls emit(i, hash) for every run of `size` consecutive token hashes that begins at i. The hash is the polynomial
// sum h[i+j] * base^(size-1-j) modulo 2^64, mixed at the end.
template <class T, class Emit>
void for_each_gram(const T* hash, int64_t begin, int64_t end, int64_t size, Emit emit) {
    if (end - begin < size) return;
    uint64_t power = 1, sum = 0;
    for (int64_t j = 0; j < size; ++j) {
        sum = sum * kGramBase + hash[begin + j];
        if (j + 1 < size) power *= kGramBase;
    }
    for (int64_t i = begin;; ++i) {
        emit(i, fmix64(sum));
        if (i + size >= end) return;
        sum = (sum - hash[i] * power) * kGramBase + hash[i + size];
    }
}

// Sorted sets of the shingles of each range of tokens; a range shorter than `size` has one shingle, all of it; an
// empty one has none.
inline void shingle_sets(const uint64_t* hash, const int64_t* first, int64_t ranges, int64_t size,
                         Mapped<uint64_t>& values, Mapped<int64_t>& value_first) {
    value_first.assign(1, 0);
    values.clear();
    values.reserve(static_cast<size_t>(first[ranges] - first[0]));
    for (int64_t r = 0; r < ranges; ++r) {
        const auto start = values.size();
        const int64_t length = first[r + 1] - first[r];
        if (length > 0) {
            for_each_gram(hash, first[r], first[r + 1], std::min(size, length),
                          [&](int64_t, uint64_t gram) { values.push_back(gram); });
            sort_hashed(std::span(values).subspan(start));
            values.erase(std::unique(values.begin() + static_cast<std::ptrdiff_t>(start), values.end()), values.end());
        }
        value_first.push_back(static_cast<int64_t>(values.size()));
    }
}

// Upper halves of the grams of `size` tokens each that begin at the first `grams` tokens, as for_each_gram makes them: each for
// itself, so that many are made at a time.
DEDUP_CLONES inline void gram_halves(const uint64_t* DEDUP_RESTRICT hash, size_t grams, size_t size, uint32_t* DEDUP_RESTRICT to) {
    constexpr size_t kAtOnce = 64;
    uint64_t sum[kAtOnce];
    for (size_t begin = 0; begin < grams; begin += kAtOnce) {
        const size_t count = std::min(kAtOnce, grams - begin);
        for (size_t i = 0; i < count; ++i) sum[i] = hash[begin + i];
        for (size_t j = 1; j < size; ++j)
            for (size_t i = 0; i < count; ++i) sum[i] = sum[i] * kGramBase + hash[begin + i + j];
        for (size_t i = 0; i < count; ++i) to[begin + i] = static_cast<uint32_t>(fmix64(sum[i]) >> 32);
    }
}

// Upper halves of the shingles of some tokens in the order of the text, written to `to`; how many they are. There is room for as
// many as there are tokens.
inline int64_t short_shingles(std::span<const uint64_t> hash, int64_t size, uint32_t* to) {
    constexpr int64_t kLong = 12;  // of a longer gram it pays to keep a running sum
    const auto length = static_cast<int64_t>(hash.size());
    if (length == 0) return 0;
    size = std::min(size, length);
    if (size <= kLong) {
        gram_halves(hash.data(), static_cast<size_t>(length - size + 1), static_cast<size_t>(size), to);
    } else {
        for_each_gram(hash.data(), 0, length, size, [&](int64_t i, uint64_t gram) { to[i] = static_cast<uint32_t>(gram >> 32); });
    }
    return length - size + 1;
}

// The set of these, sorted and free of repeats.
inline int64_t short_set(std::span<const uint64_t> hash, int64_t size, uint32_t* to) {
    uint32_t* const end = to + short_shingles(hash, size, to);
    sort_hashed(std::span(to, end));
    return std::unique(to, end) - to;
}

// Some rounds of Fast Similarity Sketching before the last k: for each round and element (already mixed) the register that
// it is thrown into, and what may stand there.
DEDUP_CLONES inline void fss_throws(const uint64_t* mixed, int64_t n, int64_t round, int64_t rounds, const uint64_t* words,
                                    uint64_t k, uint64_t* thrown, uint32_t* bin) {
    for (int64_t r = round; r < round + rounds; ++r, thrown += n, bin += n) {
        const uint64_t tag = static_cast<uint64_t>(r) << 32, word = words[r];
        for (int64_t j = 0; j < n; ++j) {
            uint64_t z = (mixed[j] ^ word) * 0xd6e8feb86659fd93ULL;
            z ^= z >> 32;
            z *= 0xd6e8feb86659fd93ULL;
            z ^= z >> 32;
            thrown[j] = tag | (z & 0xffffffffULL);
            bin[j] = static_cast<uint32_t>(((z >> 32) * k) >> 32);
        }
    }
}

inline uint64_t fss_round_word(uint64_t seed, uint64_t round) {
    return fmix64(seed + (round + 1) * 0x9e3779b97f4a7c15ULL);
}

inline constexpr uint64_t kEmptyRegister = ~uint64_t{0};

// Fast Similarity Sketching (Dahlgaard, Knudsen, Thorup, FOCS 2017): rounds 0..k-1 throw each element into a register,
// rounds k..2k-1 throw all of them into one register each; a register keeps the least (round, value). Ends when none is
// empty: what later rounds throw changes nothing, so some rounds are thrown at a time. A register is round * 2^32 + value.
template <class T>
void fss_sketch(const T* values, int64_t n, int64_t k, uint64_t seed, const uint64_t* round_words, uint64_t* registers) {
    constexpr int64_t kThrows = 256;  // at a time
    std::fill(registers, registers + k, kEmptyRegister);
    if (n == 0) return;
    Scratch<uint64_t, 2> words;
    Scratch<uint32_t, 2> bins;
    const int64_t at_once = std::max<int64_t>(1, kThrows / n);
    words.values().resize(static_cast<size_t>(n + n * at_once));
    bins.values().resize(static_cast<size_t>(n * at_once));
    uint64_t *const mixed = words.values().data(), *const thrown = mixed + n;
    uint32_t* const bin = bins.values().data();
    for (int64_t j = 0; j < n; ++j) mixed[j] = fmix64(values[j] ^ seed);
    bool some_empty = true;
    for (int64_t round = 0; round < k && some_empty; round += at_once) {
        const int64_t rounds = std::min(at_once, k - round), throws = rounds * n;
        fss_throws(mixed, n, round, rounds, round_words, static_cast<uint64_t>(k), thrown, bin);
        for (int64_t j = 0; j < throws; ++j) registers[bin[j]] = std::min(registers[bin[j]], thrown[j]);
        some_empty = std::find(registers, registers + k, kEmptyRegister) != registers + k;
    }
    for (int64_t round = k; round < 2 * k && some_empty; ++round) {
        if (registers[round - k] != kEmptyRegister) continue;
        fss_throws(mixed, n, round, 1, round_words, static_cast<uint64_t>(k), thrown, bin);
        registers[round - k] = *std::min_element(thrown, thrown + n);
    }
}

// Registers mixed, each for itself, so that many are mixed at a time.
DEDUP_CLONES inline void mix_registers(const uint64_t* DEDUP_RESTRICT registers, int64_t count, uint64_t* DEDUP_RESTRICT mixed) {
    for (int64_t i = 0; i < count; ++i) mixed[i] = fmix64(registers[i]);
}

// The hash of each band of a sketch, different for different bands: keys[band * stride].
template <class T>
void band_keys(const uint64_t* registers, int64_t bands, int64_t rows, T* keys, int64_t stride) {
    Scratch<uint64_t, 8> scratch;
    scratch.values().resize(static_cast<size_t>(bands * rows));
    const uint64_t* mixed = scratch.values().data();
    mix_registers(registers, bands * rows, scratch.values().data());
    for (int64_t band = 0; band < bands; ++band) {
        uint64_t h = static_cast<uint64_t>(band) * 0xc2b2ae3d27d4eb4fULL;
        for (int64_t row = 0; row < rows; ++row) h = (h ^ *mixed++) * kGramBase;
        keys[band * stride] = static_cast<T>(fmix64(h) >> (64 - 8 * sizeof(T)));
    }
}

// Makes the sketches of sets and hands out the keys of their bands.
class BandHasher {
   public:
    BandHasher(int64_t bands, int64_t rows, uint64_t seed)
        : bands_(bands), rows_(rows), seed_(seed), words_(2 * static_cast<size_t>(bands * rows)),
          registers_(static_cast<size_t>(bands * rows)) {
        for (size_t round = 0; round < words_.size(); ++round) words_[round] = fss_round_word(seed, round);
    }

    // The keys of a set, which need not be sorted nor free of repeats: keys[band * stride].
    void operator()(const uint32_t* values, int64_t n, uint32_t* keys, int64_t stride) {
        fss_sketch(values, n, bands_ * rows_, seed_, words_.data(), registers_.data());
        band_keys(registers_.data(), bands_, rows_, keys, stride);
    }

   private:
    int64_t bands_, rows_;
    uint64_t seed_;
    Mapped<uint64_t> words_, registers_;
};

inline constexpr int64_t kBitWords = 4;  // of a set's bitmap

// A set's bitmap: one bit for each element, by its low bits. Elements of the symmetric difference are no fewer than the
// bits in which two bitmaps differ, which bounds the overlap from above (Sandes, Teodoro, Melo, "Bitmap filter", 2020).
inline void set_bits(const uint32_t* values, int64_t n, uint64_t* bits) {
    std::fill(bits, bits + kBitWords, 0);
    for (int64_t i = 0; i < n; ++i) bits[values[i] >> 6 & (kBitWords - 1)] |= uint64_t{1} << (values[i] & 63);
}

// Bits in which two bitmaps differ. By hand: without a flag for the processor, std::popcount is a call.
inline int64_t bits_apart(const uint64_t* a, const uint64_t* b) {
    uint64_t bytes = 0;  // each at most 32
    for (int64_t w = 0; w < kBitWords; ++w) {
        uint64_t x = a[w] ^ b[w];
        x -= x >> 1 & 0x5555555555555555ULL;
        x = (x & 0x3333333333333333ULL) + (x >> 2 & 0x3333333333333333ULL);
        bytes += (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
    }
    const uint64_t pairs = (bytes & 0x00ff00ff00ff00ffULL) + (bytes >> 8 & 0x00ff00ff00ff00ffULL);
    return static_cast<int64_t>(pairs * 0x0001000100010001ULL >> 48);
}

template <class T>
struct Sets {
    const T* values;
    const int64_t* first;
    int64_t size(int64_t s) const { return first[s + 1] - first[s]; }
};

// Least overlap of two sets of n and m elements whose Jaccard similarity, as it is reported, reaches t.
inline int64_t least_overlap(int64_t n, int64_t m, double t) {
    const auto reached = [&](int64_t o) { return static_cast<double>(o) / static_cast<double>(n + m - o) >= t; };
    auto need = static_cast<int64_t>(t / (1.0 + t) * static_cast<double>(n + m));
    while (need > 0 && reached(need - 1)) --need;
    while (need < std::min(n, m) + 1 && !reached(need)) ++need;
    return need;
}

// Goes over two sets as long as is_open(elements in common so far, the most that may still come); returns what they have in common.
template <class T, class Open>
int64_t merged(const T* a, int64_t n, const T* b, int64_t m, Open is_open) {
    int64_t i = 0, j = 0, same = 0;
    const auto step = [&] {
        const T x = a[i], y = b[j];
        same += x == y;
        i += x <= y;
        j += y <= x;
    };
    while (i + 8 <= n && j + 8 <= m) {
        if (!is_open(same, std::min(n - i, m - j))) return same;
        for (int k = 0; k < 8; ++k) step();
    }
    while (i < n && j < m) step();
    return same;
}

// Size of the intersection.
template <class T>
int64_t overlap(const T* a, int64_t n, const T* b, int64_t m) {
    return merged(a, n, b, m, [](int64_t, int64_t) { return true; });
}

// Whether two sets have so much in common; no more of them is looked at than tells.
template <class T>
bool overlap_at_least(const T* a, int64_t n, const T* b, int64_t m, int64_t need) {
    return merged(a, n, b, m, [&](int64_t same, int64_t left) { return same < need && same + left >= need; }) >= need;
}

// Whether two sets' Jaccard similarity may reach t, by their sizes and bitmaps.
inline bool may_reach(int64_t n, const uint64_t* bits_a, int64_t m, const uint64_t* bits_b, double t) {
    const int64_t most = std::min({(n + m - bits_apart(bits_a, bits_b)) / 2, n, m});
    return most > 0 && static_cast<double>(most) >= t * static_cast<double>(n + m - most) * (1.0 - 1e-9);
}
inline bool may_reach(const Sets<uint32_t>& sets, const uint64_t* bits, int64_t a, int64_t b, double t) {
    return may_reach(sets.size(a), bits + a * kBitWords, sets.size(b), bits + b * kBitWords, t);
}

// Whether it does.
inline bool reaches(const Sets<uint32_t>& sets, const uint64_t* bits, int64_t a, int64_t b, double t) {
    if (!may_reach(sets, bits, a, b, t)) return false;
    const int64_t n = sets.size(a), m = sets.size(b);
    return overlap_at_least(sets.values + sets.first[a], n, sets.values + sets.first[b], m, least_overlap(n, m, t));
}

// The rows that are wanted and share a key, as key * 2^32 + row, and some that do not: one bit of a key's hash says whether it
// was seen, another one whether it was seen again.
template <class Wanted>
void shared_keys(const uint32_t* key, int64_t count, Wanted wanted, Mapped<uint64_t>& rows) {
    const int bits = std::clamp(static_cast<int>(std::bit_width(static_cast<uint64_t>(count))) + 3, 9, 32);
    const auto slot = [&](int64_t s) { return static_cast<size_t>(key[s]) >> (32 - bits); };
    Scratch<uint64_t, 4> seen;
    Mapped<uint64_t>& table = seen.values();
    const size_t words = (size_t{1} << bits) / 64;
    table.assign(2 * words, 0);
    for (int64_t s = 0; s < count; ++s) {
        const uint64_t bit = uint64_t{1} << (slot(s) & 63);
        uint64_t* const word = &table[2 * (slot(s) >> 6)];
        word[1] |= word[0] & bit;
        word[0] |= bit;
    }
    for (int64_t s = 0; s < count; ++s)
        if (table[2 * (slot(s) >> 6) + 1] >> (slot(s) & 63) & 1 && wanted(s))
            rows.push_back(uint64_t{key[s]} << 32 | static_cast<uint64_t>(s));
}

// Puts rows of shared_keys into order: by as many bits as tell most keys apart; the rest is in order already, or sorted where keys
// share those bits.
inline void sort_by_key(Mapped<uint64_t>& rows) {
    const int bits_used = std::min(32, static_cast<int>(std::bit_width(rows.size())) + 1);
    const uint64_t mask = (uint64_t{1} << bits_used) - 1;
    radix_sort<10>(std::span(rows), bits_used, [](uint64_t row) { return row >> 32; });
    for (size_t begin = 0, end; begin < rows.size(); begin = end) {
        for (end = begin + 1; end < rows.size() && ((rows[end] ^ rows[begin]) >> 32 & mask) == 0;) ++end;
        if (end - begin > 1)
            std::sort(rows.begin() + static_cast<std::ptrdiff_t>(begin), rows.begin() + static_cast<std::ptrdiff_t>(end));
    }
}

// Whether each key stands twice or more.
inline Mapped<uint8_t> repeated_keys(std::span<const uint32_t> key) {
    Mapped<uint8_t> repeated(key.size(), 0);
    Scratch<uint64_t, 3> scratch;
    Mapped<uint64_t>& rows = scratch.values();
    shared_keys(key.data(), static_cast<int64_t>(key.size()), [](int64_t) { return true; }, rows);
    sort_by_key(rows);
    for (size_t i = 1; i < rows.size(); ++i)
        if (rows[i] >> 32 == rows[i - 1] >> 32) repeated[rows[i] & 0xffffffffULL] = repeated[rows[i - 1] & 0xffffffffULL] = 1;
    return repeated;
}

// Sizes of the intersections of pairs of sets.
template <class T>
void set_overlaps(const Sets<T>& sets, const int64_t* a, const int64_t* b, int64_t pairs, int64_t* overlaps) {
    Relief relief;
    for (int64_t p = 0; p < pairs; ++p) {
        relief.places(2);
        overlaps[p] = overlap(sets.values + sets.first[a[p]], sets.size(a[p]), sets.values + sets.first[b[p]], sets.size(b[p]));
    }
}

// Every pair of sets whose Jaccard similarity is at least t: prefix-filter join (Bayardo, Ma, Srikant, WWW 2007) with
// the positional filter (Xiao et al., WWW 2008). `rank` holds each set's elements as ranks, ascending from the rarest
// element of the collection to the most common one. Sets are taken in order of size.
struct Posting {
    int64_t set, at;
};

inline void prefix_join(const uint64_t* rank, const int64_t* first, int64_t sets, uint64_t ranks, double t,
                        std::vector<std::pair<int64_t, int64_t>>& pairs) {
    Mapped<int64_t> order(static_cast<size_t>(sets));
    std::iota(order.begin(), order.end(), 0);
    const auto size = [&](int64_t s) { return first[s + 1] - first[s]; };
    std::stable_sort(order.begin(), order.end(), [&](int64_t x, int64_t y) { return size(x) < size(y); });
    std::vector<std::vector<Posting>> index(static_cast<size_t>(ranks));
    Mapped<size_t> begin(static_cast<size_t>(ranks), 0);  // postings before it are of sets too small by now
    Mapped<int64_t> seen(static_cast<size_t>(sets), 0), touched;
    for (const int64_t x : order) {
        const int64_t n = size(x);
        if (n == 0) continue;
        const auto least = static_cast<int64_t>(std::ceil(t * static_cast<double>(n) - 1e-9));
        const int64_t probe = std::min(n, n - least + 1);
        touched.clear();
        for (int64_t i = 0; i < probe; ++i) {
            const auto token = static_cast<size_t>(rank[first[x] + i]);
            auto& list = index[token];
            while (begin[token] < list.size() && size(list[begin[token]].set) < least) ++begin[token];
            for (size_t j = begin[token]; j < list.size(); ++j) {
                const int64_t y = list[j].set, m = size(y);
                if (seen[static_cast<size_t>(y)] < 0) continue;
                const int64_t possible = seen[static_cast<size_t>(y)] + 1 + std::min(n - i - 1, m - list[j].at - 1);
                if (seen[static_cast<size_t>(y)] == 0) touched.push_back(y);
                seen[static_cast<size_t>(y)] = possible >= least_overlap(n, m, t) ? seen[static_cast<size_t>(y)] + 1 : -1;
            }
        }
        for (const int64_t y : touched) {
            if (seen[static_cast<size_t>(y)] > 0 &&
                overlap_at_least(rank + first[x], n, rank + first[y], size(y), least_overlap(n, size(y), t)))
                pairs.emplace_back(std::min(x, y), std::max(x, y));
            seen[static_cast<size_t>(y)] = 0;
        }
        // a later set is at least as large, so a shorter prefix of this one suffices: overlap >= 2t/(1+t) * n
        const auto half = static_cast<int64_t>(std::ceil(2.0 * t / (1.0 + t) * static_cast<double>(n) - 1e-9));
        const int64_t indexed = std::min(n, n - half + 1);
        for (int64_t i = 0; i < indexed; ++i) index[static_cast<size_t>(rank[first[x] + i])].push_back({x, i});
    }
    std::sort(pairs.begin(), pairs.end());
}

// Component of each node: its least member.
inline void components(int64_t nodes, const int64_t* a, const int64_t* b, int64_t edges, int64_t* root) {
    std::iota(root, root + nodes, int64_t{0});
    const auto find = [&](int64_t x) {
        while (root[x] != x) x = root[x] = root[root[x]];
        return x;
    };
    Relief relief;
    for (int64_t e = 0; e < edges; ++e) {
        relief.place();
        const int64_t x = find(a[e]), y = find(b[e]);
        if (x != y) root[std::max(x, y)] = std::min(x, y);
    }
    for (int64_t i = 0; i < nodes; ++i) root[i] = root[root[i]];  // smaller ids come first: one step suffices
}

// Of each range of tokens, how many places of it begin a shingle (so many tokens, half of each hash) that some ranges have, too. Shorter
// ranges are one shingle, which all may have.
inline Mapped<std::int64_t> shared_shingles(std::span<const std::uint32_t> token, Offsets first, std::int64_t size, Offsets of) {
    const auto for_each = [&](std::size_t range, auto use) {
        for (std::int64_t at = first[range]; at <= first[range + 1] - size; ++at) {
            std::uint64_t sum = 0;
            for (std::int64_t i = at; i < at + size; ++i) sum = (sum + token[static_cast<std::size_t>(i)] + 1) * kGramBase;
            use(sum ^ sum >> 29);
        }
    };
    std::vector<std::uint64_t> wanted;
    for (const std::int64_t range : of) for_each(static_cast<std::size_t>(range), [&](std::uint64_t shingle) { wanted.push_back(shingle); });
    std::sort(wanted.begin(), wanted.end());
    std::vector<std::uint64_t> slots(std::bit_ceil(wanted.size() / 2 + 1), 0);  // 32 a shingle: few others are looked for
    const auto word = [&](std::uint64_t shingle) -> std::uint64_t& { return slots[shingle >> 6 & (slots.size() - 1)]; };
    for (const std::uint64_t shingle : wanted) word(shingle) |= std::uint64_t{1} << (shingle & 63);
    Mapped<std::int64_t> out(first.size() - 1);
    for (std::size_t range = 0; range + 1 < first.size(); ++range) {
        std::int64_t count = first[range + 1] - first[range] < size;
        for_each(range, [&](std::uint64_t shingle) {
            if (word(shingle) >> (shingle & 63) & 1) count += std::binary_search(wanted.begin(), wanted.end(), shingle);
        });
        out[range] = count;
    }
    return out;
}

}  // namespace dedup
