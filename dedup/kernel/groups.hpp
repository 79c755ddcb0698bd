// Groups: components that stay free of overlaps, groups that say no more than a longer one, and what numbers of lists are the
// most frequent.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <set>
#include <stdexcept>
#include <tuple>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "bins.hpp"
#include "memory.hpp"

namespace dedup {

struct Place {
    std::int64_t begin, end;
    bool operator<(const Place& o) const { return begin != o.begin ? begin < o.begin : end < o.end; }
};

// Whether a place of one list overlaps one of the other; the places of a list ascend and do not overlap.
inline bool any_overlap(const std::vector<Place>& x, const std::vector<Place>& y) {
    const auto& few = x.size() <= y.size() ? x : y;
    const auto& many = x.size() <= y.size() ? y : x;
    return std::any_of(few.begin(), few.end(), [&](const Place& place) {
        const auto at = std::lower_bound(many.begin(), many.end(), Place{place.begin, place.begin});
        return (at != many.end() && at->begin < place.end) || (at != many.begin() && (at - 1)->end > place.begin);
    });
}

// The nodes, ascending by place, that begin before the one before them of the same component ends. `component` is each node's, the
// number of a node.
inline Mapped<std::int64_t> overlapping_nodes(Offsets component, Offsets t0, Offsets t1) {
    constexpr std::size_t kAhead = 32;
    Mapped<std::int64_t> until(component.size(), 0), out;  // of each component: where the last node seen of it ends
    Relief relief;
    for (std::size_t i = 0; i < component.size(); ++i) {
        relief.place();
        if (i + kAhead < component.size()) DEDUP_PREFETCH(until.data() + component[i + kAhead]);
        std::int64_t& end = until[static_cast<std::size_t>(component[i])];
        if (t0[i] < end) out.push_back(static_cast<std::int64_t>(i));
        end = t1[i];
    }
    return out;
}

// Components merged along links (a, b), in order, where their places do not overlap and are not too many together. `component`
// is each node's, its least member; nodes ascend by place.
inline Mapped<std::int64_t> merge_apart(Offsets t0, Offsets t1, Offsets component, Offsets a, Offsets b, std::int64_t most) {
    const std::size_t nodes = component.size();
    Mapped<std::int64_t> home(nodes, -1);  // of the components that links touch
    Relief relief;
    for (const Offsets side : {a, b})
        for (const std::int64_t node : side) {
            relief.place();
            const std::int64_t c = component[static_cast<std::size_t>(node)];
            home[static_cast<std::size_t>(c)] = c;
        }
    constexpr std::uint32_t kNone = ~std::uint32_t{0};
    Mapped<std::uint32_t> slot(nodes, kNone);
    std::vector<std::vector<Place>> members;
    for (std::size_t i = 0; i < nodes; ++i) {
        relief.place();
        const auto c = static_cast<std::size_t>(component[i]);
        if (home[c] < 0) continue;
        if (c == i) {
            slot[c] = static_cast<std::uint32_t>(members.size());
            members.emplace_back();
        }
        if (slot[c] == kNone) throw std::invalid_argument("component: it is that of no node before");
        members[slot[c]].push_back({t0[i], t1[i]});
    }
    const auto root = [&](std::int64_t c) {
        while (home[static_cast<std::size_t>(c)] != c) c = home[static_cast<std::size_t>(c)];
        return c;
    };
    std::set<std::pair<std::int64_t, std::int64_t>> apart;
    for (std::size_t i = 0; i < a.size(); ++i) {
        relief.place();
        const std::int64_t x = root(component[static_cast<std::size_t>(a[i])]), y = root(component[static_cast<std::size_t>(b[i])]);
        const auto [low, high] = std::minmax(x, y);
        if (low == high || apart.contains({low, high})) continue;
        auto& of_low = members[slot[static_cast<std::size_t>(low)]];
        auto& of_high = members[slot[static_cast<std::size_t>(high)]];
        if (static_cast<std::int64_t>(of_low.size() + of_high.size()) > most) continue;
        if (any_overlap(of_low, of_high)) {
            apart.emplace(low, high);
            continue;
        }
        home[static_cast<std::size_t>(high)] = low;
        const auto middle = static_cast<std::ptrdiff_t>(of_low.size());
        of_low.insert(of_low.end(), of_high.begin(), of_high.end());
        std::inplace_merge(of_low.begin(), of_low.begin() + middle, of_low.end());
        std::vector<Place>().swap(of_high);
    }
    Mapped<std::int64_t> out(component.begin(), component.end());
    for (std::int64_t& c : out)
        if (home[static_cast<std::size_t>(c)] >= 0) c = root(c);
    return out;
}

// From the least to the greatest of some numbers.
struct Spread {
    std::int64_t least = std::numeric_limits<std::int64_t>::max(), most = std::numeric_limits<std::int64_t>::min();
    void add(std::int64_t value) { least = std::min(least, value), most = std::max(most, value); }
    std::int64_t width() const { return most - least; }
};

// Tokens that some places leave out: gap i, [start[i], end[i]), lies in the place number place[i]; those of a place ascend.
struct Gaps {
    Offsets place, start, end;

    // Whether the tokens [begin, until) of a place hold one that it leaves out and the other place does not.
    bool hold_one(std::int64_t in, std::int64_t begin, std::int64_t until, std::int64_t other) const {
        if (place.empty()) return false;
        const auto [low, high] = of(in);
        const auto [low_other, high_other] = of(other);
        for (auto gap = behind(low, high, begin); gap < high && start[gap] < until; ++gap) {
            const auto same = behind(low_other, high_other, std::max(start[gap], begin));
            if (same == high_other || start[same] > std::max(start[gap], begin) || end[same] < std::min(end[gap], until)) return true;
        }
        return false;
    }

private:
    std::pair<std::size_t, std::size_t> of(std::int64_t number) const {
        const auto [low, high] = std::equal_range(place.begin(), place.end(), number);
        return {static_cast<std::size_t>(low - place.begin()), static_cast<std::size_t>(high - place.begin())};
    }

    // The first of the gaps [low, high) that ends behind a token.
    std::size_t behind(std::size_t low, std::size_t high, std::int64_t token) const {
        return static_cast<std::size_t>(std::upper_bound(end.begin() + static_cast<std::ptrdiff_t>(low),
                                                         end.begin() + static_cast<std::ptrdiff_t>(high), token) - end.begin());
    }
};

// Whether the places of groups lie, each in another one and nowhere in what that leaves out, in the places of one other group of as
// many or more, all about as far from their starts or from their ends, up to the length of the shortest one, or that by which what
// is left of those places differs. Occurrences of group g are first[g]..first[g+1], ascending; `number` is what gaps call each.
// Looked for among the `around` places before and at the begin of the group's first one.
inline Mapped<std::uint8_t> implied_groups(Offsets first, Offsets t0, Offsets t1, Offsets groups, std::int64_t around, Offsets number,
                                           const Gaps& gaps) {
    struct Held {
        std::int64_t t0, t1;
        std::uint32_t group;
        bool is_head;  // the first one of its group
    };
    const auto index = [](std::int64_t i) { return static_cast<std::size_t>(i); };
    std::size_t group = 0;
    const auto held = rows_in_order<Held>(t0, &Held::t0, [&](std::size_t i) {
        while (index(first[group + 1]) <= i) ++group;
        return Held{t0[i], t1[i], static_cast<std::uint32_t>(group), index(first[group]) == i};
    }, [](std::span<const Held>) {});
    Mapped<std::uint8_t> asked(first.size(), 0), found(first.size(), 0);
    for (const std::int64_t g : groups) asked[index(g)] = 1;
    const auto covers = [&](std::int64_t outer, std::int64_t inner) {
        const auto begin = t0.begin() + first[index(outer)], end = t0.begin() + first[index(outer) + 1];
        const std::int64_t head = first[index(inner)];
        std::ptrdiff_t before = -1;
        std::int64_t shortest = t1[index(head)] - t0[index(head)];
        Spread from_start, from_end, left;
        bool larger = outer < inner || first[index(outer) + 1] - first[index(outer)] > first[index(inner) + 1] - head;
        for (std::int64_t i = head; i < first[index(inner) + 1]; ++i) {
            const std::ptrdiff_t in = std::upper_bound(begin, end, t0[index(i)]) - begin - 1;
            const std::size_t place = index(first[index(outer)] + in);
            if (in <= before || t1[index(i)] > t1[place]) return false;
            if (gaps.hold_one(number[place], t0[index(i)], t1[index(i)], number[index(i)])) return false;
            const std::int64_t start = t0[index(i)] - t0[place], rest = t1[place] - t1[index(i)];
            shortest = std::min(shortest, t1[index(i)] - t0[index(i)]);
            from_start.add(start), from_end.add(rest), left.add(start + rest);
            larger |= start + rest > 0;
            before = in;
        }
        return larger && std::min(from_start.width(), from_end.width()) <= std::max(shortest, left.width());
    };
    Relief relief;
    for (std::size_t at = 0, last = 0; at < held.size(); ++at) {
        relief.place();
        const Held& head = held[at];
        if (!head.is_head || !asked[head.group]) continue;
        const auto size = [&](std::uint32_t g) { return first[g + 1] - first[g]; };
        last = std::max(last, at + 1);
        while (last < held.size() && held[last].t0 == head.t0) ++last;
        for (std::size_t i = last - std::min(last, static_cast<std::size_t>(around)); i < last && !found[head.group]; ++i) {
            relief.place();
            const Held& other = held[i];
            found[head.group] = other.group != head.group && other.t1 >= head.t1 && size(other.group) >= size(head.group) &&
                                covers(other.group, head.group);
        }
    }
    Mapped<std::uint8_t> implied;
    for (const std::int64_t g : groups) implied.push_back(found[index(g)]);
    return implied;
}

// Different numbers of a list, and how much each of them weighs: how often it is in it, if all weigh the same.
class Tally {
   public:
    struct Times {
        std::int64_t number, times;
        bool before(const Times& o) const { return times != o.times ? times > o.times : number < o.number; }
    };

    // Begins anew with a list of `count` numbers, of which many may be the same.
    void begin(std::size_t count) { clear(std::bit_ceil(2 * std::min(count, kRoom) + 2)); }

    void add(std::int64_t number, std::int64_t times = 1) {
        std::size_t slot = static_cast<std::uint64_t>(number) * 0x9e3779b97f4a7c15U >> shift_;
        while (slots_[slot].times && slots_[slot].number != number) slot = (slot + 1) & (slots_.size() - 1);
        if (!slots_[slot].times && 2 * ++different_ > slots_.size()) {
            const std::vector<Times> before = std::move(slots_);
            clear(2 * before.size());
            for (const Times& known : before)
                if (known.times) add(known.number, known.times);
            return add(number, times);
        }
        slots_[slot].number = number;
        slots_[slot].times += times;
    }

    // Calls use(times) for each different number, in no order.
    template <class Use>
    void each(Use use) const {
        for (const Times& slot : slots_)
            if (slot.times) use(slot);
    }

   private:
    static constexpr std::size_t kRoom = 1 << 11;

    void clear(std::size_t size) {
        slots_.assign(size, Times{0, 0});
        shift_ = 64 - std::countr_zero(size);
        different_ = 0;
    }

    std::vector<Times> slots_;
    std::size_t different_ = 0;
    int shift_ = 0;
};

// How many different numbers each list holds, but[i] aside, and the `top` heaviest, of equally heavy ones the lesser: those of
// list i from i * top, -1 where there are fewer. List i is of the numbers in ranges first[i]..first[i+1] of start and end, each of
// which weighs what its range does, 1 or more.
inline std::tuple<Mapped<std::int64_t>, Mapped<std::int64_t>> heaviest(Offsets number, Offsets start, Offsets end, Offsets weight,
                                                                       Offsets first, Offsets but, std::size_t top) {
    const auto index = [](std::int64_t i) { return static_cast<std::size_t>(i); };
    Mapped<std::int64_t> count, most;
    Tally tally;
    std::vector<Tally::Times> best;
    Relief relief;
    for (std::size_t i = 0; i < but.size(); ++i) {
        std::size_t held = 0;
        for (std::size_t range = index(first[i]); range < index(first[i + 1]); ++range) held += index(end[range] - start[range]);
        tally.begin(held);
        for (std::size_t range = index(first[i]); range < index(first[i + 1]); ++range) {
            relief.place();
            for (std::size_t at = index(start[range]); at < index(end[range]); ++at) tally.add(number[at], weight[range]);
        }
        std::int64_t different = 0;
        best.clear();
        tally.each([&](const Tally::Times& found) {
            if (found.number == but[i]) return;
            ++different;
            if (best.size() == top && (best.empty() || !found.before(best.back()))) return;
            if (best.size() == top) best.pop_back();
            best.insert(std::find_if(best.begin(), best.end(), [&](const auto& other) { return found.before(other); }), found);
        });
        count.push_back(different);
        for (std::size_t n = 0; n < top; ++n) most.push_back(n < best.size() ? best[n].number : -1);
    }
    return {std::move(count), std::move(most)};
}

}  // namespace dedup
