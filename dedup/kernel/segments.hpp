// Repeated grams as runs, and the segments over which their classes go in lock-step.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <vector>

#include "memory.hpp"
#include "sets.hpp"
#include "token_bits.hpp"

namespace dedup {

// All repeated grams of a collection. In a run, grams stand one after the other, and so do the first members of their classes,
// the leaders: whatever is equal in two runs stays equal to the end of the shorter one.
class RepeatedGrams {
public:
    RepeatedGrams() = default;

    // Runs that ascend by position; those that go on with the next one are joined.
    RepeatedGrams(std::span<const std::uint32_t> position, std::span<const std::uint32_t> leader,
                  std::span<const std::uint32_t> length) {
        runs_.reserve(position.size());
        for (std::size_t i = 0; i < position.size(); ++i) {
            const Run run{position[i], leader[i], position[i] + length[i]};
            if (run.end <= run.begin || run.leader > run.begin || (i > 0 && run.begin < runs_.back().end))
                throw std::invalid_argument("runs: they must ascend, and none may be empty or stand before its leader");
            count_ += length[i];
            const bool goes_on = i > 0 && run.begin == runs_.back().end && leader_in(runs_.back(), run.begin) == run.leader;
            if (goes_on) runs_.back().end = run.end;
            else runs_.push_back(run);
        }
        near_.reserve(static_cast<std::size_t>(end() / kStep) + 1);
        std::size_t run = 0;
        for (std::int64_t at = 0; at <= end(); at += kStep) {
            while (run < runs_.size() && runs_[run].end <= at) ++run;
            near_.push_back(static_cast<std::uint32_t>(run));
        }
    }

    std::int64_t count() const { return count_; }
    std::size_t runs() const { return runs_.size(); }
    std::int64_t run_begin(std::size_t run) const { return runs_[run].begin; }
    std::int64_t run_end(std::size_t run) const { return runs_[run].end; }
    std::int64_t run_leader(std::size_t run) const { return runs_[run].leader; }
    bool leads(std::size_t run) const { return runs_[run].leader == runs_[run].begin; }

    // One behind the last gram's position.
    std::int64_t end() const { return runs_.empty() ? 0 : runs_.back().end; }

    // The first member of the class of the gram that stands somewhere, -1 if that is none of the repeated ones.
    std::int64_t leader(std::int64_t position) const {
        if (position < 0 || position >= end()) return -1;
        const Run& run = runs_[find(position)];
        return run.begin <= position ? leader_in(run, position) : -1;
    }

    // For who looks at a position a little later: first what finds its run, then the run.
    void fetch_near(std::int64_t position) const { DEDUP_PREFETCH(near_.data() + position / kStep); }
    void fetch_run(std::int64_t position) const { DEDUP_PREFETCH(runs_.data() + near_[static_cast<std::size_t>(position / kStep)]); }

    // How many grams from two equal ones on are equal, `enough` or more if it is as many.
    std::int64_t equal_from(std::int64_t a, std::int64_t b, std::int64_t enough = INT64_MAX) const {
        std::size_t x = find(a), y = find(b);
        for (std::int64_t count = 0;;) {
            const std::int64_t step = std::min(runs_[x].end - a, runs_[y].end - b);
            a += step, b += step, count += step;
            if (count >= enough) return count;
            x += a == runs_[x].end, y += b == runs_[y].end;
            if (x == runs_.size() || y == runs_.size() || runs_[x].begin > a || runs_[y].begin > b ||
                leader_in(runs_[x], a) != leader_in(runs_[y], b)) return count;
        }
    }

    // How many grams before two equal ones are equal, `enough` or more if it is as many.
    std::int64_t equal_before(std::int64_t a, std::int64_t b, std::int64_t enough = INT64_MAX) const {
        std::size_t x = find(a), y = find(b);
        for (std::int64_t count = 0;;) {
            const std::int64_t step = std::min(a - runs_[x].begin, b - runs_[y].begin);
            a -= step, b -= step, count += step;
            if (count >= enough) return count;
            if (!step_back(x, a) || !step_back(y, b) || leader_in(runs_[x], a - 1) != leader_in(runs_[y], b - 1)) return count;
        }
    }

private:
    static constexpr std::int64_t kStep = 64;
    struct Run {
        std::uint32_t begin, leader, end;
    };

    static std::int64_t leader_in(const Run& run, std::int64_t position) { return run.leader + (position - run.begin); }

    // The first run that ends behind a position that is before the end of all.
    std::size_t find(std::int64_t position) const {
        std::size_t run = near_[static_cast<std::size_t>(position / kStep)];
        while (runs_[run].end <= position) ++run;
        return run;
    }

    // Moves to the run of the gram before a position of a run, if there is one.
    bool step_back(std::size_t& run, std::int64_t position) const {
        if (position > runs_[run].begin) return true;
        return run > 0 && runs_[run - 1].end == position && run-- > 0;
    }

    Mapped<Run> runs_;
    Mapped<std::uint32_t> near_;  // of every so manieth token the run that `find` begins with
    std::int64_t count_ = 0;
};

// Segments: maximal stretches over which the classes of consecutive grams go in lock-step, so that all members of the
// first class continue as members of the last. All places of a repeated stretch are in one segment, whatever their number.
class Segments {
public:
    // A segment ends where any run over its leaders begins or ends.
    explicit Segments(const RepeatedGrams& grams) : starts_(grams.end() + 1) {
        Relief relief;
        for (std::size_t r = 0; r < grams.runs(); ++r) {
            relief.place();
            if (r + kAhead < grams.runs()) starts_.fetch(grams.run_leader(r + kAhead));
            starts_.set(grams.run_leader(r));
            starts_.set(grams.run_leader(r) + grams.run_end(r) - grams.run_begin(r));
        }
        clear_all_but_leaders(grams);
        before_ = starts_.before_words();
        for (std::size_t r = 0; r < grams.runs(); ++r)
            if (grams.leads(r)) cut(grams.run_begin(r), grams.run_end(r));
        const Mapped<std::uint32_t> led = first_segments(grams);
        first_.assign(start_.size() + 1, 0);
        for_each_place(grams, led, [&](std::size_t s) { DEDUP_PREFETCH(first_.data() + s + 1); },
                       [&](std::size_t s, std::int64_t) { ++first_[s + 1]; });
        for (std::size_t s = 0; s < size(); ++s) first_[s + 1] += first_[s];
        place_.resize(static_cast<std::size_t>(first_.back()));
        Mapped<std::int64_t> next(first_.begin(), first_.end());
        for_each_place(grams, led, [&](std::size_t s) { DEDUP_PREFETCH(next.data() + s); }, [&](std::size_t s, std::int64_t place) {
            place_[static_cast<std::size_t>(next[s]++)] = static_cast<std::uint32_t>(place);
        });
    }

    std::size_t size() const { return start_.size(); }
    std::int64_t grams(std::size_t segment) const { return grams_[segment]; }

    // Where the segment stands, ascending; its leaders are at the first of the places.
    std::span<const std::uint32_t> places(std::size_t segment) const {
        return std::span(place_).subspan(static_cast<std::size_t>(first_[segment]),
                                         static_cast<std::size_t>(first_[segment + 1] - first_[segment]));
    }

    // How many members a leader's class has; the members, ascending; the last of them.
    std::size_t count(std::int64_t leader) const { return places(of(leader)).size(); }
    std::vector<std::int64_t> members(std::int64_t leader) const {
        const std::size_t s = of(leader);
        std::vector<std::int64_t> out;
        for (const std::uint32_t place : places(s)) out.push_back(place + (leader - start_[s]));
        return out;
    }
    std::int64_t last(std::int64_t leader) const {
        const std::size_t s = of(leader);
        return places(s).back() + (leader - start_[s]);
    }

    // The segment of a leader.
    std::size_t of(std::int64_t leader) const { return static_cast<std::size_t>(starts_.rank(leader + 1, before_)) - 1; }

private:
    static constexpr std::size_t kAhead = 16;  // runs: their leaders are all over the collection, so what is looked up is fetched before

    void clear_all_but_leaders(const RepeatedGrams& grams) {
        std::int64_t at = 0;
        for (std::size_t r = 0; r < grams.runs(); ++r) {
            if (!grams.leads(r)) continue;
            starts_.clear(at, grams.run_begin(r));
            at = grams.run_end(r);
        }
        starts_.clear(at, grams.end() + 1);
        Relief relief;
        for (std::size_t r = 0; r < grams.runs(); ++r) {
            relief.place();
            if (r + kAhead < grams.runs()) starts_.fetch(grams.run_leader(r + kAhead));
            if (!starts_.holds(grams.run_leader(r))) throw std::invalid_argument("runs: one has a leader that is none");
        }
    }

    // The segments of a run of leaders.
    void cut(std::int64_t begin, std::int64_t end) {
        for (std::int64_t next; begin < end; begin = next) {
            next = starts_.first_set(begin + 1, end);
            start_.push_back(static_cast<std::uint32_t>(begin));
            grams_.push_back(static_cast<std::uint32_t>(next - begin));
        }
    }

    // The segment in which the leaders of each run begin.
    Mapped<std::uint32_t> first_segments(const RepeatedGrams& grams) const {
        Mapped<std::uint32_t> led(grams.runs());
        Relief relief;
        for (std::size_t r = 0; r < grams.runs(); ++r) {
            relief.places(2);
            if (r + kAhead < grams.runs()) {
                const std::int64_t later = grams.run_leader(r + kAhead);
                starts_.fetch(later);
                DEDUP_PREFETCH(before_.data() + (later >> 6));
            }
            led[r] = static_cast<std::uint32_t>(of(grams.run_leader(r)));
        }
        return led;
    }

    // Calls use(segment, place) for the places of all segments, those of one ascending, and fetch(segment) before. `led`: of first_segments.
    template <class Fetch, class Use>
    void for_each_place(const RepeatedGrams& grams, const Mapped<std::uint32_t>& led, Fetch fetch, Use use) const {
        Relief relief;
        for (std::size_t r = 0; r < grams.runs(); ++r) {
            relief.places(2);  // the segment, and what `use` writes
            if (r + kAhead < grams.runs()) {
                DEDUP_PREFETCH(start_.data() + led[r + kAhead]);
                fetch(led[r + kAhead]);
            }
            const std::int64_t leader = grams.run_leader(r), begin = grams.run_begin(r), length = grams.run_end(r) - begin;
            for (std::size_t s = led[r]; s < size() && start_[s] - leader < length; ++s) use(s, begin + (start_[s] - leader));
        }
    }

    TokenBits starts_;
    Mapped<std::uint32_t> before_, start_, grams_, place_;
    Mapped<std::int64_t> first_;
};

}  // namespace dedup
