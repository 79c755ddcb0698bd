// Which windows of the other text are alike near a place: an end of one text may not be far from that of the other.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace dedup {

// How far the starts of windows that are alike lie from each other, cell by cell of each text.
class Band {
public:
    using Starts = std::vector<std::pair<std::int64_t, std::int64_t>>;

    // Of the seeds of a cluster: `starts` are the first and the last one in each text.
    void set(const Starts& seeds, const std::array<std::int64_t, 4>& starts, std::int64_t cell, std::int64_t slack) {
        cell_ = cell, slack_ = slack;
        for (const std::size_t side : {0, 1}) {
            first_[side] = starts[2 * side];
            shifts_[side].assign(static_cast<std::size_t>((starts[2 * side + 1] - first_[side]) / cell + 1), Shifts{});
        }
        for (const auto& [a, b] : seeds) shifts_[0][number(0, a)].add(b - a), shifts_[1][number(1, b)].add(a - b);
        for (std::vector<Shifts>& shifts : shifts_) fill(shifts);
    }

    void clear() { shifts_[0].clear(), shifts_[1].clear(); }
    bool empty() const { return shifts_[0].empty(); }

    // Where a start in the other text may be, beside one of this side.
    std::pair<std::int64_t, std::int64_t> beside(std::size_t side, std::int64_t at) const {
        const Shifts& shifts = shifts_[side][number(side, at)];
        return {at + shifts.low - slack_, at + shifts.high + slack_};
    }

private:
    struct Shifts {
        std::int64_t low = std::numeric_limits<std::int64_t>::max(), high = std::numeric_limits<std::int64_t>::min();
        bool none() const { return low > high; }
        void add(std::int64_t shift) { low = std::min(low, shift), high = std::max(high, shift); }
        void add(const Shifts& o) { low = std::min(low, o.low), high = std::max(high, o.high); }
    };

    std::size_t number(std::size_t side, std::int64_t at) const {
        const auto last = static_cast<std::int64_t>(shifts_[side].size()) - 1;
        return static_cast<std::size_t>(std::clamp<std::int64_t>((at - first_[side]) / cell_, 0, last));
    }

    // A cell without seeds has those of the nearest cells before and behind it. The first and the last one hold seeds.
    static void fill(std::vector<Shifts>& shifts) {
        for (std::size_t begin = 0, end; begin < shifts.size(); begin = end) {
            for (end = begin + 1; end < shifts.size() && shifts[end].none();) ++end;
            if (end == shifts.size()) return;
            Shifts both = shifts[begin];
            both.add(shifts[end]);
            std::fill(shifts.begin() + static_cast<std::ptrdiff_t>(begin) + 1, shifts.begin() + static_cast<std::ptrdiff_t>(end), both);
        }
    }

    std::int64_t cell_ = 1, slack_ = 0;
    std::array<std::int64_t, 2> first_{};
    std::array<std::vector<Shifts>, 2> shifts_;
};

}  // namespace dedup
