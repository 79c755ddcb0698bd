// Places: the bytes and code points of ranges of tokens, their lengths, and whether their texts are equal.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <numeric>
#include <cstring>
#include <string_view>
#include <tuple>
#include <vector>

#include "arrays.hpp"
#include "bins.hpp"
#include "memory.hpp"
#include "positions.hpp"
#include "sets.hpp"
#include "tokenise.hpp"

namespace dedup {

inline std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

// Finds the block of a token, from the one found last: most are asked for in order.
class BlockFinder {
public:
    explicit BlockFinder(Offsets first) : first_(first) {}

    std::int64_t of(std::int64_t token) {
        std::size_t low = at_, high = at_ + 1;
        if (first_[at_] > token) {
            for (std::size_t step = 1; low > 0 && first_[low] > token; step *= 2) high = low, low -= std::min(low, step);
        } else {
            for (std::size_t step = 1; high < first_.size() && first_[high] <= token; step *= 2) low = high, high += step;
            high = std::min(high, first_.size());
        }
        const auto found = std::upper_bound(first_.begin() + static_cast<std::ptrdiff_t>(low),
                                            first_.begin() + static_cast<std::ptrdiff_t>(high), token);
        at_ = static_cast<std::size_t>(found - first_.begin()) - 1;
        return static_cast<std::int64_t>(at_);
    }

private:
    Offsets first_;
    std::size_t at_ = 0;
};

inline constexpr std::string_view kClosing[] = {".", "!", "?", ",", ";", ":", ")", "]", "}", "\"", "'", "…", "»", "”", "’", "›",
                                                "。", "！", "？", "、", "，", "；", "：", "）", "」", "』", "］", "】", "》", "〉"};
inline constexpr std::string_view kOpening[] = {"(", "[", "{", "\"", "'", "«", "“", "‘", "„", "‹", "¿", "¡",
                                                "（", "「", "『", "［", "【", "《", "〈"};
inline constexpr int kMaxMarks = 4;  // closing or opening marks taken in

// Of bytes: whether one begins a closing mark, or ends an opening one.
template <bool kClose>
constexpr std::array<bool, 256> edges_of(std::span<const std::string_view> marks) {
    std::array<bool, 256> out{};
    for (const std::string_view mark : marks) out[static_cast<std::uint8_t>(kClose ? mark.front() : mark.back())] = true;
    return out;
}
inline constexpr std::array<bool, 256> kClosingEdge = edges_of<true>(kClosing), kOpeningEdge = edges_of<false>(kOpening);

// Moves a byte offset over the marks that stand behind it (closing ones) or before it (opening ones), not beyond a limit.
template <bool kClose>
std::int64_t with_marks(Bytes text, std::int64_t at, std::int64_t limit) {
    const auto& edge = kClose ? kClosingEdge : kOpeningEdge;
    const auto marks = kClose ? std::span<const std::string_view>(kClosing) : std::span<const std::string_view>(kOpening);
    for (int taken = 0; taken < kMaxMarks; ++taken) {
        const std::int64_t room = kClose ? limit - at : at - limit;
        if (room <= 0 || !edge[text[index(kClose ? at : at - 1)]]) break;
        const auto stands = [&](std::string_view mark) {
            const auto size = static_cast<std::int64_t>(mark.size());
            return size <= room && std::memcmp(text.data() + (kClose ? at : at - size), mark.data(), mark.size()) == 0;
        };
        const auto mark = std::find_if(marks.begin(), marks.end(), stands);
        if (mark == marks.end()) break;
        at += static_cast<std::int64_t>(kClose ? mark->size() : -mark->size());
    }
    return at;
}

// An end of a range that lies inside a block: its token, and the row that it belongs to.
struct Edge {
    std::uint64_t token;
    std::uint32_t row;
};

// Takes the edges of tokens below a number from the front of some that ascend by token.
inline std::span<const Edge> take_below(std::span<const Edge>& edges, std::uint64_t token) {
    std::size_t count = 0;
    while (count < edges.size() && edges[count].token < token) ++count;
    const auto taken = edges.first(count);
    edges = edges.subspan(count);
    return taken;
}

// Writes the bytes of edges of one block, begins and ends of ranges; each ascend by token.
struct EdgeSink {
    std::span<const Edge> begins, ends;
    std::uint64_t token;  // the next one
    Mapped<std::int64_t>&begin, &end;

    bool done() const { return begins.empty() && ends.empty(); }
    void ascii(std::int64_t from, std::int64_t to) {
        for (; !begins.empty() && begins.front().token == token; begins = begins.subspan(1)) begin[begins.front().row] = from;
        for (; !ends.empty() && ends.front().token == token; ends = ends.subspan(1)) end[ends.front().row] = to;
        ++token;
    }
    void content(const std::uint8_t*, std::int64_t, std::int64_t from, std::int64_t to, bool) { ascii(from, to); }
    // Words of a window behind which the next edge is are counted, not gone over.
    void words(std::int64_t base, std::uint64_t starts, std::uint64_t finishes) {
        const std::uint64_t behind = token + static_cast<std::uint64_t>(count_bits(finishes));
        const auto is_behind = [behind](std::span<const Edge> edges) { return edges.empty() || edges.front().token >= behind; };
        if (is_behind(begins) && is_behind(ends)) {
            token = behind;
            return;
        }
        for (; finishes; finishes &= finishes - 1, starts &= starts - 1) ascii(base + lowest_bit(starts), base + lowest_bit(finishes));
    }
};

// How many of some ascending numbers are not above each place: the row of the last one of these, and one more. Some places are looked
// up side by side, step by step, so that the memory of one is fetched while another one is looked at.
inline Mapped<std::int64_t> counts_up_to(Offsets ascending, Offsets place) {
    constexpr std::size_t kSide = 16;
    Mapped<std::int64_t> out(place.size());
    const std::int64_t* const numbers = ascending.data();
    for (std::size_t begin = 0; begin < place.size(); begin += kSide) {
        const std::size_t count = std::min(kSide, place.size() - begin);
        const std::int64_t* const wanted = place.data() + begin;
        std::array<std::size_t, kSide> low{};
        for (std::size_t left = ascending.size(); left > 1;) {  // each place's is one of the `left` behind its `low`, or none of them
            const std::size_t half = left / 2;
            left -= half;
            for (std::size_t k = 0; k < count; ++k) low[k] += numbers[low[k] + half - 1] <= wanted[k] ? half : 0;
            for (std::size_t k = 0; k < count; ++k) DEDUP_PREFETCH(numbers + low[k] + left / 2 - (left > 1));
        }
        for (std::size_t k = 0; k < count; ++k)
            out[begin + k] = static_cast<std::int64_t>(low[k]) + (!ascending.empty() && numbers[low[k]] <= wanted[k]);
    }
    return out;
}

// Where ranges of tokens stand: blocks of the first and the last token, bytes with the marks around them, code points before these.
struct Located {
    explicit Located(std::size_t count)
        : first(count), last(count), begin(count), finish(count), begin_chars(count), finish_chars(count) {}
    Mapped<std::int64_t> first, last, begin, finish, begin_chars, finish_chars;
};

// Blocks of a text: bytes of each, and code points before these.
struct BlockEdges {
    Offsets start, end, start_chars, end_chars;
};

// The code points before places in a block that are asked for about in order: each stretch of text is counted once, or, in text of one
// byte a code point, not at all.
class CharCounter {
public:
    CharCounter(Bytes text, const BlockEdges& blocks) : text_(text), blocks_(blocks) {}

    std::int64_t before(std::int64_t place, std::int64_t block) {
        const std::size_t b = index(block);
        if (place == blocks_.end[b]) return blocks_.end_chars[b];
        if (blocks_.end_chars[b] - blocks_.start_chars[b] == blocks_.end[b] - blocks_.start[b])
            return blocks_.start_chars[b] + place - blocks_.start[b];
        if (block != block_) block_ = block, at_ = blocks_.start[b], count_ = blocks_.start_chars[b];
        count_ += place >= at_ ? count_code_points(text_, at_, place) : -count_code_points(text_, place, at_);
        at_ = place;
        return count_;
    }

private:
    Bytes text_;
    const BlockEdges& blocks_;
    std::int64_t block_ = -1, at_ = 0, count_ = 0;
};

// Blocks that hold ends of ranges are cut into tokens again, each once.
inline Located locate(Bytes text, const BlockEdges& blocks, Offsets token_first, std::uint32_t flags, Offsets t0, Offsets t1) {
    Located out(t0.size());
    auto& [first, last, begin, finish, begin_chars, finish_chars] = out;
    Scratch<Edge> of_begins;
    Scratch<Edge, 1> of_ends;
    Mapped<Edge>&begins = of_begins.values(), &ends = of_ends.values();
    BlockFinder of_first(token_first), of_last(token_first);
    Relief relief;
    for_each_nearby(t0, [&](std::size_t i) {
        relief.places(2);
        const std::size_t a = index(first[i] = of_first.of(t0[i]));
        const std::size_t b = index(last[i] = t1[i] <= token_first[a + 1] ? first[i] : of_last.of(t1[i] - 1));
        if (std::max(a, b) >= blocks.start.size()) throw std::invalid_argument("token_first must ascend");
        begin[i] = blocks.start[a], finish[i] = blocks.end[b];
        begin_chars[i] = blocks.start_chars[a], finish_chars[i] = blocks.end_chars[b];
        if (t0[i] > token_first[a]) begins.push_back({static_cast<std::uint64_t>(t0[i]), static_cast<std::uint32_t>(i)});
        if (t1[i] < token_first[b + 1]) ends.push_back({static_cast<std::uint64_t>(t1[i] - 1), static_cast<std::uint32_t>(i)});
    });
    for (Mapped<Edge>* const edges : {&begins, &ends}) {
        const auto before = [](const Edge& x, const Edge& y) { return x.token < y.token; };
        if (std::is_sorted(edges->begin(), edges->end(), before)) continue;  // as begins most often are
        const auto [least, most] = std::minmax_element(edges->begin(), edges->end(), before);
        radix_sort_by_bins(std::span(*edges), std::bit_width(most->token - least->token),
                           [base = least->token](const Edge& edge) { return edge.token - base; });
    }
    SlowCutter slow(Folds::of(flags));
    CharCounter chars(text, blocks);
    for (std::span<const Edge> left_begins = begins, left_ends = ends; !left_begins.empty() || !left_ends.empty();) {
        const bool at_end = left_begins.empty() || (!left_ends.empty() && left_ends.front().token < left_begins.front().token);
        const std::int64_t block = at_end ? last[left_ends.front().row] : first[left_begins.front().row];
        const std::int64_t start = blocks.start[index(block)], end = blocks.end[index(block)];
        if (start < 0 || end < start || index(end) > text.size()) throw std::invalid_argument("a block is not within the text");
        const auto behind = static_cast<std::uint64_t>(token_first[index(block) + 1]);
        auto own_begins = take_below(left_begins, behind), own_ends = take_below(left_ends, behind);
        if (own_begins.empty() && own_ends.empty()) throw std::invalid_argument("token_first must ascend");
        EdgeSink sink{own_begins, own_ends, static_cast<std::uint64_t>(token_first[index(block)]), begin, finish};
        cut_range(text, start, end, slow, sink);
        if (!sink.done()) throw std::invalid_argument("token_first: a block has fewer tokens");
        while (!own_begins.empty() || !own_ends.empty()) {
            relief.place();
            if (own_ends.empty() || (!own_begins.empty() && own_begins.front().token <= own_ends.front().token)) {
                const std::size_t i = own_begins.front().row;
                begin_chars[i] = chars.before(begin[i] = with_marks<false>(text, begin[i], start), block);
                own_begins = own_begins.subspan(1);
            } else {
                const std::size_t i = own_ends.front().row;
                finish_chars[i] = chars.before(finish[i] = with_marks<true>(text, finish[i], end), block);
                own_ends = own_ends.subspan(1);
            }
        }
    }
    return out;
}

// Fetches a stretch of text that is soon looked at; what is behind its first lines the processor fetches by itself.
inline void fetch_text(Bytes text, std::int64_t begin, std::int64_t end) {
    for (std::int64_t at = begin; at < std::min(end, begin + 256); at += 64) DEDUP_PREFETCH(text.data() + at);
}

// Code points before byte positions, each of which lies in a block: from the block's edges where it is short or of one byte a
// code point; else positions are taken in order, so that a long line is gone over once. All are looked up about in order, so
// that those beside each other are in memory at one time.
inline Mapped<std::int64_t> chars_at(Bytes text, Offsets start, Offsets end, Offsets start_chars, Offsets end_chars,
                                     Offsets block, Offsets position) {
    constexpr std::int64_t kShort = 1024;
    Mapped<std::int64_t> out(position.size());
    Mapped<std::size_t> far;
    Relief relief;
    for_each_nearby(position, [&](std::size_t i) {
        relief.place();
        const std::size_t b = index(block[i]);
        const std::int64_t p = position[i];
        if (p < start[b] || p > end[b]) throw std::invalid_argument("position: one is not in its block");
        if (end_chars[b] - start_chars[b] == end[b] - start[b]) out[i] = start_chars[b] + p - start[b];
        else if (p == end[b]) out[i] = end_chars[b];
        else if (p - start[b] <= kShort) out[i] = start_chars[b] + count_code_points(text, start[b], p);
        else far.push_back(i);
    }, [&](std::size_t i) { fetch_text(text, start[index(block[i])], position[i]); });
    std::sort(far.begin(), far.end(), [&](std::size_t x, std::size_t y) { return position[x] < position[y]; });
    std::int64_t at = -1, count = 0;  // the position before
    for (const std::size_t i : far) {
        const std::size_t b = index(block[i]);
        if (at < start[b]) at = start[b], count = start_chars[b];
        count += count_code_points(text, at, position[i]);
        at = position[i];
        out[i] = count;
    }
    return out;
}

// Texts that consist of parts, those of span s are first[s]..first[s+1]. Few of very many may be asked for: these alone are checked.
struct SpanParts {
    Bytes text;
    Offsets start, end, first;

    // The parts of a span: the first one, and the one behind the last.
    std::pair<std::size_t, std::size_t> of(std::int64_t span) const {
        const std::int64_t begin = first[index(span)], finish = first[index(span) + 1];
        if (begin < 0 || finish < begin || index(finish) > start.size()) throw std::invalid_argument("first must ascend from 0");
        for (std::size_t part = index(begin); part < index(finish); ++part)
            if (start[part] < 0 || end[part] < start[part] || index(end[part]) > text.size())
                throw std::invalid_argument("a part is not within the text");
        return {index(begin), index(finish)};
    }

    // Have the numbers of a span's parts fetched, the ends of its first part, and its text, each when the one before is there.
    void fetch_number(std::int64_t span) const { DEDUP_PREFETCH(first.data() + span); }
    void fetch_ends(std::int64_t span) const {
        DEDUP_PREFETCH(start.data() + first[index(span)]);
        DEDUP_PREFETCH(end.data() + first[index(span)]);
    }
    void fetch(std::int64_t span) const {
        if (const std::size_t part = index(first[index(span)]); part < start.size()) fetch_text(text, start[part], end[part]);
    }
};

// Whether spans a[i] and b[i] have as many parts and equal tokens in each.
inline Mapped<std::uint8_t> equal_spans(const SpanParts& spans, Offsets a, Offsets b, std::uint32_t flags) {
    Mapped<std::uint8_t> out(a.size());
    TokenEquality equal(spans.text, spans.text, flags);
    constexpr std::size_t kAhead = 8;
    Relief relief;
    for (std::size_t i = 0; i < a.size(); ++i) {
        relief.place();
        for (const Offsets side : {a, b}) {
            if (i + 3 * kAhead < a.size()) spans.fetch_number(side[i + 3 * kAhead]);
            if (i + 2 * kAhead < a.size()) spans.fetch_ends(side[i + 2 * kAhead]);
            if (i + kAhead < a.size()) spans.fetch(side[i + kAhead]);
        }
        const auto [x, x_end] = spans.of(a[i]);
        const auto [y, y_end] = spans.of(b[i]);
        bool same = x_end - x == y_end - y;
        for (std::size_t j = 0; j < x_end - x && same && x != y; ++j)
            same = equal(spans.start[x + j], spans.end[x + j], spans.start[y + j], spans.end[y + j]);
        out[i] = same;
    }
    return out;
}

// The rows of ranges, one range after the other, and where each begins there. Only the ranges asked for are looked at: they may be
// few of very many.
inline std::tuple<Mapped<std::int64_t>, Mapped<std::int64_t>> take_ranges(Offsets first, Offsets ranges) {
    Mapped<std::int64_t> begins(ranges.size() + 1, 0), from(ranges.size());
    Relief relief;
    for_each_nearby(ranges, [&](std::size_t i) {
        relief.place();
        from[i] = first[index(ranges[i])];
        const std::int64_t end = first[index(ranges[i]) + 1];
        if (from[i] < 0 || end < from[i]) throw std::invalid_argument("first must ascend from 0");
        begins[i + 1] = end - from[i];
    });
    for (std::size_t i = 0; i < ranges.size(); ++i) begins[i + 1] += begins[i];
    Mapped<std::int64_t> rows(index(begins.back()));
    for (std::size_t i = 0; i < ranges.size(); ++i)
        std::iota(rows.begin() + begins[i], rows.begin() + begins[i + 1], from[i]);
    return {std::move(rows), std::move(begins)};
}

// Length covered by ranges of each owner, each point counted once, for each choice c (rows with bit c): out[c * owners + owner]; behind
// these the same of the ranges as `inner` has them, counted otherwise, but in the same order. Ranges of different owners do not overlap.
inline Mapped<std::int64_t> covered(Offsets start, Offsets end, Offsets inner_start, Offsets inner_end, Offsets owner,
                                    std::span<const std::uint8_t> chosen, std::int64_t choices, std::int64_t owners) {
    struct Range {
        std::int64_t start, end, inner_start, inner_end;
        std::uint32_t owner, chosen;
    };
    Mapped<std::int64_t> out(index(2 * choices * owners), 0);
    std::array<std::int64_t, 8> reached{}, inner_reached{};
    const auto make = [&](std::size_t i) {
        return Range{start[i], end[i], inner_start[i], inner_end[i], static_cast<std::uint32_t>(owner[i]), chosen[i]};
    };
    const auto add = [](std::int64_t& sum, std::int64_t begin, std::int64_t finish, std::int64_t& until) {
        sum += std::max<std::int64_t>(0, finish - std::max(begin, until));
        until = std::max(until, finish);
    };
    rows_in_order<Range>(start, &Range::start, make, [&](std::span<const Range> ranges) {
        for (const Range& range : ranges)
            for (std::int64_t c = 0; c < choices; ++c) {
                if (!(range.chosen >> c & 1)) continue;
                add(out[index(c * owners) + range.owner], range.start, range.end, reached[index(c)]);
                add(out[index((choices + c) * owners) + range.owner], range.inner_start, range.inner_end, inner_reached[index(c)]);
            }
    });
    return out;
}

}  // namespace dedup
