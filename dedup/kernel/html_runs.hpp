// Text between two borders of blocks, and what becomes of it. All offsets are code points; the twin of all of this is
// dedup/readers/sourcemap.py.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "html_source.hpp"

namespace dedup::html {

// A run as it is collected. Of several source offsets for one offset in the run the last one goes on, the first one ends
// what came before.
struct Run {
    Chars raw;
    std::vector<std::int64_t> raw_offsets, source_offsets;
    std::vector<std::pair<std::int64_t, std::int64_t>> links;
    std::int64_t begin = 0;  // source offset after which the first text stands
    int flags = 0xFF;        // that all of its text has
    bool exact = true, any = false;

    std::int64_t size() const { return static_cast<std::int64_t>(raw.size()); }

    void clear() {
        raw.clear(), raw_offsets.clear(), source_offsets.clear(), links.clear();
        begin = 0, flags = 0xFF, exact = true, any = false;
    }
};

// A text as people see it, and points from it to the raw text; white space inside is collapsed unless it is kept.
inline void collapse(View raw, bool keep_blanks, Chars& text, Points& to_raw) {
    std::size_t lead = 0, end = raw.size();
    while (lead < end && is_blank(raw[lead])) ++lead;
    while (end > lead && is_blank(raw[end - 1])) --end;
    to_raw.assign(1, {0, static_cast<std::int64_t>(lead)});
    if (keep_blanks) {
        text.assign(raw.substr(lead, end - lead));
        return;
    }
    text.clear();
    for (std::size_t at = lead; at < end;) {
        if (!is_blank(raw[at])) {
            const std::size_t from = at;
            while (at < end && !is_blank(raw[at])) ++at;
            text.append(raw.substr(from, at - from));
            continue;
        }
        const std::size_t from = at;
        while (is_blank(raw[at])) ++at;
        text.push_back(U' ');
        if (at - from > 1) to_raw.push_back({static_cast<std::int64_t>(text.size()), static_cast<std::int64_t>(at)});
    }
}

// Source offset just past the code point before one of the run.
inline std::int64_t end_of(std::int64_t raw, const Run& run) {
    const auto& offsets = run.raw_offsets;
    const auto row = static_cast<std::size_t>(std::lower_bound(offsets.begin(), offsets.end(), raw) - offsets.begin());
    if (row < offsets.size() && offsets[row] == raw) return run.source_offsets[row];
    return run.source_offsets[row - 1] + raw - offsets[row - 1];
}

// Points from a text to the source without those that say nothing new; where the text ends there. Only one of `to_raw` is for an
// offset of the text.
inline std::int64_t compose(std::int64_t size, const Points& to_raw, const Run& run, Points& points) {
    points.clear();
    const auto& offsets = run.raw_offsets;
    std::int64_t shift = 0;
    for (std::size_t i = 0; i < to_raw.size(); ++i) {
        const auto [text, raw] = to_raw[i];
        const std::int64_t stop = i + 1 < to_raw.size() ? to_raw[i + 1].text : size;
        auto row = static_cast<std::size_t>(std::upper_bound(offsets.begin(), offsets.end(), raw) - offsets.begin()) - 1;
        for (;; ++row) {
            const std::int64_t at = std::max(offsets[row], raw), source = run.source_offsets[row] + at - offsets[row];
            const std::int64_t here = text + at - raw;
            if (here >= stop) break;
            if (points.empty() || source - here != shift || points.back().text == here) {
                shift = source - here;
                if (points.size() > 1 && points.end()[-2].text == here) points.pop_back();
                points.push_back({here, source});
            }
            if (row + 1 >= offsets.size()) break;
        }
    }
    return end_of(to_raw.back().source + size - to_raw.back().text, run);
}

// Characters of a text of `size` inside links.
inline std::int64_t link_chars(const Run& run, std::int64_t size) {
    std::int64_t count = 0;
    Chars text;
    Points to_raw;
    for (const auto& [start, end] : run.links) {
        if (size == run.size()) {
            count += end - start;
            continue;
        }
        collapse(View(run.raw).substr(static_cast<std::size_t>(start), static_cast<std::size_t>(end - start)), false, text, to_raw);
        count += static_cast<std::int64_t>(text.size());
    }
    return std::min(size, count);
}

}  // namespace dedup::html
