// Rows in the order of a key, of which memory may hold few at a time.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>

#include "arrays.hpp"
#include "memory.hpp"
#include "sets.hpp"

namespace dedup {

// Puts rows into bins, the next one of each at next[bin]. Some rows of a bin wait until they are written together: the bins are ends
// of a long column, of which memory may hold few pages at a time, and each row would bring another one in.
template <class Row>
class BinWriter {
   public:
    BinWriter(Row* rows, std::span<std::size_t> next) : rows_(rows), next_(next), waiting_(next.size() * kTogether), count_(next.size(), 0) {}

    void put(std::size_t bin, const Row& row) {
        waiting_[bin * kTogether + count_[bin]] = row;
        if (++count_[bin] == kTogether) write(bin);
    }

    // Writes the rows that wait.
    void finish() {
        for (std::size_t bin = 0; bin < next_.size(); ++bin) write(bin);
    }

   private:
    static constexpr std::size_t kTogether = 64;

    void write(std::size_t bin) {
        relief_.place();
        std::copy_n(waiting_.begin() + static_cast<std::ptrdiff_t>(bin * kTogether), count_[bin], rows_ + next_[bin]);
        next_[bin] += count_[bin];
        count_[bin] = 0;
    }

    Row* rows_;
    std::span<std::size_t> next_;
    Mapped<Row> waiting_;
    Mapped<std::uint8_t> count_;
    Relief relief_;
};

// Rows made of the elements of some columns, make(i), in the stable order of a key that is none below 0: put into bins by it, then each bin
// into order, and given to use(rows). So no column is gone over in another order than its own: where memory is scarce, each look would bring a page of it in.
template <class Row, class Make, class Use>
Mapped<Row> rows_in_order(Offsets key, std::int64_t Row::*by, Make make, Use use) {
    constexpr int kBinBits = 9;
    constexpr std::size_t kFew = 128;  // rows that are put into order by comparing them
    Mapped<Row> rows(key.size());
    if (key.empty()) return rows;
    const bool in_order = std::is_sorted(key.begin(), key.end());
    if (in_order || key.size() < kFew) {
        for (std::size_t i = 0; i < key.size(); ++i) rows[i] = make(i);
        if (!in_order) std::stable_sort(rows.begin(), rows.end(), [&](const Row& x, const Row& y) { return x.*by < y.*by; });
        use(std::span<const Row>(rows));
        return rows;
    }
    const std::int64_t most = *std::max_element(key.begin(), key.end());
    const int shift = std::max(0, static_cast<int>(std::bit_width(static_cast<std::uint64_t>(most))) - kBinBits);
    std::array<std::size_t, (std::size_t{1} << kBinBits) + 1> first{};
    Relief relief;
    for (const std::int64_t k : key) relief.place(), ++first[static_cast<std::size_t>(k >> shift) + 1];
    std::partial_sum(first.begin(), first.end(), first.begin());
    auto next = first;
    BinWriter<Row> bins(rows.data(), std::span(next).first(next.size() - 1));
    for (std::size_t i = 0; i < key.size(); ++i) {
        relief.place();
        bins.put(static_cast<std::size_t>(key[i] >> shift), make(i));
    }
    bins.finish();
    for (std::size_t bin = 0; bin + 1 < first.size(); ++bin) {
        const auto own = std::span(rows).subspan(first[bin], first[bin + 1] - first[bin]);
        relief.places(own.size());
        const std::int64_t base = static_cast<std::int64_t>(bin) << shift;
        const auto within = [&](const Row& row) { return static_cast<std::uint64_t>(row.*by - base); };
        if (own.size() < kFew) std::stable_sort(own.begin(), own.end(), [&](const Row& x, const Row& y) { return within(x) < within(y); });
        else radix_sort<8>(own, shift, within);
        use(std::span<const Row>(own));
    }
    return rows;
}

}  // namespace dedup
