// Keys looked up in chunks of postings; twin_postings.py says the same plainly, dedup/index/segments.py what a chunk is.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "memory.hpp"
#include "sets.hpp"

namespace dedup {

// CRC-32 of bytes behind others whose CRC-32 is known, as zlib has it: eight bytes at a time.
inline std::uint32_t crc32(const std::uint8_t* data, std::size_t size, std::uint32_t before = 0) {
    static constexpr auto kTables = [] {
        std::array<std::array<std::uint32_t, 256>, 8> tables{};
        for (std::uint32_t byte = 0; byte < 256; ++byte) {
            std::uint32_t value = byte;
            for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ (value & 1 ? 0xEDB88320U : 0);
            tables[0][byte] = value;
        }
        for (std::size_t table = 1; table < 8; ++table)
            for (std::size_t byte = 0; byte < 256; ++byte)
                tables[table][byte] = tables[table - 1][byte] >> 8 ^ tables[0][tables[table - 1][byte] & 0xFF];
        return tables;
    }();
    std::uint32_t crc = ~before;
    if constexpr (std::endian::native == std::endian::little) {
        for (; size >= 8; data += 8, size -= 8) {
            std::uint32_t low, high;
            std::memcpy(&low, data, 4), std::memcpy(&high, data + 4, 4);
            low ^= crc;
            crc = kTables[7][low & 0xFF] ^ kTables[6][low >> 8 & 0xFF] ^ kTables[5][low >> 16 & 0xFF] ^ kTables[4][low >> 24] ^
                  kTables[3][high & 0xFF] ^ kTables[2][high >> 8 & 0xFF] ^ kTables[1][high >> 16 & 0xFF] ^ kTables[0][high >> 24];
        }
    }
    for (; size; ++data, --size) crc = crc >> 8 ^ kTables[0][(crc ^ *data) & 0xFF];
    return ~crc;
}

// A chunk: its header, then the columns of keys, pages and extras, little endian, each as narrow as it can be.
class Chunk {
   public:
    // The one at the begin of some bytes.
    explicit Chunk(Bytes data) : data_(data.data()), size_(data.size()) {
        if (data.size() < kHeader) throw std::invalid_argument("chunks: one is shorter than a header");
        rows_ = number(4, 2);
        key_width_ = data_[6], page_width_ = data_[7], extra_width_ = data_[8];
        key_ = number(18, 8), page_ = number(26, 4);
        const std::size_t size = kHeader + rows_ * (key_width_ + page_width_ + extra_width_);
        if (key_width_ > 8 || page_width_ > 4 || extra_width_ > 4 || data.size() < size)
            throw std::invalid_argument("chunks: one is not as long as its header says");
        size_ = size;
    }

    std::size_t size() const { return size_; }
    std::size_t rows() const { return rows_; }
    std::uint64_t key(std::size_t row) const { return key_ + key_at(row); }

    // Whether this is the chunk of that number, as it was stored: its checksum has the number in it.
    bool is_whole(std::int64_t own) const {
        return rows_ && number(10, 8) == static_cast<std::uint64_t>(own) && number(0, 4) == checksum({data_, size_}, own);
    }

    // The checksum of a chunk of that number, which stands in its first four bytes.
    static std::uint32_t checksum(Bytes data, std::int64_t own) {
        std::array<char, 32> name{'c', 'h', 'u', 'n', 'k', ' '};
        const auto end = std::to_chars(name.data() + 6, name.data() + name.size(), own).ptr;
        const auto begin = crc32(reinterpret_cast<const std::uint8_t*>(name.data()), static_cast<std::size_t>(end - name.data()));
        return crc32(data.data() + 4, data.size() - 4, begin);
    }

    // Have the last key brought from memory, while other chunks are opened: between it and the least one a key is looked for.
    void fetch_last() const {
        if (rows_) DEDUP_PREFETCH(data_ + kHeader + (rows_ - 1) * key_width_);
    }

    // Have what the look for a key begins with brought from memory, while others are looked for.
    void fetch(std::uint64_t key) const {
        if (key < key_ || !rows_) return;
        const std::uint64_t last = key_at(rows_ - 1);
        if (key - key_ <= last && last) DEDUP_PREFETCH(data_ + kHeader + guessed(key - key_, last) * key_width_);
    }

    // The same of what else a row holds.
    void fetch_row(std::size_t row) const {
        DEDUP_PREFETCH(data_ + kHeader + rows_ * key_width_ + row * page_width_);
        DEDUP_PREFETCH(data_ + kHeader + rows_ * (key_width_ + page_width_) + row * extra_width_);
    }

    // The rows of a key, half-open.
    std::pair<std::size_t, std::size_t> rows_of(std::uint64_t key) const {
        if (key < key_) return {0, 0};
        const auto [low, high] = around(key - key_);
        const std::size_t begin = first_from(low, high, key - key_);
        if (begin == rows_ || key_at(begin) != key - key_) return {begin, begin};
        std::size_t end = begin + 1;  // most keys have one row or two
        while (end < rows_ && end < begin + kNear && key_at(end) == key - key_) ++end;
        if (end < begin + kNear || end == rows_ || key_at(end) != key - key_) return {begin, end};
        return {begin, key - key_ == UINT64_MAX ? rows_ : first_from(end, rows_, key - key_ + 1)};
    }
    std::uint32_t page(std::size_t row) const {
        return static_cast<std::uint32_t>(page_ + number(kHeader + rows_ * key_width_ + row * page_width_, page_width_));
    }
    std::uint32_t extra(std::size_t row) const {
        return static_cast<std::uint32_t>(
            number(kHeader + rows_ * (key_width_ + page_width_) + row * extra_width_, extra_width_));
    }

    static constexpr std::size_t kHeader = 30, kMostRows = 0xffff;

   private:
    static constexpr std::size_t kNear = 8;

    std::size_t guessed(std::uint64_t key, std::uint64_t last) const {
        const double share = static_cast<double>(key) / static_cast<double>(last);
        return std::min(static_cast<std::size_t>(share * static_cast<double>(rows_ - 1)), rows_ - 1);
    }

    // Rows between which the first one stands whose key is not below. Keys are hashes, so it is near where it would be if all of them were
    // as far apart: there one line of memory is looked at, and not one for each halving.
    std::pair<std::size_t, std::size_t> around(std::uint64_t key) const {
        if (!rows_) return {0, 0};
        const std::uint64_t last = key_at(rows_ - 1);
        if (key > last || !last) return {key > last ? rows_ : 0, rows_};
        const std::size_t guess = guessed(key, last);
        std::size_t low = guess, high = guess, step = kNear;
        if (key_at(guess) < key) {
            do low = std::exchange(high, std::min(high + step, rows_ - 1)), step *= 2;
            while (high < rows_ - 1 && key_at(high) < key);
            return {low + 1, high + 1};
        }
        do high = std::exchange(low, low - std::min(low, step)), step *= 2;
        while (low > 0 && key_at(low) >= key);
        return {low, high};
    }

    // The first row, from one on and before another one, whose key is not below.
    std::size_t first_from(std::size_t low, std::size_t high, std::uint64_t key) const {
        while (low < high) {
            const std::size_t middle = low + (high - low) / 2;
            if (key_at(middle) < key) low = middle + 1;
            else high = middle;
        }
        return low;
    }
    std::uint64_t key_at(std::size_t row) const { return number(kHeader + row * key_width_, key_width_); }
    std::uint64_t number(std::size_t at, std::size_t width) const {
        std::uint64_t value = 0;
        if (at + sizeof value <= size_) {  // what stands behind it is cut off
            std::memcpy(&value, data_ + at, sizeof value);
            return value & (width == 8 ? UINT64_MAX : (std::uint64_t{1} << 8 * width) - 1);
        }
        std::memcpy(&value, data_ + at, width);
        return value;
    }

    const std::uint8_t* data_;
    std::size_t size_, rows_, key_width_, page_width_, extra_width_;
    std::uint64_t key_, page_;
};

// Places of keys, each looked up in one chunk, of which it is known in which buffer and where in that it begins: how many each look
// found, and their pages and extras, look by look.
inline std::tuple<Mapped<std::int64_t>, Mapped<std::uint32_t>, Mapped<std::uint32_t>> chunk_places(
    std::span<const Bytes> buffers, Offsets place, Hashes key) {
    constexpr int kBegin = 40;
    constexpr std::size_t kTogether = 32;  // looks: lines of memory that are on their way
    const auto from = [&](std::int64_t at) {
        const auto begin = static_cast<std::size_t>(at & ((std::int64_t{1} << kBegin) - 1));
        if (at < 0 || static_cast<std::size_t>(at >> kBegin) >= buffers.size() || begin > buffers[static_cast<std::size_t>(at >> kBegin)].size())
            throw std::invalid_argument("place names what does not exist");
        return buffers[static_cast<std::size_t>(at >> kBegin)].subspan(begin);
    };
    // Step by step for some of them together: none waits until what another one needs came from memory.
    std::array<Bytes, kTogether> data;
    std::vector<Chunk> opened;
    std::vector<std::pair<std::size_t, std::size_t>> rows;
    opened.reserve(place.size()), rows.reserve(place.size());
    for (std::size_t begin = 0; begin < key.size(); begin += kTogether) {
        const std::size_t end = std::min(begin + kTogether, key.size());
        for (std::size_t i = begin; i < end; ++i) DEDUP_PREFETCH((data[i - begin] = from(place[i])).data());
        for (std::size_t i = begin; i < end; ++i) opened.emplace_back(data[i - begin]).fetch_last();
        for (std::size_t i = begin; i < end; ++i) opened[i].fetch(key[i]);
        for (std::size_t i = begin; i < end; ++i) {
            const auto [first, behind] = rows.emplace_back(opened[i].rows_of(key[i]));
            if (first < behind) opened[i].fetch_row(first);
        }
    }
    Mapped<std::int64_t> hits(key.size());
    Mapped<std::uint32_t> page, extra;
    for (std::size_t i = 0; i < key.size(); ++i) {
        const auto [begin, end] = rows[i];
        hits[i] = static_cast<std::int64_t>(end - begin);
        for (std::size_t row = begin; row < end; ++row) page.push_back(opened[i].page(row)), extra.push_back(opened[i].extra(row));
    }
    return {std::move(hits), std::move(page), std::move(extra)};
}

// Landmarks of texts that stand one after the other: of each `window` runs of `size` words that follow each other the one with the least
// hash, the first of equal ones. Keys, first words, and some bits of the three words before (from the nearest on) and behind each.
inline std::tuple<Mapped<std::uint64_t>, Mapped<std::int64_t>, Mapped<std::uint32_t>> landmarks(
    std::span<const std::uint32_t> token, Offsets page_first, std::int64_t size, std::int64_t window) {
    constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15;
    constexpr std::int64_t kWords = 3;
    constexpr int kKeyBits = 40, kBits = 5;
    Mapped<std::uint64_t> key;
    Mapped<std::int64_t> at;
    Mapped<std::uint32_t> beside;
    std::vector<std::uint64_t> hash;
    for (std::size_t page = 0; page + 1 < page_first.size(); ++page) {
        const std::int64_t begin = page_first[page], end = page_first[page + 1], runs = end - begin - size + 1;
        if (runs < window) continue;
        const std::uint32_t* const words = token.data() + begin;
        hash.resize(static_cast<std::size_t>(runs));
        for (std::int64_t i = 0; i < runs; ++i) {
            std::uint64_t value = 0;
            for (std::int64_t word = 0; word < size; ++word) value = value * kMultiplier + words[i + word];
            hash[static_cast<std::size_t>(i)] = ((value ^ value >> 32) * kMultiplier) >> (64 - kKeyBits);
        }
        for (std::int64_t i = 0, kept = -1; i + window <= runs; ++i) {
            const auto first = hash.begin() + i;
            const std::int64_t least = std::min_element(first, first + window) - hash.begin();
            if (least == kept) continue;
            kept = least;
            std::uint32_t bits = 0;
            for (std::int64_t nth = 0; nth < kWords; ++nth) {
                const std::int64_t before = least - 1 - nth, behind = least + size + nth;
                if (before >= 0) bits |= (words[before] & ((1U << kBits) - 1)) << kBits * nth;
                if (behind < end - begin) bits |= (words[behind] & ((1U << kBits) - 1)) << kBits * (kWords + nth);
            }
            key.push_back(hash[static_cast<std::size_t>(least)]), at.push_back(begin + least), beside.push_back(bits);
        }
    }
    return {std::move(key), std::move(at), std::move(beside)};
}

// Rows of postings as columns.
using PostingColumns = std::tuple<Mapped<std::uint64_t>, Mapped<std::uint32_t>, Mapped<std::uint32_t>>;

// Puts down rows that ascend by key, from row `at` of the columns on, which have room: those of each key by their pages and extras, each
// once. A place is a page above an extra. Returns where the next row would be.
template <class Key, class Place>
std::size_t put_postings(std::size_t count, Key key, Place place, PostingColumns& out, std::size_t at = 0) {
    std::uint64_t* const keys = std::get<0>(out).data();
    std::uint32_t *const pages = std::get<1>(out).data(), *const extras = std::get<2>(out).data();
    const auto put = [&](std::uint64_t own, std::uint64_t where) {
        keys[at] = own, pages[at] = static_cast<std::uint32_t>(where >> 32), extras[at] = static_cast<std::uint32_t>(where);
        ++at;
    };
    std::vector<std::uint64_t> places;
    for (std::size_t begin = 0, end = 0; begin < count; begin = end) {
        const std::uint64_t own = key(begin);
        for (end = begin + 1; end < count && key(end) == own;) ++end;
        if (end == begin + 1) {  // most of them
            put(own, place(begin));
            continue;
        }
        places.clear();
        for (std::size_t nth = begin; nth < end; ++nth) places.push_back(place(nth));
        if (!std::is_sorted(places.begin(), places.end())) std::sort(places.begin(), places.end());  // mostly they came in their order
        places.erase(std::unique(places.begin(), places.end()), places.end());
        for (const std::uint64_t where : places) put(own, where);
    }
    return at;
}

// Columns of so many rows, and cut to those that there are.
inline PostingColumns posting_columns(std::size_t count) { return {Mapped<std::uint64_t>(count), Mapped<std::uint32_t>(count), Mapped<std::uint32_t>(count)}; }

inline PostingColumns cut_to(std::size_t count, PostingColumns columns) {
    std::apply([&](auto&... column) { (column.resize(count), ...); }, columns);
    return columns;
}

inline std::uint64_t posting_place(std::uint32_t page, std::uint32_t extra) { return std::uint64_t{page} << 32 | extra; }

// Two runs of rows that ascend by key as one, those of the first run before equal ones of the second.
inline KeyedRow* merge_rows(std::span<const KeyedRow> a, std::span<const KeyedRow> b, KeyedRow* out) {
    const KeyedRow *x = a.data(), *y = b.data(), *const x_end = x + a.size(), *const y_end = y + b.size();
    while (x != x_end && y != y_end) {  // no branch on whose row comes first, which cannot be told
        const bool second = y->key < x->key;
        *out++ = second ? *y : *x;
        x += !second, y += second;
    }
    return std::copy(y, y_end, std::copy(x, x_end, out));
}

// Some runs of rows that ascend by key, each behind the one before, as one: pairs of them until one is left.
inline void merge_runs(Mapped<KeyedRow>& rows, std::vector<std::size_t> edge) {
    for (Mapped<KeyedRow> other(rows.size()); edge.size() > 2; std::swap(rows, other)) {
        std::vector<std::size_t> left{0};
        KeyedRow* out = other.data();
        for (std::size_t i = 0; i + 1 < edge.size(); i += 2) {
            const std::size_t middle = edge[i + 1], end = i + 2 < edge.size() ? edge[i + 2] : middle;
            const std::span<const KeyedRow> all(rows);
            out = merge_rows(all.subspan(edge[i], middle - edge[i]), all.subspan(middle, end - middle), out);
            left.push_back(end);
        }
        edge = std::move(left);
    }
}

// Rows of postings in the order of their keys, then of their pages and extras, each once. Those of a few segments, one behind the other,
// are in order but for that, and merged.
inline PostingColumns sorted_rows(Hashes key, std::span<const std::uint32_t> page, std::span<const std::uint32_t> extra) {
    constexpr std::size_t kMostRuns = 4;
    std::vector<std::size_t> edge{0};
    for (std::size_t i = 1; i < key.size() && edge.size() <= kMostRuns; ++i)
        if (key[i] < key[i - 1]) edge.push_back(i);
    if (edge.size() > 1 && edge.size() <= kMostRuns) {
        edge.push_back(key.size());
        Mapped<KeyedRow> rows(key.size());
        for (std::size_t i = 0; i < key.size(); ++i) rows[i] = {key[i], posting_place(page[i], extra[i])};
        merge_runs(rows, std::move(edge));
        PostingColumns out = posting_columns(key.size());
        const std::size_t count =
            put_postings(rows.size(), [&](std::size_t nth) { return rows[nth].key; }, [&](std::size_t nth) { return rows[nth].at; }, out);
        return cut_to(count, std::move(out));
    }
    const Mapped<std::int64_t> order = stable_order(key);
    const auto row = [&](std::size_t nth) { return static_cast<std::size_t>(order[nth]); };
    PostingColumns out = posting_columns(key.size());
    const std::size_t count = put_postings(key.size(), [&](std::size_t nth) { return key[row(nth)]; },
                                           [&](std::size_t nth) { return posting_place(page[row(nth)], extra[row(nth)]); }, out);
    return cut_to(count, std::move(out));
}

// The same of the keys of bands, one band after the other, of sets of which it is known where they stand: the band goes above each key.
inline PostingColumns band_rows(std::span<const std::uint32_t> keys, std::span<const std::uint32_t> page, std::span<const std::uint32_t> extra) {
    const std::size_t sets = page.size();
    Mapped<KeyedRow> rows(sets);
    PostingColumns out = posting_columns(keys.size());
    std::size_t count = 0;
    for (std::size_t begin = 0; begin < keys.size(); begin += sets) {
        for (std::size_t s = 0; s < sets; ++s) rows[s] = {keys[begin + s], posting_place(page[s], extra[s])};
        radix_sort(std::span(rows), 32, [](const KeyedRow& row) { return row.key; });
        const std::uint64_t band = std::uint64_t{begin / sets} << 32;
        count = put_postings(sets, [&](std::size_t nth) { return band | rows[nth].key; }, [&](std::size_t nth) { return rows[nth].at; },
                             out, count);
    }
    return cut_to(count, std::move(out));
}

// All rows of some chunks, one chunk after the other.
inline PostingColumns chunk_rows(std::span<const Bytes> chunks) {
    std::vector<Chunk> opened;
    opened.reserve(chunks.size());
    std::size_t count = 0;
    for (const Bytes data : chunks) count += opened.emplace_back(data).rows();
    PostingColumns out = posting_columns(count);
    auto& [keys, pages, extras] = out;
    std::size_t at = 0;
    for (const Chunk& chunk : opened) {
        for (std::size_t row = 0; row < chunk.rows(); ++row) keys[at + row] = chunk.key(row);
        for (std::size_t row = 0; row < chunk.rows(); ++row) pages[at + row] = chunk.page(row);
        for (std::size_t row = 0; row < chunk.rows(); ++row) extras[at + row] = chunk.extra(row);
        at += chunk.rows();
    }
    return out;
}

// Bytes that hold a number: 0 for 0.
inline std::size_t width_of(std::uint64_t value) { return (static_cast<std::size_t>(std::bit_width(value)) + 7) / 8; }

// Rows of postings as chunks that follow each other in some bytes, and where each begins: chunk c has the rows first[c] to first[c + 1],
// one at least, ascending by key, and the number after that of the chunk before it.
inline std::tuple<Mapped<std::uint8_t>, Mapped<std::int64_t>> packed_chunks(
    Hashes key, std::span<const std::uint32_t> page, std::span<const std::uint32_t> extra, Offsets first, std::uint8_t level,
    std::int64_t number) {
    struct Shape {
        std::size_t from, rows, key_width, page_width, extra_width;
        std::uint32_t least;
    };
    std::vector<Shape> shapes;
    Mapped<std::int64_t> begin{0};
    for (std::size_t c = 0; c + 1 < first.size(); ++c) {
        const auto from = static_cast<std::size_t>(first[c]), rows = static_cast<std::size_t>(first[c + 1]) - from;
        const auto pages = page.subspan(from, rows), extras = extra.subspan(from, rows);
        const auto [least, most] = std::minmax_element(pages.begin(), pages.end());
        const Shape& made = shapes.emplace_back(Shape{from, rows, width_of(key[from + rows - 1] - key[from]), width_of(*most - *least),
                                                      width_of(*std::max_element(extras.begin(), extras.end())), *least});
        const std::size_t size = Chunk::kHeader + rows * (made.key_width + made.page_width + made.extra_width);
        begin.push_back(begin.back() + static_cast<std::int64_t>(size));
    }
    const auto size = static_cast<std::size_t>(begin.back());
    Mapped<std::uint8_t> data(size + sizeof(std::uint64_t));
    std::uint8_t* at = data.data();
    const auto put = [&](std::uint64_t value, std::size_t width) {  // what is written beyond its width the next number overwrites
        std::memcpy(at, &value, sizeof value);
        at += width;
    };
    for (const Shape& own : shapes) {
        std::uint8_t* const chunk = at;
        put(0, 4), put(own.rows, 2), put(own.key_width, 1), put(own.page_width, 1), put(own.extra_width, 1), put(level, 1);
        put(static_cast<std::uint64_t>(number), 8), put(key[own.from], 8), put(own.least, 4);
        for (std::size_t row = own.from; row < own.from + own.rows; ++row) put(key[row] - key[own.from], own.key_width);
        for (std::size_t row = own.from; row < own.from + own.rows; ++row) put(page[row] - own.least, own.page_width);
        for (std::size_t row = own.from; row < own.from + own.rows; ++row) put(extra[row], own.extra_width);
        const std::uint32_t check = Chunk::checksum({chunk, static_cast<std::size_t>(at - chunk)}, number++);
        std::memcpy(chunk, &check, sizeof check);
    }
    data.resize(size);
    return {std::move(data), std::move(begin)};
}

// The first of some chunks that is not what was stored under its number, -1 where there is none.
inline std::int64_t damaged_chunk(std::span<const Bytes> chunks, Offsets number) {
    for (std::size_t i = 0; i < chunks.size(); ++i) {
        try {
            const Chunk own(chunks[i]);
            if (own.size() != chunks[i].size() || !own.is_whole(number[i])) return static_cast<std::int64_t>(i);
        } catch (const std::invalid_argument&) {
            return static_cast<std::int64_t>(i);
        }
    }
    return -1;
}

// Whether extras of places agree, in the bits of one of the masks, with an extra that was asked for under the same key: those of
// key k are asked[first[k]] to asked[first[k + 1]]. Places ascend by key.
inline Mapped<std::uint8_t> extras_agree(Offsets first, std::span<const std::uint32_t> asked, Offsets key,
                                         std::span<const std::uint32_t> extra, std::span<const std::uint32_t> masks) {
    Mapped<std::uint8_t> agrees(key.size(), 0);
    std::vector<std::uint32_t> known;
    for (std::size_t begin = 0, end = 0; begin < key.size(); begin = end) {
        while (end < key.size() && key[end] == key[begin]) ++end;
        const auto k = static_cast<std::size_t>(key[begin]);
        const auto own = asked.subspan(static_cast<std::size_t>(first[k]), static_cast<std::size_t>(first[k + 1] - first[k]));
        if (own.size() == 1) {  // most of them
            for (std::size_t i = begin; i < end; ++i)
                for (const std::uint32_t mask : masks) agrees[i] |= ((extra[i] ^ own[0]) & mask) == 0;
            continue;
        }
        for (const std::uint32_t mask : masks) {
            known.assign(own.begin(), own.end());
            for (std::uint32_t& value : known) value &= mask;
            std::sort(known.begin(), known.end());
            for (std::size_t i = begin; i < end; ++i)
                if (!agrees[i]) agrees[i] = std::binary_search(known.begin(), known.end(), extra[i] & mask);
        }
    }
    return agrees;
}

// Which places make, with something asked for under the same key, a pair that places of another key make, too. What was asked for
// under key k is asked[first[k]] to asked[first[k + 1]].
inline Mapped<std::uint8_t> paired_twice(Offsets first, Hashes asked, Offsets key, Hashes place) {
    struct Pair {
        std::uint64_t asked, place;
        std::size_t row;
        bool operator==(const Pair& other) const { return asked == other.asked && place == other.place; }
    };
    std::vector<Pair> pairs;
    for (std::size_t row = 0; row < key.size(); ++row) {
        const auto k = static_cast<std::size_t>(key[row]);
        for (auto at = static_cast<std::size_t>(first[k]); at < static_cast<std::size_t>(first[k + 1]); ++at)
            pairs.push_back({asked[at], place[row], row});
    }
    Mapped<std::uint8_t> twice(key.size(), 0);
    std::vector<std::size_t> table(std::bit_ceil(2 * pairs.size() + 1));  // of the first pair of its kind, and 1
    const int shift = 64 - std::countr_zero(table.size());
    for (const Pair& pair : pairs) {
        const std::uint64_t hash = (pair.asked * 0x9E3779B97F4A7C15U ^ pair.place) * 0xD6E8FEB86659FD93U;
        std::size_t slot = shift < 64 ? (hash ^ hash << 32) >> shift : 0;
        while (table[slot] && !(pairs[table[slot] - 1] == pair)) slot = (slot + 1) & (table.size() - 1);
        if (table[slot]) twice[pairs[table[slot] - 1].row] = twice[pair.row] = 1;
        else table[slot] = static_cast<std::size_t>(&pair - pairs.data()) + 1;
    }
    return twice;
}

// The chunks that each of some ascending keys may stand in, of a directory that has the first key of each chunk, from chunk `after` of
// a key on, `most` at most: (key, chunk, keys that stand in more, their first chunk, and their last one). Keys lie so far apart
// that the next one's place is looked for from the last one's on, in steps that double.
inline std::tuple<Mapped<std::int64_t>, Mapped<std::int64_t>, Mapped<std::int64_t>, Mapped<std::int64_t>, Mapped<std::int64_t>>
chunks_of_keys(Hashes fence, Hashes key, std::int64_t after, std::int64_t most) {
    std::tuple<Mapped<std::int64_t>, Mapped<std::int64_t>, Mapped<std::int64_t>, Mapped<std::int64_t>, Mapped<std::int64_t>> out;
    auto& [owner, chunk, longer, first, last] = out;
    const auto chunks = static_cast<std::int64_t>(fence.size());
    after = std::min(after, chunks), most = std::min(most, chunks + 1);  // more of them there are not
    owner.reserve(key.size() + key.size() / 8);
    chunk.reserve(key.size() + key.size() / 8);
    if (!fence.empty()) {  // hashes lie evenly: about here the look for each one will be
        const double span = static_cast<double>(fence.back() - fence.front()) + 1, last = static_cast<double>(fence.size() - 1);
        for (const std::uint64_t own : key) {
            const double share = static_cast<double>(own - std::min(own, fence.front())) / span;
            DEDUP_PREFETCH(fence.data() + static_cast<std::size_t>(std::min(share, 1.0) * last));
        }
    }
    std::size_t at = 0;  // chunks that begin below the key
    const auto beyond = [&](std::size_t from, auto is_before) {
        std::size_t step = 1, low = from;
        while (low + step <= fence.size() && is_before(fence[low + step - 1])) low += step, step *= 2;
        const auto end = fence.begin() + static_cast<std::ptrdiff_t>(std::min(low + step - 1, fence.size()));
        return static_cast<std::size_t>(std::partition_point(fence.begin() + static_cast<std::ptrdiff_t>(low), end, is_before) - fence.begin());
    };
    for (std::size_t k = 0; k < key.size(); ++k) {
        const std::uint64_t own = key[k];
        at = beyond(at, [&](std::uint64_t other) { return other < own; });
        const std::size_t up_to = beyond(at, [&](std::uint64_t other) { return other <= own; });
        const std::int64_t low = std::max<std::int64_t>(static_cast<std::int64_t>(at) - 1, 0) + after;
        const std::int64_t high = static_cast<std::int64_t>(up_to) - 1;
        for (std::int64_t c = low; c <= std::min(high, low + most - 1); ++c) {
            owner.push_back(static_cast<std::int64_t>(k));
            chunk.push_back(c);
        }
        if (high - low + 1 <= most) continue;
        longer.push_back(static_cast<std::int64_t>(k));
        first.push_back(low);
        last.push_back(high);
    }
    return out;
}

}  // namespace dedup
