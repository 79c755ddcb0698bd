// Keys looked up in chunks of postings; twin_postings.py says the same plainly, dedup/index/segments.py what a chunk is.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <tuple>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "memory.hpp"

namespace dedup {

// A chunk: its header, then the columns of keys, pages and extras, little endian, each as narrow as it can be.
class Chunk {
   public:
    explicit Chunk(Bytes data) : data_(data.data()), size_(data.size()) {
        if (data.size() < kHeader) throw std::invalid_argument("chunks: one is shorter than a header");
        rows_ = number(4, 2);
        key_width_ = data_[6], page_width_ = data_[7], extra_width_ = data_[8];
        key_ = number(18, 8), page_ = number(26, 4);
        if (key_width_ > 8 || page_width_ > 4 || extra_width_ > 4 ||
            data.size() != kHeader + rows_ * (key_width_ + page_width_ + extra_width_))
            throw std::invalid_argument("chunks: one is not as long as its header says");
    }

    // The rows of a key, half-open.
    std::pair<std::size_t, std::size_t> rows_of(std::uint64_t key) const {
        if (key < key_) return {0, 0};
        const std::size_t begin = first_from(0, key - key_);
        if (begin == rows_ || key_at(begin) != key - key_) return {begin, begin};
        return {begin, key - key_ == UINT64_MAX ? rows_ : first_from(begin, key - key_ + 1)};
    }
    std::uint32_t page(std::size_t row) const {
        return static_cast<std::uint32_t>(page_ + number(kHeader + rows_ * key_width_ + row * page_width_, page_width_));
    }
    std::uint32_t extra(std::size_t row) const {
        return static_cast<std::uint32_t>(
            number(kHeader + rows_ * (key_width_ + page_width_) + row * extra_width_, extra_width_));
    }

   private:
    static constexpr std::size_t kHeader = 30;

    // The first row, from one on, whose key is not below.
    std::size_t first_from(std::size_t low, std::uint64_t key) const {
        std::size_t high = rows_;
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

// Places of keys, each looked up in one chunk: how many each look found, and their pages and extras, look by look.
inline std::tuple<Mapped<std::int64_t>, Mapped<std::uint32_t>, Mapped<std::uint32_t>> chunk_places(
    std::span<const Bytes> chunks, Offsets chunk, Hashes key) {
    std::vector<Chunk> opened(chunks.begin(), chunks.end());
    Mapped<std::int64_t> hits(key.size());
    Mapped<std::uint32_t> page, extra;
    for (std::size_t i = 0; i < key.size(); ++i) {
        const Chunk& own = opened[static_cast<std::size_t>(chunk[i])];
        const auto [begin, end] = own.rows_of(key[i]);
        hits[i] = static_cast<std::int64_t>(end - begin);
        for (std::size_t row = begin; row < end; ++row) page.push_back(own.page(row)), extra.push_back(own.extra(row));
    }
    return {std::move(hits), std::move(page), std::move(extra)};
}

}  // namespace dedup
