// Steps 4 and 5 of the alignment: the four ends of a rectangle go where its score is best, and then to borders of sentences.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "align_band.hpp"
#include "align_clusters.hpp"

namespace dedup {

class PairEnds : protected PairClusters {
protected:
    using PairClusters::PairClusters;

    void prepare(std::int64_t page_a, std::int64_t page_b) {
        PairClusters::prepare(page_a, page_b);
        ways_.resize(weight_.size(), 0);
    }

    // ---- step 4: ends ----

    // Puts an end somewhere else, counts and sums with it.
    void put(Rectangle& r, std::size_t end, std::int64_t to) {
        const int side = static_cast<int>(end / 2);
        if (end % 2 == 0) {
            while (r[end] > to) add(r, side, id(side, --r[end]));
            while (r[end] < to) remove(r, side, id(side, r[end]++));
        } else {
            while (r[end] < to) add(r, side, id(side, r[end]++));
            while (r[end] > to) remove(r, side, id(side, --r[end]));
        }
    }

    // How far an end may go outwards, and inwards (one token stays).
    std::int64_t outer_limit(const Rectangle& r, std::size_t end) const {
        if (end == 1 && same_page_) return std::min(limits_[1], r[2]);
        if (end == 2 && same_page_) return std::max(limits_[2], r[1]);
        return limits_[end];
    }
    static std::int64_t inner_limit(const Rectangle& r, std::size_t end) { return end % 2 ? r[end - 1] + 1 : r[end + 1] - 1; }

    // The ends of a rectangle are tied to its windows if it is long: where it is short, no end may be far from the other one. Not
    // inside one page: lines of one list are alike at any distance.
    void tie(const Cluster& cluster, const Rectangle& box) {
        if (!same_page_ && std::max(box.length(0), box.length(1)) > kLong * s_.slack) band_.set(cluster.seeds, cluster.starts, s_.cell, s_.slack);
        else band_.clear();
    }

    // The same, but no farther than the windows that are alike allow it beside the other text's end: nothing else ties the two
    // together, for bags have no order. An end that is beyond that stays.
    std::int64_t limit_of(const Rectangle& r, std::size_t end, bool outwards) const {
        const std::int64_t limit = outwards ? outer_limit(r, end) : inner_limit(r, end);
        if (band_.empty()) return limit;
        const std::size_t other = (end + 2) % 4;
        const std::int64_t to_start = end % 2 ? s_.window : 0;  // an end is as good as the start of the window before it
        const auto [low, high] = band_.beside(other / 2, r[other] - to_start);
        return limit > r[end] ? std::clamp(high + to_start, r[end], limit) : std::clamp(low + to_start, limit, r[end]);
    }

    struct Move {
        std::int64_t gain = 0, to = 0;
        std::size_t end = 0;
        bool out = false, open = false;  // whether it goes outwards, and whether only its reach has ended it
    };

    // Best change of G when an end walks one way; it stops when it falls `drop` below the best. The counts stay as they are.
    Move walk(const Rectangle& r, std::size_t end, bool outwards, std::int64_t theta, std::int64_t reach) {
        const std::int64_t steps = std::abs(limit_of(r, end, outwards) - r[end]), most = std::min(steps, reach);
        const std::vector<Step>& near = near_[2 * end + outwards];
        Move move;
        if (r[end] == near_at_[end] && most <= static_cast<std::int64_t>(near.size()))
            move = outwards ? walk_near<true>(r, end, theta, near.data(), most) : walk_near<false>(r, end, theta, near.data(), most);
        else move = outwards ? walk_way<true>(r, end, theta, most) : walk_way<false>(r, end, theta, most);
        move.open = move.open && steps > reach;
        return move;
    }

    template <bool kOutwards>
    Move walk_way(const Rectangle& r, std::size_t end, std::int64_t theta, std::int64_t steps) {
        const std::size_t side = end / 2;
        std::int32_t* const mine = counts_[side].data();
        const std::int32_t* const other = counts_[1 - side].data();
        const std::int64_t step = (end % 2 == 0) == kOutwards ? -1 : 1, drop = s_.drop * kRare;
        const std::uint32_t* const ids = side_[side]->id.data();
        const std::int64_t first = step < 0 ? r[end] - 1 : r[end];
        const std::int64_t shared = kOutwards ? 2 * kThousand - theta : theta - 2 * kThousand, single = kOutwards ? -theta : theta;
        std::int64_t gain = 0, most = 0, best = 0, at = 0;
        for (; at < steps && gain >= most - drop;) {
            const std::uint32_t item = ids[first + at * step];
            const bool both = kOutwards ? mine[item]++ < other[item] : mine[item]-- <= other[item];
            gain += weight(item) * (both ? shared : single);
            ++at;
            best = gain > most ? at : best;
            most = std::max(most, gain);
        }
        const bool open = at == steps;
        while (at-- > 0) mine[ids[first + at * step]] += kOutwards ? -1 : 1;
        return {most, r[end] + best * step, end, kOutwards, open};
    }

    // A token near an end: its item, the weight of that, and how often that stands between the two.
    struct Step {
        std::uint32_t id;
        std::int32_t weight, before;
    };

    // The same over tokens that are known, so that no counts have to be changed and changed back.
    template <bool kOutwards>
    Move walk_near(const Rectangle& r, std::size_t end, std::int64_t theta, const Step* near, std::int64_t steps) const {
        const std::int32_t* const mine = counts_[end / 2].data();
        const std::int32_t* const other = counts_[1 - end / 2].data();
        const std::int64_t step = (end % 2 == 0) == kOutwards ? -1 : 1, drop = s_.drop * kRare;
        const std::int64_t shared = kOutwards ? 2 * kThousand - theta : theta - 2 * kThousand, single = kOutwards ? -theta : theta;
        std::int64_t gain = 0, most = 0, best = 0, at = 0;
        for (; at < steps && gain >= most - drop;) {
            const Step& token = near[at];
            const bool both = kOutwards ? mine[token.id] + token.before < other[token.id] : mine[token.id] - token.before <= other[token.id];
            gain += token.weight * (both ? shared : single);
            ++at;
            best = gain > most ? at : best;
            most = std::max(most, gain);
        }
        return {most, r[end] + best * step, end, kOutwards, at == steps};
    }

    std::int64_t dice(const Rectangle& r) const { return r.total > 0 ? r.shared2 * kThousand / r.total : 0; }
    std::int64_t theta_of(const Rectangle& r) const { return std::max(s_.theta, s_.factor * dice(r) / kThousand); }

    static constexpr std::int64_t kLong = 4;  // times the slack
    static constexpr std::size_t kNoEnd = 4;
    static constexpr std::int64_t kFar = std::int64_t{1} << 40;

    // Ways of the ends, one bit each: inwards and outwards, end after end.
    static constexpr std::uint32_t kAllWays = 0xff;
    static constexpr std::uint32_t way_of(std::size_t end, bool out) { return 1U << (2 * end + out); }
    static constexpr std::uint32_t ways_of(std::size_t end) { return way_of(end, false) | way_of(end, true); }

    // The ways that may gain more where one text has more of an item than before, and more than the other one: its ends leave it,
    // those of the other text take it in.
    static constexpr std::uint32_t answers_to(std::size_t side) {
        const std::size_t own = 2 * side, other = 2 - own;
        return way_of(own, false) | way_of(own + 1, false) | way_of(other, true) | way_of(other + 1, true);
    }

    // The single move that gains most; one end is held where it is, and some ways are not tried. Those that gain are noted.
    Move best_move(const Rectangle& r, bool outwards, std::int64_t theta, std::size_t held, std::int64_t reach, std::uint32_t ways) {
        Move best;
        gaining_ = 0;
        for (std::size_t end = 0; end < 4; ++end)
            for (const bool out : {true, false}) {
                if (end == held || (out && !outwards) || !(ways & way_of(end, out))) continue;
                const Move move = walk(r, end, out, theta, reach);
                if (move.gain > 0) gaining_ |= way_of(end, out);
                if (move.gain > best.gain) best = move;
            }
        return best;
    }

    // The ends of a joint move answer with their best moves, one being held; the first answer is on one of some ways. Then only such
    // ways are tried as may gain more than when they were tried last: those that gained, but less; those on which an item is met
    // that the answer changed; and those of ends that have gone elsewhere before. An end that has just moved gains nothing by going
    // back, nor by going on, unless its reach was all that ended it.
    void answer(Rectangle& r, std::int64_t theta, std::size_t held, std::uint32_t ways) {
        const bool any_way = same_page_ || !band_.empty();  // there ends hold each other
        std::uint32_t moved = 0;
        for (std::int64_t moves = 0; moves < s_.moves && ways != 0; ++moves) {
            const Move move = best_move(r, true, theta, held, s_.joint_reach, ways);
            if (move.gain <= 0) break;
            const std::int64_t from = r[move.end], length = r.length(static_cast<int>(move.end / 2));
            put(r, move.end, move.to);
            if (any_way) {
                ways = kAllWays;
                continue;
            }
            ways = (gaining_ | moved) & ~ways_of(move.end);
            if (move.open) ways |= way_of(move.end, move.out);
            if (move.out && length <= s_.joint_reach + 1) ways |= way_of(move.end ^ 1, false);  // it may go farther
            ways |= changed_ways(move, from) & ~moved & ~ways_of(move.end);
            moved |= ways_of(move.end);
        }
    }

    // The ways on which an item is met that a move changed so that they may gain more.
    std::uint32_t changed_ways(const Move& move, std::int64_t from) const {
        const std::size_t side = move.end / 2, more = move.out ? side : 1 - side;  // the text that has more of the items now
        std::uint32_t ways = 0;
        for (std::int64_t i = std::min(from, move.to); i < std::max(from, move.to); ++i) {
            const std::uint32_t item = id(static_cast<int>(side), i);
            if (counts_[more][item] > counts_[1 - more][item]) ways |= ways_[item] & answers_to(more);
        }
        return ways;
    }

    // Looks at the tokens that the ends may meet within a joint move, way after way, and notes of their items which ways do.
    void look_around(const Ends& ends) {
        near_at_ = ends;
        for (std::size_t end = 0; end < 4; ++end)
            for (const bool out : {false, true}) {
                const auto side = static_cast<int>(end / 2);
                std::vector<Step>& near = near_[2 * end + out];
                near.clear();
                const std::int64_t step = (end % 2 == 0) == out ? -1 : 1;
                std::int64_t at = step < 0 ? ends[end] - 1 : ends[end];
                for (std::int64_t n = 0; n < s_.joint_reach && at >= 0 && at < size(side); ++n, at += step) {
                    const std::uint32_t item = id(side, at);
                    std::int32_t before = 0;
                    for (const Step& token : near) before += token.id == item;
                    near.push_back({item, static_cast<std::int32_t>(weight(item)), before});
                    ways_[item] = static_cast<std::uint8_t>(ways_[item] | way_of(end, out));
                }
            }
    }

    // Forgets that again.
    void look_away() {
        near_at_.fill(-1);
        for (const std::vector<Step>& near : near_)
            for (const Step& token : near) ways_[token.id] = 0;
    }

    // The ways within a joint move that are cut short by the end of the other text.
    std::uint32_t tied_ways(const Rectangle& r) const {
        std::uint32_t ways = 0;
        for (std::size_t end = 0; end < 4; ++end)
            for (const bool out : {true, false}) {
                const std::int64_t untied = std::abs((out ? outer_limit(r, end) : inner_limit(r, end)) - r[end]);
                if (std::abs(limit_of(r, end, out) - r[end]) < std::min(untied, s_.joint_reach)) ways |= way_of(end, out);
            }
        return ways;
    }

    // Where no single move gains, two ends may hold each other: one goes step by step elsewhere and is held there, while the
    // others answer with their best moves. The best outcome of all is taken; false where none gains. Only such ways are tried as
    // a first answer as may gain more than before: on which an item is met that the held end took in, and the other text has not,
    // or that it left, and the other text has. Such an item is taken in by the other text, or left at the opposite end; or the
    // other way round. And those of the other text's end that the held one has tied.
    bool joint_move(Rectangle& r, std::int64_t theta) {
        const std::array<std::int64_t, 4> start = r.end;
        const auto score = [&] { return r.shared2 * kThousand - theta * r.total; };
        const auto go = [&](const std::array<std::int64_t, 4>& ends) {
            for (std::size_t end = 0; end < 4; ++end) put(r, end, ends[end]);
        };
        const std::int64_t before = score();
        std::int64_t best = before;
        std::array<std::int64_t, 4> to = start;
        const std::uint32_t tied = tied_ways(r);
        look_around(start);
        for (std::size_t held = 0; held < 4; ++held)
            for (const bool out : {true, false}) {
                const std::int64_t limit = limit_of(r, held, out);
                const int side = static_cast<int>(held / 2);
                const std::int64_t step = (held % 2 == 0) == out ? -1 : 1;
                const std::size_t other = held < 2 ? 2 : 0;
                const std::uint32_t answers = way_of(held ^ 1, !out) | way_of(other, out) | way_of(other + 1, out);
                const bool gives_way = out && r.length(side) <= s_.joint_reach + 1;  // the opposite end may go farther
                std::uint32_t ways = same_page_ ? kAllWays : gives_way ? way_of(held ^ 1, false) : 0;
                ways |= tied & (way_of((held + 2) % 4, false) | way_of((held + 2) % 4, true));
                for (std::int64_t n = 1; n <= s_.joint_reach && start[held] + (n - 1) * step != limit; ++n) {
                    put(r, held, start[held] + n * step);
                    const std::uint32_t item = id(side, step < 0 ? r[held] : r[held] - 1);
                    const std::int32_t mine = counts_[side][item], others = counts_[1 - side][item];
                    if (out ? others < mine : others > mine) ways |= ways_[item] & answers;
                    if (score() < before - s_.drop * kRare) break;
                    answer(r, theta, held, ways);
                    if (score() > best) best = score(), to = r.end;
                    std::array<std::int64_t, 4> back = start;
                    back[held] = r[held];
                    go(back);
                }
                go(start);
            }
        look_away();
        go(to);
        return best > before;
    }

    // The move that gains most, again and again, and a joint one where none does.
    void move_ends(Rectangle& r, bool outwards) {
        std::int64_t theta = outwards ? s_.theta : theta_of(r);
        for (std::int64_t moves = 0; moves < s_.moves; ++moves) {
            const Move best = best_move(r, outwards, theta, kNoEnd, kFar, kAllWays);
            if (best.gain > 0) put(r, best.end, best.to);
            else if (theta == theta_of(r) && !(outwards && joint_move(r, theta))) break;
            theta = theta_of(r);
        }
    }

    // ---- step 5: sentence borders ----

    bool starts_sentence(int side, std::int64_t at) const {
        return at <= 0 || at >= size(side) || (side_items_[static_cast<std::size_t>(side)][static_cast<std::size_t>(at)] & kStartsSentence);
    }

    // The next border from an end on one way, and what G loses on the way there; none within reach: gain -1, to = end.
    Move border(const Rectangle& r, std::size_t end, bool outwards, std::int64_t theta) {
        const int side = static_cast<int>(end / 2);
        const std::int64_t limit = outwards ? outer_limit(r, end) : inner_limit(r, end);
        const std::int64_t step = (end % 2 == 0) == outwards ? -1 : 1;
        std::int64_t to = r[end];
        for (std::int64_t steps = 0; to != limit && steps < s_.border_reach; ++steps) {
            to += step;
            if (!starts_sentence(side, to)) continue;
            Rectangle moved = r;
            put(moved, end, to);
            const std::int64_t change = (moved.shared2 - r.shared2) * kThousand - theta * (moved.total - r.total);
            put(moved, end, r[end]);
            return {change, to, end};
        }
        return {-1, r[end], end};
    }

    void snap(Rectangle& r) {
        const std::int64_t theta = theta_of(r), most = s_.border_cost * kRare;
        std::array<bool, 4> done{};
        for (int round = 0; round < 4; ++round) {
            Move best;
            bool any = false;
            for (std::size_t end = 0; end < 4; ++end) {
                if (done[end] || starts_sentence(static_cast<int>(end / 2), r[end])) continue;
                const Move outer = border(r, end, true, theta), inner = border(r, end, false, theta);
                const bool outer_fits = outer.to != r[end] && outer.gain >= -most;
                const bool inner_fits = inner.to != r[end] && inner.gain >= -most;
                if (!outer_fits && !inner_fits) continue;
                const Move& move = outer_fits && (inner.to == r[end] || outer.gain >= inner.gain) ? outer
                                   : inner_fits ? inner : outer;
                if (!any || move.gain > best.gain) best = move, any = true;
            }
            if (!any) break;
            put(r, best.end, best.to);
            done[best.end] = true;
        }
    }

    Ends limits_{};  // how far the ends of a rectangle may go
    Band band_;      // of its windows
    std::vector<std::uint8_t> ways_;
    std::array<std::vector<Step>, 8> near_;  // of each way
    Ends near_at_{-1, -1, -1, -1};           // the ends that those are of
    std::uint32_t gaining_ = 0;  // ways of the last best move
};

}  // namespace dedup
