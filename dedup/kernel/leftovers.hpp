// What counts and is in nothing found so far: the ends and overlaps that matches and segments leave.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "layers.hpp"
#include "token_bits.hpp"

namespace dedup {

// Two places of `length` equal tokens.
struct Match {
    std::int64_t a, b, length;
    bool operator<(const Match& o) const { return std::tie(a, b, length) < std::tie(o.a, o.b, o.length); }
};

using Stretch = std::pair<std::int64_t, std::int64_t>;  // tokens, half-open

// Segments of what the matches and the segments that are kept leave out.
class Leftovers {
public:
    // `told`: stretches that are told already, whether they count or not.
    Leftovers(std::span<const Match> matches, std::span<const Stretch> told, SegmentTable& kept, std::int64_t tokens, CountedLength counted,
              Offsets page_first)
        : matches_(matches), told_(told), kept_(kept), tokens_(tokens), counted_(counted), size_(counted.size()), page_first_(page_first) {}

    // Tokens of repeated grams or windows that are in nothing found that counts: places of one over each are one more segment.
    void keep(const std::vector<Layer>& layers) {
        TokenBits covered = covered_by_found();
        for (const Layer& layer : layers) {
            std::vector<std::pair<std::int64_t, std::int64_t>> needed;  // leader, place
            if (layer.named == Named::kByLast) cover_one_by_one(layer, covered, needed);
            else cover_far(layer, covered, needed);
            keep_classes(layer, std::move(needed));
        }
    }

private:
    TokenBits covered_by_found() const {
        constexpr std::size_t kLater = 16;  // matches: fetched before
        const bool all_count = counted_.is_gram();
        TokenBits covered(tokens_);
        for (const auto& [begin, end] : told_) covered.set(begin, end);
        Relief relief;
        for (std::size_t i = 0; i < matches_.size(); ++i) {
            const Match& m = matches_[i];
            relief.places(2);
            if (i + kLater < matches_.size()) covered.fetch(matches_[i + kLater].a), covered.fetch(matches_[i + kLater].b);
            if (!all_count && !counted_.is_enough(m.a, m.a + m.length)) continue;
            covered.set(m.a, m.a + m.length), covered.set(m.b, m.b + m.length);
        }
        for (std::size_t s = 0; s < kept_.length.size(); ++s) {
            const std::int64_t length = kept_.length[s], first = kept_.position[static_cast<std::size_t>(kept_.first[s])];
            if (!all_count && !counted_.is_enough(first, first + length)) continue;
            for (auto i = kept_.first[s]; i < kept_.first[s + 1]; ++i) {
                const std::int64_t at = kept_.position[static_cast<std::size_t>(i)];
                covered.set(at, at + length);
            }
        }
        return covered;
    }

    // Bare tokens from left to right, each by the last stretch over it that stands elsewhere, too. Where a stretch begins is looked at
    // once: of those up to a bare token no other one covers a later one.
    void cover_far(const Layer& layer, TokenBits& covered, std::vector<std::pair<std::int64_t, std::int64_t>>& needed) const {
        const auto end_of = [&](std::int64_t at) { return at + layer.length(at); };
        Relief relief;
        std::int64_t looked_at = 0;
        for (std::size_t r = 0; r < layer.runs.runs(); ++r) {
            relief.places(2);
            const std::int64_t last = layer.runs.run_end(r) - 1, stop = end_of(last);
            for (std::int64_t at = layer.runs.run_begin(r); at <= last; ++at) {
                const std::int64_t bare = covered.first_clear(at, stop);
                if (bare == stop) break;
                for (at = std::max({at, bare + 1 - counted_.most(), looked_at}); at <= bare && end_of(at) <= bare; ++at) {}
                const std::int64_t best = last_elsewhere(layer, at, bare);
                looked_at = bare + 1;
                if (best >= 0) {
                    covered.set(best, end_of(best));
                    needed.emplace_back(layer.runs.leader(best), best);
                } else {
                    at = bare;
                }
            }
        }
    }

    // The same for stretches of any begin, few of them.
    void cover_one_by_one(const Layer& layer, TokenBits& covered, std::vector<std::pair<std::int64_t, std::int64_t>>& needed) const {
        for (std::size_t r = 0; r < layer.runs.runs(); ++r)
            for (std::int64_t at = layer.runs.run_begin(r); at < layer.runs.run_end(r); ++at) {
                const std::int64_t begin = at - layer.inside(at).before, end = at + size_;
                if (covered.first_clear(begin, end) == end || !stands_elsewhere(layer, at)) continue;
                covered.set(begin, end);
                needed.emplace_back(layer.runs.leader(at), at);
            }
    }

    // The last stretch that begins in [first, last] and stands elsewhere, too; -1 if none does.
    std::int64_t last_elsewhere(const Layer& layer, std::int64_t first, std::int64_t last) const {
        for (std::int64_t at = last; at >= first; --at)
            if (layer.runs.leader(at) >= 0 && stands_elsewhere(layer, at)) return at;
        return -1;
    }

    bool stands_elsewhere(const Layer& layer, std::int64_t at) const {
        const std::int64_t leader = layer.runs.leader(at), length = layer.length(at);
        return at - leader >= length || layer.segments.last(leader) - at >= length;
    }

    // Segments of some places, given with their leaders, class by class; of places of one class that overlap, each is in another
    // one.
    void keep_classes(const Layer& layer, std::vector<std::pair<std::int64_t, std::int64_t>> needed) {
        std::sort(needed.begin(), needed.end());
        for (auto begin = needed.begin(), end = begin; begin != needed.end(); begin = end) {
            const std::vector<std::int64_t> own = layer.segments.members(begin->first);
            const Around around = layer.inside(begin->first);
            std::vector<std::int64_t> left, later;
            for (end = begin; end != needed.end() && end->first == begin->first; ++end) left.push_back(end->second);
            for (; !left.empty(); left.swap(later)) {
                later.clear();
                std::vector<std::int64_t> apart;
                for (const std::int64_t at : left)
                    (apart.empty() || at >= apart.back() + around.length(size_) ? apart : later).push_back(at);
                keep_beside(apart, own, around);
            }
        }
    }

    // A segment of some members of a class, none of which overlap, and of company for them: where one stands alone on its page,
    // the first other member there; where there is none either, the first member of every other page.
    void keep_beside(const std::vector<std::int64_t>& apart, const std::vector<std::int64_t>& members, const Around& around) {
        const std::int64_t length = around.length(size_);
        std::vector<std::int64_t> kept(apart);
        bool lonely = false;
        for (std::size_t i = 0; i < apart.size(); ++i) {
            const auto [begin, end] = page_around(page_first_, apart[i]);
            if ((i > 0 && apart[i - 1] >= begin) || (i + 1 < apart.size() && apart[i + 1] < end)) continue;
            auto at = std::lower_bound(members.begin(), members.end(), begin);
            while (at != members.end() && *at < end && std::abs(*at - apart[i]) < length) ++at;
            if (at != members.end() && *at < end) kept.push_back(*at);
            else lonely = true;
        }
        std::sort(kept.begin(), kept.end());
        if (lonely) {
            const std::vector<std::int64_t> there(kept);
            for (auto at = members.begin(); at != members.end();) {
                const auto [begin, end] = page_around(page_first_, *at);
                const auto own = std::lower_bound(there.begin(), there.end(), begin);
                if (own == there.end() || *own >= end) kept.push_back(*at);
                at = std::lower_bound(at, members.end(), end);
            }
            std::sort(kept.begin(), kept.end());
        }
        for (const std::int64_t at : kept) kept_.position.push_back(at - around.before);
        kept_.end_segment(length);
    }

    std::span<const Match> matches_;
    std::span<const Stretch> told_;
    SegmentTable& kept_;
    std::int64_t tokens_;
    CountedLength counted_;
    std::int64_t size_;
    Offsets page_first_;
};

}  // namespace dedup
