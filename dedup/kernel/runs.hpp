// Runs: verified links between the same two pages, in order and close together, become one passage.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <numeric>
#include <span>
#include <tuple>
#include <vector>

#include "arrays.hpp"
#include "memory.hpp"
#include "sets.hpp"

namespace dedup {

// Bounds of a run (design.md, "Runs"), in tokens and blocks.
struct RunLimits {
    std::int64_t max_edit;              // gap inside a passage: an edit
    std::int64_t max_gap_halves = 80;   // gap from block to block, in half tokens: unmatched or elsewhere-matched blocks
    std::int64_t max_gap_blocks = 3;
    std::int64_t look_back = 50;        // links tried as predecessor of one
};

struct Link {
    std::int64_t a0, a1, b0, b1;  // half-open token ranges in the two places, a0 <= b0 but where the link is turned
    std::int64_t page_a, page_b;
    bool exact;
    Link turned() const { return {b0, b1, a0, a1, page_b, page_a, exact}; }
    bool inside(const Link& o) const { return a0 >= o.a0 && a1 <= o.a1 && b0 >= o.b0 && b1 <= o.b1; }
};

// Finds the block of a token: where each block's first token is, and the block of every so-and-so-manieth token, one of a few blocks.
class Blocks {
public:
    explicit Blocks(Offsets first) : first_(first) {
        const std::int64_t count = static_cast<std::int64_t>(first.size()) - 1, tokens = first.back();
        shift_ = std::bit_width(static_cast<std::uint64_t>(kFew * tokens / std::max<std::int64_t>(count, 1)));
        near_.resize(static_cast<std::size_t>(tokens >> shift_) + 1);
        std::int64_t block = 0;
        for (std::size_t i = 0; i < near_.size(); ++i) {
            while (block < count && this->first(block + 1) <= static_cast<std::int64_t>(i) << shift_) ++block;
            near_[i] = static_cast<std::uint32_t>(block);
        }
    }

    std::int64_t first(std::int64_t block) const { return first_[static_cast<std::size_t>(block)]; }
    std::int64_t tokens(std::int64_t block) const { return first(block + 1) - first(block); }

    // The block that holds a token; of the place behind the last one, the number of blocks.
    std::int64_t of(std::int64_t token) const {
        std::int64_t block = near_[static_cast<std::size_t>(token >> shift_)];
        const std::int64_t count = static_cast<std::int64_t>(first_.size()) - 1;
        while (block < count && first(block + 1) <= token) ++block;
        return block;
    }

    // Whether a block begins, or the last one ends, at a token.
    bool is_border(std::int64_t token) const { return first(of(token)) == token; }

    // Whether a block that is marked lies in [begin, end) as a whole.
    bool holds(Bytes marked, std::int64_t begin, std::int64_t end) const {
        if (begin >= end) return false;
        std::int64_t block = of(begin);
        if (first(block) < begin) ++block;
        for (; block + 1 < static_cast<std::int64_t>(first_.size()) && first(block + 1) <= end; ++block)
            if (marked[static_cast<std::size_t>(block)] && tokens(block)) return true;
        return false;
    }

    // Blocks with tokens that lie in [begin, end), both being borders.
    std::int64_t between(std::int64_t begin, std::int64_t end) const {
        std::int64_t blocks = 0;
        for (std::int64_t at = begin; at < end && blocks < 1000; ++blocks) at = first(of(at) + 1);
        return blocks;
    }

private:
    static constexpr std::int64_t kFew = 2;  // blocks that are looked at, at least
    Offsets first_;
    int shift_ = 0;
    Mapped<std::uint32_t> near_;
};

// Length of ranges of tokens in half tokens; inside a block of mixed script, in proportion to the block's own.
inline Mapped<double> range_halves(const Blocks& blocks, Offsets halves, Offsets halves_before, Offsets t0, Offsets t1) {
    const auto before = [&](std::int64_t token) {
        const std::int64_t block = std::min(blocks.of(token), static_cast<std::int64_t>(halves.size()) - 1);
        const auto b = static_cast<std::size_t>(block);
        const auto count = static_cast<double>(std::max<std::int64_t>(blocks.tokens(block), 1));
        return static_cast<double>(halves_before[b]) + static_cast<double>((token - blocks.first(block)) * halves[b]) / count;
    };
    Mapped<double> out(t0.size(), 0);
    if (halves.empty()) return out;
    Relief relief;
    for_each_nearby(t0, [&](std::size_t i) {
        relief.places(2);
        out[i] = before(t1[i]) - before(t0[i]);
    });
    return out;
}

// Matched tokens of a run, at least, for each token of an edit / of a block that is left out.
inline constexpr std::int64_t kForEdited = 2, kForLeftOut = 4;
inline constexpr std::int64_t kFarLonger = 4;  // times: what such a link holds, no other run goes on with behind a gap
inline constexpr std::size_t kOpen = 64;  // links or runs that may hold a later one

// Links that cross are chained by their places in the first text. Which text that is, the texts say, and not the order of the
// pages: the one with the lesser digest. Links of the other order are turned, and turned back in the end.
class Runs {
public:
    Runs(Mapped<Link> links, const Blocks& blocks, Offsets halves, Hashes fingerprint, Bytes headline, Offsets page_first,
         Hashes digest, RunLimits limits)
        : links_(std::move(links)), blocks_(blocks), halves_(halves), fingerprint_(fingerprint), headline_(headline), page_first_(page_first),
          digest_(digest), limits_(limits) {}

    // Passages: (a0, a1, b0, b1, exact, joined, first part, part a0, a1, b0, b1).
    using Passages = std::tuple<Mapped<std::int64_t>, Mapped<std::int64_t>, Mapped<std::int64_t>,
                                Mapped<std::int64_t>, Mapped<std::uint8_t>, Mapped<std::uint8_t>,
                                Mapped<std::int64_t>, Mapped<std::int64_t>, Mapped<std::int64_t>,
                                Mapped<std::int64_t>, Mapped<std::int64_t>>;

    Passages joined() {
        for (Link& link : links_)
            if (digest_[static_cast<std::size_t>(link.page_b)] < digest_[static_cast<std::size_t>(link.page_a)]) link = link.turned();
        std::sort(links_.begin(), links_.end(), before);
        absorb(links_);
        for (std::size_t begin = 0, end; begin < links_.size(); begin = end) {
            for (end = begin + 1; end < links_.size() && links_[end].page_a == links_[begin].page_a &&
                                  links_[end].page_b == links_[begin].page_b;) ++end;
            chain(begin, end);
        }
        return passages();
    }

private:
    static bool before(const Link& x, const Link& y) {
        const auto low_x = std::min(x.page_a, x.page_b), low_y = std::min(y.page_a, y.page_b);
        const auto high_x = std::max(x.page_a, x.page_b), high_y = std::max(y.page_a, y.page_b);
        return std::tie(low_x, high_x, x.a0, x.b0, y.a1, y.b1, y.exact) < std::tie(low_y, high_y, y.a0, y.b0, x.a1, x.b1, x.exact);
    }

    // Drops those of the links, which are sorted, that lie inside another one in both places.
    static void absorb(Mapped<Link>& links) {
        Mapped<Link> kept, open;
        for (const Link& link : links) {
            if (!open.empty() && (open.back().page_a != link.page_a || open.back().page_b != link.page_b)) open.clear();
            std::erase_if(open, [&](const Link& o) { return o.a1 <= link.a0; });
            if (std::any_of(open.begin(), open.end(), [&](const Link& o) { return link.inside(o); })) continue;
            kept.push_back(link);
            if (open.size() < kOpen) open.push_back(link);
        }
        links.swap(kept);
    }

    // Cost of joining y after x, or -1.
    std::int64_t join_cost(const Link& x, const Link& y) const {
        if (y.a0 < x.a0 || y.b0 < x.b0 || y.a1 <= x.a1 || y.b1 <= x.b1) return -1;
        const std::int64_t gap_a = y.a0 - x.a1, gap_b = y.b0 - x.b1;
        if (gap_a < 0 || gap_b < 0) {
            const std::int64_t drift = std::abs(gap_a - gap_b), overlap = -std::min(gap_a, gap_b);
            const bool progress = overlap < std::min({y.a1 - y.a0, y.b1 - y.b0, x.a1 - x.a0, x.b1 - x.b0});
            return drift <= std::min({limits_.max_edit, length(x), length(y)}) && progress ? drift : -1;
        }
        if (x.page_a != x.page_b && blocks_.holds(headline_, x.a1, y.a0) && blocks_.holds(headline_, x.b1, y.b0)) return -1;
        const std::int64_t wider = std::max(gap_a, gap_b);
        if (wider <= std::min({limits_.max_edit, length(x), length(y)})) return gap_a + gap_b;
        if (wider > limits_.max_gap_halves || !outweighs(length(x), length(y), wider) || !bridges_blocks(x, y)) return -1;
        if (blocks_.between(x.a1, y.a0) > limits_.max_gap_blocks || blocks_.between(x.b1, y.b0) > limits_.max_gap_blocks)
            return -1;
        if (std::max(halves_between(x.a1, y.a0), halves_between(x.b1, y.b0)) > limits_.max_gap_halves) return -1;
        return gap_a + gap_b;
    }

    // Half tokens of the blocks that lie in [begin, end), both being borders.
    std::int64_t halves_between(std::int64_t begin, std::int64_t end) const {
        std::int64_t halves = 0;
        for (std::int64_t at = begin, block; at < end; at = blocks_.first(block + 1)) {
            block = blocks_.of(at);
            halves += halves_[static_cast<std::size_t>(block)];
        }
        return halves;
    }

    static std::int64_t length(const Link& x) { return std::min(x.a1 - x.a0, x.b1 - x.b0); }

    // Whether two matched stretches are enough to bridge blocks that are not: the longer one is no shorter than the gap.
    static bool outweighs(std::int64_t x, std::int64_t y, std::int64_t gap) {
        return gap <= std::max(x, y) && gap <= 4 * std::min(x, y);
    }

    // Whether the gap between two links goes from block border to block border on both sides.
    bool bridges_blocks(const Link& x, const Link& y) const {
        return blocks_.is_border(x.a1) && blocks_.is_border(y.a0) && blocks_.is_border(x.b1) && blocks_.is_border(y.b0);
    }

    // Each link's best predecessor and best successor; those that chose each other follow each other in a run.
    void chain(std::size_t begin, std::size_t end) {
        constexpr auto kNone = static_cast<std::size_t>(-1);
        const std::size_t n = end - begin;
        previous_.assign(n, kNone), next_.assign(n, kNone), next_cost_.assign(n, 0), used_.assign(n, 0);
        for (std::size_t i = 0; i < n; ++i) {
            std::int64_t best = -1;
            const std::size_t last = i > static_cast<std::size_t>(limits_.look_back) ? i - static_cast<std::size_t>(limits_.look_back) : 0;
            for (std::size_t j = i; j-- > last;) {
                const std::int64_t cost = join_cost(links_[begin + j], links_[begin + i]);
                if (cost < 0) continue;
                if (best < 0 || cost < best) best = cost, previous_[i] = j;
                if (next_[j] == kNone || cost < next_cost_[j]) next_[j] = i, next_cost_[j] = cost;
            }
        }
        for (std::size_t i = 0; i < n; ++i) {
            if (used_[i]) continue;
            Link run = links_[begin + i];
            pieces_.assign(1, run);
            std::int64_t matched = length(run), needed = 0;
            for (std::size_t at = i; next_[at] != kNone && previous_[next_[at]] == at; at = next_[at]) {
                const Link& more = links_[begin + next_[at]];
                if (used_[next_[at]] || (run.page_a == run.page_b && more.a1 > run.b0)) break;
                const std::int64_t gap = std::max<std::int64_t>({0, more.a0 - run.a1, more.b0 - run.b1});
                needed += gap * (bridges_blocks(run, more) ? kForLeftOut : kForEdited);
                matched += length(more);
                if (needed > matched) break;
                used_[next_[at]] = 1;
                add_after(run, pieces_, more);
            }
            extend(run, pieces_, std::span(links_).subspan(begin, n));
            whole_.push_back(run);
            const Link& link = links_[begin + i];
            joined_.push_back(run.a0 != link.a0 || run.a1 != link.a1 || run.b0 != link.b0 || run.b1 != link.b1);
            part_range_.emplace_back(parts_.size(), parts_.size() + pieces_.size());
            parts_.insert(parts_.end(), pieces_.begin(), pieces_.end());
        }
    }

    std::span<const Link> parts(std::size_t run) const {
        return std::span(parts_).subspan(part_range_[run].first, part_range_[run].second - part_range_[run].first);
    }

    // Appends a link to a run; what overlaps the run's last part is cut off the link's start.
    void add_after(Link& run, Mapped<Link>& pieces, Link more) const {
        const std::int64_t overlap = std::max<std::int64_t>({0, run.a1 - more.a0, run.b1 - more.b0});
        more.a0 += overlap, more.b0 += overlap;
        Link& last = pieces.back();
        run.a1 = more.a1, run.b1 = more.b1;
        run.exact = run.exact && more.exact;
        const bool touches = more.a0 == last.a1 && more.b0 == last.b1;
        if (touches || !bridges_blocks(last, more)) {  // an edit, not a block that is left out
            last.exact = last.exact && more.exact && touches;
            run.exact = run.exact && last.exact;
            last.a1 = more.a1, last.b1 = more.b1;
        } else {
            pieces.push_back(more);
        }
    }

    struct Step {
        std::int64_t a, b;  // blocks
        bool found;
    };

    // The nearest equal blocks beyond an end that lies on block borders, within the bounds of a gap.
    Step next_equal(const Link& last, std::int64_t a, std::int64_t b, std::int64_t step, std::int64_t a_low,
                    std::int64_t a_high, std::int64_t b_low, std::int64_t b_high) const {
        std::int64_t gap_a = 0, halves_a = 0, seen_a = 0;
        const bool one_page = last.page_a == last.page_b;  // there a headline is no border
        bool headline_a = false;
        for (std::int64_t i = a; i >= a_low && i < a_high; i += step) {
            const std::int64_t tokens_a = blocks_.tokens(i);
            if (tokens_a == 0) continue;
            std::int64_t gap_b = 0, halves_b = 0, seen_b = 0;
            bool headline_b = false;
            for (std::int64_t j = b; j >= b_low && j < b_high; j += step) {
                const std::int64_t tokens_b = blocks_.tokens(j);
                if (tokens_b == 0) continue;
                if (fingerprint_[static_cast<std::size_t>(i)] == fingerprint_[static_cast<std::size_t>(j)] &&
                    outweighs(length(last), tokens_a, std::max(gap_a, gap_b))) return {i, j, true};
                headline_b = headline_b || headline_[static_cast<std::size_t>(j)];
                if (!one_page && headline_a && headline_b) break;
                gap_b += tokens_b, halves_b += halves_[static_cast<std::size_t>(j)];
                if (++seen_b > limits_.max_gap_blocks || halves_b > limits_.max_gap_halves) break;
            }
            headline_a = headline_a || headline_[static_cast<std::size_t>(i)];
            gap_a += tokens_a, halves_a += halves_[static_cast<std::size_t>(i)];
            if (++seen_a > limits_.max_gap_blocks || halves_a > limits_.max_gap_halves) break;
        }
        return {0, 0, false};
    }

    // Whether equal blocks behind a gap are held by a far longer link than the run: they are that one's. A page's title would be
    // followed, over the menu and the headline of the first article, by all of this, as the headline of the second article is.
    bool is_held(std::span<const Link> links, const Link& run, const Link& more) const {
        auto link = std::upper_bound(links.begin(), links.end(), more.a0, [](std::int64_t at, const Link& x) { return at < x.a0; });
        for (std::int64_t tried = 0; tried < limits_.look_back && link != links.begin(); ++tried)
            if (length(*--link) > kFarLonger * length(run) && more.inside(*link)) return true;
        return false;
    }

    // Adds equal blocks, short ones too, that follow or precede the run in both places.
    void extend(Link& run, Mapped<Link>& pieces, std::span<const Link> links) const {
        const auto page_blocks = [&](std::int64_t page) {
            return std::pair{page_first_[static_cast<std::size_t>(page)], page_first_[static_cast<std::size_t>(page + 1)]};
        };
        const auto [a_low, a_high] = page_blocks(run.page_a);
        const auto [b_low, b_high] = page_blocks(run.page_b);
        const bool one_page = run.page_a == run.page_b;
        while (blocks_.is_border(run.a1) && blocks_.is_border(run.b1)) {
            const std::int64_t a_end = one_page ? blocks_.of(run.b0) : a_high;
            const Step step = next_equal(pieces.back(), blocks_.of(run.a1 - 1) + 1, blocks_.of(run.b1 - 1) + 1, 1, a_low,
                                         a_end, b_low, b_high);
            if (!step.found) break;
            const Link more = piece(step, run);
            if ((more.a0 > run.a1 || more.b0 > run.b1) && is_held(links, run, more)) break;
            add_after(run, pieces, more);
        }
        while (blocks_.is_border(run.a0) && blocks_.is_border(run.b0)) {
            const std::int64_t b_start = one_page ? blocks_.of(run.a1 - 1) + 1 : b_low;
            const Step step = next_equal(pieces.front(), blocks_.of(run.a0) - 1, blocks_.of(run.b0) - 1, -1, a_low, a_high,
                                         b_start, b_high);
            if (!step.found) break;
            const Link more = piece(step, run);
            if ((more.a1 < run.a0 || more.b1 < run.b0) && is_held(links, run, more)) break;
            run.a0 = more.a0, run.b0 = more.b0;
            Link& head = pieces.front();
            if (more.a1 == head.a0 && more.b1 == head.b0) head.a0 = more.a0, head.b0 = more.b0;
            else pieces.insert(pieces.begin(), more);
        }
    }

    Link piece(const Step& step, const Link& run) const {
        return {blocks_.first(step.a), blocks_.first(step.a + 1), blocks_.first(step.b), blocks_.first(step.b + 1),
                run.page_a, run.page_b, true};
    }

    // All runs in order. One that lies inside another one is without the parts at its ends that lie in one of the other's: a paragraph
    // that changed places with its neighbour is no run with those behind both. If that were all, it is left out.
    Passages passages() {
        Mapped<std::size_t> order(whole_.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        const auto ascending = [&](std::size_t x, std::size_t y) { return before(whole_[x], whole_[y]); };
        std::stable_sort(order.begin(), order.end(), ascending);
        Mapped<std::size_t> open, kept;
        Relief relief;
        for (const std::size_t i : order) {
            relief.place();
            Link& run = whole_[i];
            std::erase_if(open, [&](std::size_t o) {
                return whole_[o].page_a != run.page_a || whole_[o].page_b != run.page_b || whole_[o].a1 <= run.a0;
            });
            for (const std::size_t o : open)
                if (run.inside(whole_[o])) cut_off(i, o);
            if (parts(i).empty()) continue;
            run.a0 = parts(i).front().a0, run.b0 = parts(i).front().b0, run.a1 = parts(i).back().a1, run.b1 = parts(i).back().b1;
            if (open.size() < kOpen) open.push_back(i);
            kept.push_back(i);
        }
        std::stable_sort(kept.begin(), kept.end(), ascending);
        return as_columns(std::move(kept));
    }

    // Takes from the ends of a run the parts that lie in a part of another one.
    void cut_off(std::size_t run, std::size_t other) {
        const auto lies_inside = [&](const Link& part) {
            return std::any_of(parts(other).begin(), parts(other).end(), [&](const Link& p) { return part.inside(p); });
        };
        auto& [begin, end] = part_range_[run];
        while (begin < end && lies_inside(parts_[begin])) ++begin;
        while (begin < end && lies_inside(parts_[end - 1])) --end;
    }

    // The columns of runs, which are in order but where they are turned, as those of links that are not.
    Passages as_columns(Mapped<std::size_t> kept) {
        const auto pages = [&](std::size_t run) { return std::tie(whole_[run].page_a, whole_[run].page_b); };
        for (auto begin = kept.begin(), end = begin; begin != kept.end(); begin = end) {
            end = std::find_if(begin, kept.end(), [&](std::size_t run) { return pages(run) != pages(*begin); });
            if (whole_[*begin].page_a <= whole_[*begin].page_b) continue;
            for (auto run = begin; run != end; ++run) {
                whole_[*run] = whole_[*run].turned();
                for (auto [p, end] = part_range_[*run]; p < end; ++p) parts_[p] = parts_[p].turned();
            }
            std::stable_sort(begin, end, [&](std::size_t x, std::size_t y) { return before(whole_[x], whole_[y]); });
        }
        Passages out;
        auto& [a0, a1, b0, b1, exact, joined, first, pa0, pa1, pb0, pb1] = out;
        for (auto* column : {&a0, &a1, &b0, &b1, &pa0, &pa1, &pb0, &pb1}) column->reserve(kept.size());
        first.push_back(0);
        Relief relief;
        for (const std::size_t i : kept) {
            relief.place();
            const Link& run = whole_[i];
            a0.push_back(run.a0), a1.push_back(run.a1), b0.push_back(run.b0), b1.push_back(run.b1);
            exact.push_back(run.exact);
            joined.push_back(joined_[i]);
            for (const Link& part : parts(i))
                pa0.push_back(part.a0), pa1.push_back(part.a1), pb0.push_back(part.b0), pb1.push_back(part.b1);
            first.push_back(static_cast<std::int64_t>(pa0.size()));
        }
        return out;
    }

    Mapped<Link> links_;
    const Blocks& blocks_;
    Offsets halves_;
    Hashes fingerprint_;
    Bytes headline_;
    Offsets page_first_;
    Hashes digest_;  // of the text of each page
    RunLimits limits_;

    Mapped<Link> whole_, parts_;  // runs, and their matched stretches
    Mapped<std::pair<std::size_t, std::size_t>> part_range_;  // those of each run: the first, and the one behind the last
    Mapped<std::uint8_t> joined_;  // the run is not just the link it began with
    Mapped<std::size_t> previous_, next_;
    Mapped<std::int64_t> next_cost_;
    Mapped<std::uint8_t> used_;
    Mapped<Link> pieces_;
};

}  // namespace dedup
