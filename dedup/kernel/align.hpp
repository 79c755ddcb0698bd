// Aligned passages: rectangles (a token range in each of two texts) that maximise a weighted score of the words they
// share. docs/design/alignment.md has the method, its constants and its figures; twin_align.py says the same plainly.
//
// Everything is counted in integers, so the results are the same on every machine: weights in 1/64 of a rare word, shares
// in thousandths, the score G in 1/64000.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "align_ends.hpp"
#include "arrays.hpp"

namespace dedup {

// Aligns pairs of pages, one after the other.
class Aligner : PairEnds {
public:
    Aligner(Items items, Offsets page_first, const AlignSettings& settings)
        : PairEnds(items, page_first, settings) {}

    bool truncated() const { return truncated_; }

    // Verified passages of two pages, a's first; anchors are token numbers in each page. If they are to be judged, those that
    // a gate stops follow them, in the same order. Where two outcomes are equally good the first text decides; which one that is,
    // the texts say, not the order of the pages.
    std::vector<Rectangle> align(std::int64_t page_a, std::int64_t page_b, std::span<const std::int64_t> anchor_a,
                                 std::span<const std::int64_t> anchor_b, bool judge) {
        relief_.place();
        relief_.place();
        const Items a = page(page_a), b = page(page_b);
        const bool turned = std::lexicographical_compare(b.begin(), b.end(), a.begin(), a.end());
        if (turned) std::swap(page_a, page_b), std::swap(anchor_a, anchor_b);
        prepare(page_a, page_b);
        truncated_ = false;
        judge_ = judge;
        stopped_.clear();
        std::vector<Rectangle> found;
        limits_ = {0, size(0), 0, size(1)};
        for (Cluster& cluster : clusters(seeds(cells(anchor_a, anchor_b)), limits_)) rectangles(std::move(cluster), found);
        band_.clear();
        found = resolved(std::move(found));
        for (std::vector<Rectangle>* rows : {&found, &stopped_}) {
            for (Rectangle& r : *rows)
                if (turned) r.end = {r[2], r[3], r[0], r[1]};
            std::sort(rows->begin(), rows->end(), [](const Rectangle& x, const Rectangle& y) {
                return std::tie(x.end, x.gates) < std::tie(y.end, y.gates);
            });
        }
        found.insert(found.end(), stopped_.begin(), stopped_.end());
        forget();
        return found;
    }

    // What parts of one page share with parts of another: twice the shared weight, and the weight of both sides.
    std::pair<std::int64_t, std::int64_t> measure(std::int64_t page_a, std::int64_t page_b, Offsets a0, Offsets a1, Offsets b0,
                                                  Offsets b1) {
        relief_.place();
        relief_.place();
        prepare(page_a, page_b);
        check_ranges(a0, a1, size(0), "a");
        check_ranges(b0, b1, size(1), "b");
        Rectangle r;
        for (std::size_t i = 0; i < a0.size(); ++i)
            for (std::int64_t at = a0[i]; at < a1[i]; ++at) add(r, 0, id(0, at));
        for (std::size_t i = 0; i < b0.size(); ++i)
            for (std::int64_t at = b0[i]; at < b1[i]; ++at) add(r, 1, id(1, at));
        for (std::size_t i = 0; i < a0.size(); ++i)
            for (std::int64_t at = a0[i]; at < a1[i]; ++at) counts_[0][id(0, at)] = 0;
        for (std::size_t i = 0; i < b0.size(); ++i)
            for (std::int64_t at = b0[i]; at < b1[i]; ++at) counts_[1][id(1, at)] = 0;
        forget();
        return {r.shared2, r.total};
    }

private:
    // What the windows of a cluster cover; in one page the first range ends where the second one begins.
    Rectangle box(const Cluster& cluster) const {
        const Ends &at = cluster.starts, &limit = cluster.limits;
        Rectangle r{{std::max(at[0], limit[0]), std::min(window_end(0, at[1]), limit[1]), std::max(at[2], limit[2]),
                     std::min(window_end(1, at[3]), limit[3])}, 0, 0, 0};
        if (same_page_ && r[1] > r[2]) r[1] = r[2];
        return r;
    }

    // Clusters of the seeds inside a rectangle in one text, and before or behind it in the other: the middle of a window says
    // where it lies; of those before, or behind, one at least does with all of its tokens.
    void beside(const Cluster& cluster, const Rectangle& r, std::vector<Cluster>& out) {
        const auto side_of = [&](std::size_t end, std::int64_t start) {
            const std::int64_t middle = start + s_.window / 2;
            return middle < r[end] ? -1 : middle < r[end + 1] ? 0 : 1;
        };
        std::array<Starts, 4> rest;  // behind and before it in text A, and in text B
        std::array<bool, 4> whole{};
        for (const auto& seed : cluster.seeds) {
            const int a = side_of(0, seed.first), b = side_of(2, seed.second);
            if ((a == 0) == (b == 0)) continue;
            const std::size_t side = a != 0 ? 0 : 2;
            const std::int64_t start = a != 0 ? seed.first : seed.second;
            const bool behind = a + b > 0;
            const std::size_t part = side + !behind;
            rest[part].push_back(seed);
            whole[part] |= behind ? start >= r[side + 1] : start + s_.window <= r[side];
        }
        for (std::size_t part = 0; part < 4; ++part) {
            if (!whole[part]) continue;
            Ends limits = cluster.limits;
            const std::size_t side = part / 2 * 2;
            if (part % 2 == 0) limits[side] = r[side + 1];
            else limits[side + 1] = r[side];
            for (Cluster& more : clusters(rest[part], limits))
                if (more.seeds.size() > 1) out.push_back(std::move(more));
        }
    }

    // Steps 3 to 6 of a cluster. One text may stand twice beside one copy of it: their windows may be one cluster, but a
    // rectangle holds one copy. So the windows beside a rectangle that stands are tried again.
    void rectangles(Cluster cluster, std::vector<Rectangle>& found) {
        if (cluster.seeds.size() == 1 && !judge_) return;
        std::vector<Cluster> left;
        left.push_back(std::move(cluster));
        for (std::size_t next = 0; next < left.size(); ++next) {
            if (static_cast<std::int64_t>(next) == s_.tries) {
                truncated_ = true;
                break;
            }
            Rectangle r = box(left[next]);
            if (r.length(0) < 1 || r.length(1) < 1) continue;
            limits_ = left[next].limits;
            tie(left[next], r);
            load(r);
            move_ends(r, true);
            snap(r);
            unload(r);
            const auto gates = static_cast<std::uint8_t>((left[next].seeds.size() == 1 ? kWindows : 0) | gates_of(r));
            if (gates != 0) {
                stop(r, gates);
                continue;
            }
            found.push_back(r);
            const Cluster own = std::move(left[next]);  // `left` grows
            if (!same_page_) beside(own, r, left);
        }
    }

    // ---- step 6: gate ----

    std::int64_t evidence(const Rectangle& r) const { return r.shared2 * kThousand - s_.evidence_theta * r.total; }

    std::int64_t halves(const Rectangle& r, int side) const {
        std::int64_t sum = 0;
        for (std::int64_t i = r[2 * static_cast<std::size_t>(side)]; i < r[2 * static_cast<std::size_t>(side) + 1]; ++i)
            sum += side_items_[static_cast<std::size_t>(side)][static_cast<std::size_t>(i)] & kHalf ? 1 : 2;
        return sum;
    }

    // The gates that stop a rectangle.
    std::uint8_t gates_of(const Rectangle& r) const {
        const bool weak = r.total <= 0 || evidence(r) < s_.evidence * kRare;
        const bool unlike = r.shared2 * kThousand < s_.least_dice * r.total;
        if (!judge_ && (weak || unlike)) return kEvidence;  // any will do
        const bool too_short = std::max(halves(r, 0), halves(r, 1)) < s_.min_halves;
        return static_cast<std::uint8_t>((weak ? kEvidence : 0) | (unlike ? kDice : 0) | (too_short ? kLength : 0));
    }

    void stop(Rectangle r, std::uint8_t gates) {
        if (!judge_) return;
        r.gates = gates;
        stopped_.push_back(r);
    }

    // ---- step 7: overlaps ----

    static std::int64_t overlap(const Rectangle& x, const Rectangle& y, int side) {
        const auto s = 2 * static_cast<std::size_t>(side);
        return std::min(x[s + 1], y[s + 1]) - std::max(x[s], y[s]);
    }

    // S x Dice.
    std::int64_t rank(const Rectangle& r) const { return evidence(r) / kThousand * (r.shared2 * 65536 / r.total); }

    std::vector<Rectangle> resolved(std::vector<Rectangle> found) {
        std::sort(found.begin(), found.end(), [&](const Rectangle& x, const Rectangle& y) {
            const std::int64_t p = rank(x), q = rank(y);
            return p != q ? p > q : x.end < y.end;
        });
        std::vector<Rectangle> kept;
        Strips strips[2];
        for (const Rectangle& whole : found) {
            Rectangle r = whole;
            bool placed = false, merged = false, cut = false;
            if (!around(r, strips)) {
                truncated_ = true;
                stop(whole, kOverlap);
                continue;
            }
            for (const std::size_t k : around_) {
                Rectangle& better = kept[k];
                if (overlap(r, better, 0) <= 0 || overlap(r, better, 1) <= 0) continue;
                Rectangle both = better;
                for (std::size_t e = 0; e < 4; ++e) both[e] = e % 2 ? std::max(both[e], r[e]) : std::min(both[e], r[e]);
                if (!same_page_ || both[1] <= both[2]) {
                    load(both);
                    unload(both);
                    if (evidence(both) >= std::max(evidence(better), evidence(r))) {
                        better = both;
                        enter(better, k, strips);
                        merged = true;
                    }
                }
                placed = true;
                break;
            }
            if (placed && !merged) stop(whole, kOverlap);
            if (placed) continue;
            const bool again = dice(r) >= s_.again_dice;
            for (const std::size_t k : around_)
                for (int side = 0; side < 2 && !same_page_; ++side)
                    if (overlap(r, kept[k], side) > 0 && !(again && is_of(whole.end, kept[k].end, 2 * static_cast<std::size_t>(side))))
                        cut_off(r, kept[k], side), cut = true;
            if (cut && r.length(0) > 0 && r.length(1) > 0) {
                load(r);
                move_ends(r, false);
                unload(r);
                cut = gates_of(r) != 0;
            }
            if (cut) {
                stop(whole, kOverlap);
                continue;
            }
            enter(r, kept.size(), strips);
            kept.push_back(r);
        }
        return kept;
    }

    // Passages that touch each strip of kStrip tokens.
    using Strips = std::vector<std::vector<std::size_t>>;
    static constexpr std::int64_t kStrip = 1024;
    static constexpr std::size_t kCrowd = 1024;

    void enter(const Rectangle& r, std::size_t number, Strips* strips) const {
        for (std::size_t side = 0; side < (same_page_ ? 1 : 2); ++side) {
            if (strips[side].empty()) strips[side].resize(static_cast<std::size_t>(size(static_cast<int>(side)) / kStrip) + 1);
            for (std::int64_t s = r[2 * side] / kStrip; s <= (r[2 * side + 1] - 1) / kStrip; ++s)
                strips[side][static_cast<std::size_t>(s)].push_back(number);
        }
    }

    // Numbers of the passages that share a strip with one, ascending, into around_; false where they are too many.
    bool around(const Rectangle& r, const Strips* strips) {
        around_.clear();
        for (std::size_t side = 0; side < (same_page_ ? 1 : 2); ++side)
            for (std::int64_t s = r[2 * side] / kStrip; s <= (r[2 * side + 1] - 1) / kStrip && !strips[side].empty(); ++s)
                around_.insert(around_.end(), strips[side][static_cast<std::size_t>(s)].begin(), strips[side][static_cast<std::size_t>(s)].end());
        std::sort(around_.begin(), around_.end());
        around_.erase(std::unique(around_.begin(), around_.end()), around_.end());
        return around_.size() <= kCrowd;
    }

    // Takes a better passage's range out of one side; of what is left on both sides of it, the longer part stays.
    static void cut_off(Rectangle& r, const Rectangle& better, int side) {
        const auto s = 2 * static_cast<std::size_t>(side);
        const std::int64_t before = std::max<std::int64_t>(0, better[s] - r[s]), after = std::max<std::int64_t>(0, r[s + 1] - better[s + 1]);
        if (before >= after) r[s + 1] = r[s] + before;
        else r[s] = r[s + 1] - after;
    }

    bool judge_ = false;
    std::vector<Rectangle> stopped_;
    std::vector<std::size_t> around_;
};

// Passages of many pairs of pages: (pair, a0, a1, b0, b1, twice the shared weight, weight of both sides, gates that stop it;
// truncated or not of each pair). Pairs that have their larger page in common should stand together.
inline std::tuple<std::vector<std::int64_t>, std::vector<std::int64_t>, std::vector<std::int64_t>, std::vector<std::int64_t>,
                  std::vector<std::int64_t>, std::vector<std::int64_t>, std::vector<std::int64_t>, std::vector<std::uint8_t>,
                  std::vector<std::uint8_t>>
align_pairs(Items items, Offsets page_first, Offsets page_a, Offsets page_b, Offsets anchor_first, Offsets anchor_a,
            Offsets anchor_b, Offsets settings, bool judge) {
    Aligner aligner(items, page_first, AlignSettings::of(settings));
    std::vector<std::int64_t> pair, a0, a1, b0, b1, shared, total;
    std::vector<std::uint8_t> gates, truncated;
    truncated.resize(page_a.size());
    for (std::size_t p = 0; p < page_a.size(); ++p) {
        const auto begin = static_cast<std::size_t>(anchor_first[p]), end = static_cast<std::size_t>(anchor_first[p + 1]);
        for (const Rectangle& r : aligner.align(page_a[p], page_b[p], anchor_a.subspan(begin, end - begin),
                                                anchor_b.subspan(begin, end - begin), judge)) {
            pair.push_back(static_cast<std::int64_t>(p));
            a0.push_back(r[0]), a1.push_back(r[1]), b0.push_back(r[2]), b1.push_back(r[3]);
            shared.push_back(r.shared2), total.push_back(r.total), gates.push_back(r.gates);
        }
        truncated[p] = aligner.truncated();
    }
    return {std::move(pair), std::move(a0), std::move(a1), std::move(b0), std::move(b1), std::move(shared), std::move(total),
            std::move(gates), std::move(truncated)};
}

// What parts of pairs of pages share: those of pair p are rows first_a[p] to first_a[p + 1] on its a side, and so on.
inline std::tuple<std::vector<std::int64_t>, std::vector<std::int64_t>> measure_parts(
    Items items, Offsets page_first, Offsets page_a, Offsets page_b, Offsets first_a, Offsets a0, Offsets a1, Offsets first_b,
    Offsets b0, Offsets b1, Offsets settings) {
    Aligner aligner(items, page_first, AlignSettings::of(settings));
    std::vector<std::int64_t> shared(page_a.size()), total(page_a.size());
    for (std::size_t p = 0; p < page_a.size(); ++p) {
        const auto part = [p](Offsets first, Offsets column) {
            const auto begin = static_cast<std::size_t>(first[p]);
            return column.subspan(begin, static_cast<std::size_t>(first[p + 1]) - begin);
        };
        std::tie(shared[p], total[p]) = aligner.measure(page_a[p], page_b[p], part(first_a, a0), part(first_a, a1),
                                                        part(first_b, b0), part(first_b, b1));
    }
    return {std::move(shared), std::move(total)};
}

}  // namespace dedup
