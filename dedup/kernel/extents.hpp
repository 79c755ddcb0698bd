// Free stretches of memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>
#include <utility>

namespace dedup {

// Free extents by address; neighbours are one.
class Extents {
   public:
    std::size_t bytes() const { return bytes_; }

    void add(std::byte* begin, std::size_t size) {
        bytes_ += size;
        auto after = extents_.lower_bound(begin);
        if (after != extents_.end() && after->first == begin + size) {
            size += after->second;
            after = extents_.erase(after);
        }
        if (after != extents_.begin() && std::prev(after)->first + std::prev(after)->second == begin) {
            std::prev(after)->second += size;
        } else {
            extents_.emplace_hint(after, begin, size);
        }
    }

    // The front of the smallest extent that is large enough, if any.
    std::byte* take(std::size_t size) {
        auto best = extents_.end();
        for (auto extent = extents_.begin(); extent != extents_.end(); ++extent)
            if (extent->second >= size && (best == extents_.end() || extent->second < best->second)) best = extent;
        return best == extents_.end() ? nullptr : cut(best, size);
    }

    // The front of the last extent, and how much of it, up to `most`.
    std::pair<std::byte*, std::size_t> take_last(std::size_t most) {
        const auto last = std::prev(extents_.end());
        const std::size_t size = std::min(last->second, most);
        return {cut(last, size), size};
    }

   private:
    using Map = std::map<std::byte*, std::size_t>;

    std::byte* cut(Map::iterator extent, std::size_t size) {
        const auto [begin, whole] = *extent;
        const auto after = extents_.erase(extent);
        if (whole > size) extents_.emplace_hint(after, begin + size, whole - size);
        bytes_ -= size;
        return begin;
    }

    Map extents_;
    std::size_t bytes_ = 0;
};

}  // namespace dedup
