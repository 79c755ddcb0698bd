// Anchors: two places of a seed that have more in common around them. twin_align.py says the same plainly.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <tuple>
#include <vector>

#include "memory.hpp"
#include "seeding.hpp"
#include "sets.hpp"

namespace dedup {

// Which page each token lies in: by the first page of every 256 tokens.
class PageIndex {
public:
    explicit PageIndex(Offsets page_first) : first_(page_first), near_(static_cast<std::size_t>(page_first.back() >> 8) + 1) {
        std::size_t page = 0;
        for (std::size_t i = 0; i < near_.size(); ++i) {
            while (page + 2 < first_.size() && first_[page + 1] <= static_cast<std::int64_t>(i) << 8) ++page;
            near_[i] = static_cast<std::uint32_t>(page);
        }
    }
    std::size_t operator()(std::int64_t at) const {
        std::size_t page = near_[static_cast<std::size_t>(at >> 8)];
        while (first_[page + 1] <= at) ++page;
        return page;
    }

private:
    Offsets first_;
    std::vector<std::uint32_t> near_;
};

// The different items around the places of one class, by number: which places have each one. For classes of many places, and
// for wide surroundings.
class ManyPlaces {
public:
    // Forgets all; `most` items can be put.
    void clear(std::size_t most) {
        while (table_.size() < 2 * most) table_.assign(2 * table_.size(), Slot{});
        if (++turn_ == 0) table_.assign(table_.size(), Slot{}), turn_ = 1;
        shift_ = std::countl_zero(static_cast<std::uint32_t>(std::bit_ceil(2 * most) - 1));
        items_.clear();
        own_.clear();
        own_first_.assign(1, 0);
    }

    // The next place: what stands around it.
    void put(Items around, const SeedText& text) {
        for (const std::uint32_t item : around) put_item(item, text);
        own_first_.push_back(own_.size());
    }

    // Calls use(i, j) for every two places whose common items are `least` rare, taken together.
    template <class Use>
    void for_each_pair(std::int64_t least, Use use) {
        std::uint32_t begin = 0;
        for (Item& item : items_) begin += item.end, item.next = item.end = begin - item.end;
        places_.resize(own_.size());
        const std::size_t count = own_first_.size() - 1;
        for (std::size_t i = 0; i < count; ++i)
            for (std::size_t k = own_first_[i]; k < own_first_[i + 1]; ++k)
                places_[items_[own_[k]].end++] = static_cast<std::uint32_t>(i);
        for (std::size_t i = 0; i + 1 < count; ++i) {
            common_.assign(count, 0);
            for (std::size_t k = own_first_[i]; k < own_first_[i + 1]; ++k) {
                Item& item = items_[own_[k]];
                for (std::uint32_t at = ++item.next; at < item.end; ++at) common_[places_[at]] += item.rare;
            }
            for (std::size_t j = i + 1; j < count; ++j)
                if (common_[j] >= least) use(i, j);
        }
    }

private:
    // One more item of the place that is numbered next; frequent ones are left out.
    void put_item(std::uint32_t whole, const SeedText& text) {
        const std::uint32_t value = whole >> kItemFlags, place = static_cast<std::uint32_t>(own_first_.size());
        std::size_t slot = value * 0x9E3779B1U >> shift_;
        const std::size_t mask = 0xffffffffU >> shift_;
        while (table_[slot].turn == turn_ && table_[slot].value != value) slot = (slot + 1) & mask;
        if (table_[slot].turn != turn_) {
            table_[slot] = {value, turn_, static_cast<std::uint32_t>(items_.size())};
            items_.push_back({text.rare(whole), 0, 0, 0});
        }
        Item& item = items_[table_[slot].item];
        if (item.rare == 0 || item.last == place) return;
        item.last = place;
        ++item.end;
        own_.push_back(table_[slot].item);
    }

    struct Slot {
        std::uint32_t value = 0, turn = 0, item = 0;
    };
    struct Item {
        std::uint32_t rare, last, next, end;  // last place that was put; places from next to end, those before it done with
    };
    std::vector<Slot> table_ = std::vector<Slot>(64);
    std::vector<Item> items_;
    std::vector<std::uint32_t> own_, places_;  // items of the places, place after place; places of the items
    std::vector<std::size_t> own_first_;
    std::vector<std::uint32_t> common_;
    std::uint32_t turn_ = 0;
    int shift_ = 0;
};

#if defined(__GNUC__) || defined(__clang__)
#define DEDUP_LANES 1
using Lanes = std::uint32_t __attribute__((vector_size(32)));

// What stands around the places of a class, row after row: the items, how rare each one is, and how many there are.
struct Rows {
    const std::uint32_t *value, *rare, *count;
    std::size_t stride, places;
};

// Numbers of the places j behind place i whose common items are `least` rare, from found[0] on; how many. The items of i fill
// so many lanes.
template <std::size_t kWidth>
DEDUP_INLINE std::size_t alike_places(const Rows& rows, std::size_t i, std::uint32_t least, std::uint32_t* found) {
    Lanes own[kWidth], rare[kWidth];
    std::memcpy(own, rows.value + i * rows.stride, sizeof own);
    std::memcpy(rare, rows.rare + i * rows.stride, sizeof rare);
    bool once = false;
    std::size_t count = 0;
    for (std::size_t j = i + 1; j < rows.places; ++j) {
        const std::uint32_t* const other = rows.value + j * rows.stride;
        Lanes common[kWidth] = {};
        for (std::size_t k = 0; k < rows.count[j]; ++k)
            for (std::size_t v = 0; v < kWidth; ++v) common[v] |= (Lanes)(own[v] == other[k]);
        const auto total = [&] {
            Lanes sums = common[0] & rare[0];
            for (std::size_t v = 1; v < kWidth; ++v) sums += common[v] & rare[v];
            std::uint32_t sum = 0;
            for (std::size_t lane = 0; lane < 8; ++lane) sum += sums[lane];
            return sum;
        };
        if (total() < least) continue;
        if (!once) {  // few pairs get here: only now each of i's items is to count once
            std::uint32_t each[8 * kWidth];
            std::memcpy(each, rare, sizeof each);
            const std::uint32_t* const mine = rows.value + i * rows.stride;
            for (std::size_t k = 1; k < rows.count[i]; ++k)
                if (std::find(mine, mine + k, mine[k]) != mine + k) each[k] = 0;
            std::memcpy(rare, each, sizeof rare);
            once = true;
            if (total() < least) continue;
        }
        found[count++] = static_cast<std::uint32_t>(j);
    }
    return count;
}

DEDUP_CLONES inline std::size_t alike_places(const Rows& rows, std::size_t i, std::uint32_t least, std::uint32_t* found) {
    switch ((rows.count[i] + 7) / 8) {
        case 0:
        case 1: return alike_places<1>(rows, i, least, found);
        case 2: return alike_places<2>(rows, i, least, found);
        case 3: return alike_places<3>(rows, i, least, found);
        case 4: return alike_places<4>(rows, i, least, found);
        default: return alike_places<5>(rows, i, least, found);
    }
}

// The same for classes of few places, side by side: each two are compared, all items with all.
class FewPlaces {
public:
    static constexpr std::size_t kMost = 96, kWidest = 40;  // places; items around one

    explicit FewPlaces(Bytes rarity)
        : rarity_(rarity.empty() ? kAlike.data() : rarity.data()),
          shift_(32 - std::countr_zero(rarity.empty() ? kAlike.size() : rarity.size())), value_(kMost * kWidest),
          rare_(kMost * kWidest), count_(kMost), found_(kMost) {}

    void clear() { places_ = 0; }

    // The next place: what stands around it, but for frequent items.
    void put(Items around) {
        std::uint32_t* const value = value_.data() + places_ * kWidest;
        std::uint32_t* const rare = rare_.data() + places_ * kWidest;
        std::size_t count = 0;
        for (const std::uint32_t item : around) {
            value[count] = item >> kItemFlags;
            rare[count] = rarity_[item >> shift_];
            count += rare[count] != 0;
        }
        count_[places_++] = static_cast<std::uint32_t>(count);
        for (; count == 0 || count % 8 != 0; ++count) value[count] = rare[count] = 0;
    }

    // Calls use(i, j) for every two places whose common items are `least` rare, taken together.
    template <class Use>
    void for_each_pair(std::int64_t least, Use use) {
        const Rows rows{value_.data(), rare_.data(), count_.data(), kWidest, places_};
        const auto enough = static_cast<std::uint32_t>(std::clamp<std::int64_t>(least, 0, 0xffffffff));
        for (std::size_t i = 0; i + 1 < places_; ++i) {
            const std::size_t count = alike_places(rows, i, enough, found_.data());
            for (std::size_t k = 0; k < count; ++k) use(i, found_[k]);
        }
    }

private:
    static constexpr std::array<std::uint8_t, 2> kAlike{1, 1};

    const std::uint8_t* rarity_;
    int shift_;
    std::vector<std::uint32_t> value_, rare_, count_, found_;
    std::size_t places_ = 0;
};
#endif

// The pages of places, and the items around each. Where memory is scarce these are copied, in the order of the places: a column of items
// that is not in memory comes in once, and not once a place.
class Surroundings {
public:
    Surroundings(std::span<const std::uint32_t> position, Items item, Offsets page_first, std::int64_t before, std::int64_t after)
        : items_(item.data()), page_(position.size()), count_(position.size()), begin_(position.size()) {
        const auto width = static_cast<std::size_t>(before + after);
        const bool copies = is_scarce();
        if (copies) copy_.resize(position.size() * width), items_ = copy_.data();
        const PageIndex page_of(page_first);
        Relief relief;
        for_each_nearby(position, [&](std::size_t i) {
            relief.place();
            const std::int64_t at = position[i];
            const std::size_t page = page_of(at);
            const std::int64_t begin = std::max(page_first[page], at - before), end = std::min(page_first[page + 1], at + after);
            page_[i] = static_cast<std::uint32_t>(page);
            count_[i] = static_cast<std::uint32_t>(end - begin);
            begin_[i] = copies ? i * width : static_cast<std::size_t>(begin);
            if (copies) std::copy(item.begin() + begin, item.begin() + end, copy_.begin() + static_cast<std::ptrdiff_t>(begin_[i]));
        });
    }
    std::size_t size() const { return page_.size(); }
    std::uint32_t page(std::size_t place) const { return page_[place]; }
    Items items(std::size_t place) const { return {items_ + begin_[place], count_[place]}; }
    void fetch(std::size_t place) const {
        constexpr std::size_t kLine = 16;  // items
        for (std::size_t at = 0; at < count_[place]; at += kLine) DEDUP_PREFETCH(items_ + begin_[place] + at);
    }

private:
    const std::uint32_t* items_;
    Mapped<std::uint32_t> page_, count_, copy_;
    Mapped<std::size_t> begin_;
};

// Every two places of a class if the different items that stand around both are `least` rare, taken together: (a, b). In one
// page the second place lies `shift` items behind the first one at least. `before` and `after`: how far around is.
inline std::tuple<Mapped<std::uint32_t>, Mapped<std::uint32_t>> class_anchors(
    std::span<const std::uint32_t> position, Offsets first, Items item, Offsets page_first, Bytes rarity, std::int64_t shift,
    std::int64_t before, std::int64_t after, std::int64_t least) {
    constexpr std::size_t kAhead = 8;  // places
    std::tuple<Mapped<std::uint32_t>, Mapped<std::uint32_t>> out;
    auto& [a, b] = out;
    const SeedText text{item, page_first, {}, rarity};
    const auto wide = static_cast<std::size_t>(before + after);
    const Surroundings around(position, item, page_first, before, after);
    ManyPlaces many;
#ifdef DEDUP_LANES
    FewPlaces few(rarity);
#endif
    std::size_t fetched = 0;
    for (std::size_t c = 0; c + 1 < first.size(); ++c) {
        const auto begin = static_cast<std::size_t>(first[c]), count = static_cast<std::size_t>(first[c + 1]) - begin;
        for (; fetched < std::min(begin + count + kAhead, around.size()); ++fetched) around.fetch(fetched);
        if (count < 2) continue;
        const auto use = [&](std::size_t i, std::size_t j) {
            const std::uint32_t p = position[begin + i], q = position[begin + j];
            if (around.page(begin + i) != around.page(begin + j) || std::int64_t{q} - std::int64_t{p} >= shift) a.push_back(p), b.push_back(q);
        };
#ifdef DEDUP_LANES
        if (count <= FewPlaces::kMost && wide <= FewPlaces::kWidest) {
            few.clear();
            for (std::size_t i = 0; i < count; ++i) few.put(around.items(begin + i));
            few.for_each_pair(least, use);
            continue;
        }
#endif
        many.clear(count * wide);
        for (std::size_t i = 0; i < count; ++i) many.put(around.items(begin + i), text);
        many.for_each_pair(least, use);
    }
    return out;
}

// Anchors by pair of pages, each once: (page a, page b, first anchor of each pair, a, b), a and b being token numbers in
// their pages.
inline std::tuple<Mapped<std::int64_t>, Mapped<std::int64_t>, Mapped<std::int64_t>, Mapped<std::int64_t>, Mapped<std::int64_t>>
pair_anchors(std::span<const std::uint32_t> a, std::span<const std::uint32_t> b, Offsets page_first) {
    struct Anchor {
        std::uint64_t pages;
        std::uint32_t a, b;
    };
    const PageIndex page_of(page_first);
    Mapped<Anchor> anchors(a.size());
    for (std::size_t i = 0; i < a.size(); ++i)
        anchors[i] = {std::uint64_t{page_of(a[i])} << 32 | page_of(b[i]), a[i], b[i]};
    std::sort(anchors.begin(), anchors.end(), [](const Anchor& x, const Anchor& y) {
        return std::tie(x.pages, x.a, x.b) < std::tie(y.pages, y.a, y.b);
    });
    std::tuple<Mapped<std::int64_t>, Mapped<std::int64_t>, Mapped<std::int64_t>, Mapped<std::int64_t>, Mapped<std::int64_t>> out;
    auto& [page_a, page_b, anchor_first, in_a, in_b] = out;
    for (std::size_t i = 0; i < anchors.size(); ++i) {
        const Anchor& anchor = anchors[i];
        const bool same_pages = i > 0 && anchors[i - 1].pages == anchor.pages;
        if (same_pages && anchors[i - 1].a == anchor.a && anchors[i - 1].b == anchor.b) continue;
        if (!same_pages) {
            page_a.push_back(static_cast<std::int64_t>(anchor.pages >> 32));
            page_b.push_back(static_cast<std::int64_t>(anchor.pages & 0xffffffffU));
            anchor_first.push_back(static_cast<std::int64_t>(in_a.size()));
        }
        in_a.push_back(std::int64_t{anchor.a} - page_first[static_cast<std::size_t>(page_a.back())]);
        in_b.push_back(std::int64_t{anchor.b} - page_first[static_cast<std::size_t>(page_b.back())]);
    }
    anchor_first.push_back(static_cast<std::int64_t>(in_a.size()));
    return out;
}

}  // namespace dedup
