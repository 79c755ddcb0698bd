// One pass over the tree of a page of HTML in document order: its blocks, as columns. The twin of all of this is the Walk of
// dedup/readers/html.py, with dedup/readers/elements.py, hints.py and parsed.py.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "html_runs.hpp"
#include "html_source.hpp"
#include "utf8.hpp"

namespace dedup::html {

// What a tag is to the walk; dedup.readers.elements.tag_facts says it.
enum Fact : unsigned {
    kBlock = 1, kBorder = 2, kLeftOut = 4, kContent = 8, kKeepsBlanks = 16, kMain = 32, kMayHoldThePage = 64, kNamesNothing = 128,
    kLink = 256, kMayBeCopied = 512, kCopies = 1024, kGathers = 2048,
};

struct Tag {
    std::string name, step;       // as an XPath step
    unsigned facts = 0;
    int kind = 0;
    std::array<int, 2> flags{};  // outside of an article, a section or main, and inside
};

// Where the tags of an element stand in the source, -1 where they do not.
struct Span {
    std::int64_t start = -1, start_end = -1, end = -1, end_end = -1;
};

// What an element's attributes say; the views hold until the next question.
struct Attributes {
    View classes, name;
    bool link = false;     // there is a ``href``
    bool special = false;  // there is a ``role``, ``style`` or ``hidden``
};

// What the walk asks: of the tree about its elements, and of dedup.readers.hints.
class Tree {
public:
    virtual ~Tree() = default;
    virtual Span span(std::size_t element) = 0;
    virtual std::int64_t end_of_start_tag(std::size_t element) = 0;
    virtual Attributes attributes(std::size_t element) = 0;
    virtual int class_flags(View token, bool content) = 0;
    virtual int id_flags(View name, bool content) = 0;
    virtual int element_flags(std::size_t element, const Tag& tag, bool content) = 0;  // where attributes are special
    virtual Chars unescape(const Chars& reference) = 0;
};

// As dedup.model and dedup.readers.hints have them; the property test of the twin holds both equal.
inline constexpr int kHeading = 1;
inline constexpr int kNavigation = 2, kQuote = 4, kDevice = 16, kFooter = 64, kPulled = 1 << 16;
inline constexpr double kPageShare = 0.6;
inline constexpr std::size_t kLongestClass = 1000;
inline constexpr std::int32_t kMaxPathSteps = 64;

inline void append_utf8(std::string& out, View text) {
    for (const char32_t c : text) {
        if (c < 0x80) {
            out.push_back(static_cast<char>(c));
            continue;
        }
        std::uint8_t bytes[4];
        const int count = encode(static_cast<std::uint32_t>(c), bytes);
        out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count));
    }
}

inline std::string utf8(View text) {
    std::string out;
    append_utf8(out, text);
    return out;
}

// The columns of dedup.readers.parsed.COLUMNS, with what stands beside them.
struct Blocks {
    std::string text, steps;  // UTF-8, lone surrogates let through; joined by line feeds
    std::int64_t size = 0;    // code points of the text
    std::vector<std::int64_t> start, end, source_start, source_end, line, end_line, kind, flags, link_chars, map_first, map_text,
        map_source, element, parent, feed;
    std::optional<std::string> first_heading;
};

class Walk {
public:
    // What is read, unless some element is asked for: `wanted`.
    Walk(const Source& source, Tree& tree, bool wanted)
        : source_(source), tree_(tree), locator_(source.text(), [&tree](const Chars& raw) { return tree.unescape(raw); }) {
        tags_.emplace_back();
        places_.emplace_back();
        places_[0].wanted = wanted;
        places_[0].resolved = true;
    }

    // A tag's number.
    std::size_t add_tag(Tag tag) {
        tags_.push_back(std::move(tag));
        return tags_.size() - 1;
    }
    const Tag& tag(std::size_t number) const { return tags_[number]; }
    const Blocks& blocks() const { return blocks_; }

    // Whether text is read here.
    bool reads() const { return places_[place_].wanted && !places_[place_].dead; }

    void open(std::size_t element, std::size_t tag, bool wanted, bool ignored) {
        const std::size_t number = count(tag);
        open_.push_back({element, place_, block_});
        const Place& around = places_[place_];
        const Tag& own = tags_[tag], &outer = tags_[around.tag];
        Place place;
        place.parent = place_, place.element = element, place.tag = tag, place.number = number, place.depth = around.depth + 1;
        place.kind = own.kind >= 0 ? own.kind : around.kind;
        place.content = around.content || (outer.facts & kContent);
        place.keep_blanks = around.keep_blanks || (own.facts & kKeepsBlanks);
        place.dead = around.dead || ignored;
        place.wanted = around.wanted || wanted;
        places_.push_back(std::move(place));
        place_ = places_.size() - 1;
        if ((own.facts & kBorder) && run_.any) flush(block_, {Step::kStart, element});
        if (own.facts & kBlock) block_ = place_;
        trail_.push_back({Step::kStart, element});
    }

    void close() {
        const Open last = open_.back();
        if (place_ == block_ && run_.any) flush(block_, {Step::kEnd, last.element});
        trail_.push_back({Step::kEnd, last.element});
        open_.pop_back();
        place_ = last.place, block_ = last.block;
    }

    // An element of which nothing is read.
    void pass(std::size_t element, std::size_t tag) {
        count(tag);
        if ((tags_[tag].facts & kBorder) && run_.any) flush(block_, {Step::kStart, element});
        trail_.push_back({Step::kStart, element});
        trail_.push_back({Step::kEnd, element});
    }

    void text(View data) {
        if (!run_.any && !data.empty() && std::all_of(data.begin(), data.end(), is_blank)) {
            trail_.push_back({Step::kBlanks, blanks_.size(), data.size()});  // they move the place on, no more
            blanks_ += data;
            return;
        }
        resolve(place_);
        if (!trail_.empty()) follow();
        const std::int64_t before = run_.size(), size = before + static_cast<std::int64_t>(data.size());
        if (!run_.any) run_.begin = at_;
        if (locator_.locate(data, static_cast<std::size_t>(at_), points_)) {
            at_ = points_.back().source;
            for (const Point& point : points_) {
                run_.raw_offsets.push_back(before + point.text);
                run_.source_offsets.push_back(point.source);
            }
        } else {
            run_.exact = false;
        }
        run_.any = true;
        run_.raw += data;
        if (places_[place_].link) run_.links.emplace_back(before, size);
        if (data.empty() || !std::all_of(data.begin(), data.end(), is_space)) run_.flags &= places_[place_].flags;
    }

    // Ends the page.
    void finish() {
        if (run_.any) flush(block_, {Step::kNothing});
        blocks_.map_first.push_back(static_cast<std::int64_t>(blocks_.map_text.size()));
        blocks_.feed = source_.feeds(blocks_.line, blocks_.end_line);
    }

    // The path of each block, joined by line feeds.
    std::string paths() {
        std::string out;
        for (std::size_t i = 0; i < block_places_.size(); ++i) {
            if (i) out += '\n';
            out += path(block_places_[i]);
        }
        return out;
    }

private:
    struct Step {
        enum Kind : std::uint8_t { kNothing, kStart, kEnd, kBlanks } kind = kNothing;
        std::size_t at = 0;  // the element, or where the blanks stand
        std::size_t size = 0;
    };
    struct Open {
        std::size_t element, place, block;
    };
    // An open element: what its text needs to know. The first one is what is around the root.
    struct Place {
        std::size_t parent = 0, element = 0, tag = 0, number = 0;
        std::int32_t depth = 0;
        int kind = 0, flags = 0;
        bool content = false, keep_blanks = false, dead = false, wanted = false;
        bool resolved = false, link = false;  // resolved: flags and what follows are known
        Chars classes, name;    // the beginning of long ones
        std::int64_t row = -1;  // among the elements that hold blocks
        std::string path;       // once asked for
    };

    std::size_t count(std::size_t tag) { return ++counts_[key(place_, tag)]; }
    static std::uint64_t key(std::size_t place, std::size_t tag) {
        return (static_cast<std::uint64_t>(place) << 32 | static_cast<std::uint64_t>(tag)) * 0x9E3779B97F4A7C15u;
    }

    // Flags of an element and of those around it: asked only where there is text.
    void resolve(std::size_t place) {
        unresolved_.clear();
        for (; !places_[place].resolved; place = places_[place].parent) unresolved_.push_back(place);
        for (; !unresolved_.empty(); unresolved_.pop_back()) {
            Place& own = places_[unresolved_.back()];
            const Place& around = places_[own.parent];
            const Tag& tag = tags_[own.tag];
            const Attributes attributes = tree_.attributes(own.element);
            own.classes = attributes.classes.substr(0, kLongestClass + 1);
            own.name = attributes.name.substr(0, kLongestClass + 1);
            int flags = attributes.special ? tree_.element_flags(own.element, tag, own.content)
                                           : with_names(tag.flags[own.content], tag, own.classes, own.name, own.content);
            if ((flags & (kNavigation | kQuote)) && (tag.facts & kMayHoldThePage) && holds_the_page(tree_.span(own.element)))
                flags &= ~(kNavigation | kFooter | kQuote);
            own.flags = flags | (tag.facts & kMain ? around.flags & ~(kNavigation | kFooter) : around.flags);
            own.link = around.link || ((tag.facts & kLink) && attributes.link);
            own.resolved = true;
        }
    }

    // The flags of an element with those that its ``class`` and ``id`` say.
    int with_names(int flags, const Tag& tag, View classes, View name, bool content) {
        if ((classes.empty() && name.empty()) || (tag.facts & kNamesNothing)) return flags;
        classes = classes.substr(0, kLongestClass), name = name.substr(0, kLongestClass);
        int named = 0;
        for_each_word(classes, [&](View word) {
            named |= tree_.class_flags(word, content) & (word == name ? kDevice : -1);
        });
        if (!name.empty()) named |= tree_.id_flags(name, content);
        return named & kPulled ? (flags & ~kQuote) | (named & ~(kQuote | kPulled)) : flags | named;
    }

    bool holds_the_page(const Span& span) const {
        return span.end >= 0 && static_cast<double>(span.end - span.start_end) > kPageShare * static_cast<double>(source_.size());
    }

    std::int64_t end_of_tag(const Step& step) {
        return step.kind == Step::kStart ? tree_.end_of_start_tag(step.at) : tree_.span(step.at).end_end;
    }
    std::int64_t start_of_tag(const Step& step) {
        const Span span = tree_.span(step.at);
        return step.kind == Step::kStart ? span.start : span.end;
    }

    // Goes on to the end of the trail: its last tag that stands in the source, and the blanks behind it.
    void follow() {
        std::size_t first = trail_.size();
        for (; first > 0; --first) {
            if (trail_[first - 1].kind == Step::kBlanks) continue;
            const std::int64_t end = end_of_tag(trail_[first - 1]);
            if (end < 0) continue;
            at_ = end;
            break;
        }
        for (; first < trail_.size(); ++first) {
            if (trail_[first].kind != Step::kBlanks) continue;
            if (locator_.locate(View(blanks_).substr(trail_[first].at, trail_[first].size), static_cast<std::size_t>(at_), points_))
                at_ = points_.back().source;
        }
        trail_.clear();
        blanks_.clear();
    }

    // Ends the run at a border: a tag, or the end of the source.
    void flush(std::size_t block, const Step& border) {
        collapse(run_.raw, places_[block].keep_blanks, text_, to_raw_);
        if (!text_.empty()) {
            std::int64_t first = 0, last = 0;
            points_.clear();
            if (run_.exact) {
                last = compose(static_cast<std::int64_t>(text_.size()), to_raw_, run_, points_);
                first = points_[0].source;
                const auto back = [](const Point& a, const Point& b) { return b.source - a.source < (b.text > a.text); };
                if (last <= first || std::adjacent_find(points_.begin(), points_.end(), back) != points_.end()) run_.exact = false;
            }
            if (!run_.exact) {  // text that the parser moved: the slice would not read like it
                first = run_.begin;
                std::int64_t end = border.kind == Step::kNothing ? source_.size() : start_of_tag(border);
                if (end < 0) {
                    if (!trail_.empty()) follow();
                    end = at_;
                }
                last = std::max(end, first);
                points_.clear();
            }
            add(block, first, last);
        }
        run_.clear();
    }

    void add(std::size_t block, std::int64_t first, std::int64_t last) {
        resolve(block);
        const Place& place = places_[block];
        if (!blocks_.start.empty()) blocks_.text += '\n', ++blocks_.size;
        const std::size_t before = blocks_.text.size();
        append_utf8(blocks_.text, text_);
        if (!blocks_.first_heading && place.kind == kHeading) blocks_.first_heading = blocks_.text.substr(before);
        const std::int64_t start = blocks_.size, size = static_cast<std::int64_t>(text_.size());
        blocks_.size += size;
        blocks_.start.push_back(start), blocks_.end.push_back(start + size);
        blocks_.source_start.push_back(source_.original(first)), blocks_.source_end.push_back(source_.original(last));
        blocks_.line.push_back(source_.line(first)), blocks_.end_line.push_back(source_.line(last > first ? last - 1 : first));
        blocks_.kind.push_back(place.kind), blocks_.flags.push_back(place.flags | run_.flags);
        blocks_.link_chars.push_back(link_chars(run_, size));
        blocks_.map_first.push_back(static_cast<std::int64_t>(blocks_.map_text.size()));
        source_.original_points(points_, size, [&](std::int64_t text, std::int64_t source) {
            blocks_.map_text.push_back(start + text), blocks_.map_source.push_back(source);
        });
        if (const std::int64_t row = element(block); row >= 0) blocks_.element.push_back(row);
        block_places_.push_back(block);
    }

    // Row of an element that holds a block; elements around it that have none get theirs first.
    std::int64_t element(std::size_t place) {
        unresolved_.clear();
        for (; place && places_[place].row < 0; place = places_[place].parent) unresolved_.push_back(place);
        std::int64_t row = places_[place].row;
        for (; !unresolved_.empty(); unresolved_.pop_back()) {
            Place& own = places_[unresolved_.back()];
            blocks_.parent.push_back(row);
            if (blocks_.parent.size() > 1) blocks_.steps += '\n';
            add_step(own);
            row = own.row = static_cast<std::int64_t>(blocks_.parent.size()) - 1;
        }
        return row;
    }

    // An element in one line: tag, ``#id`` and classes, each between blanks; a ``*`` says that there are more than are kept.
    void add_step(const Place& place) {
        std::string& out = blocks_.steps;
        out += ' ', out += tags_[place.tag].name, out += ' ';
        int words = 0;
        View id;
        for_each_word(place.name, [&](View word) { id = word, ++words; });
        if (words == 1 && place.name.size() <= kLongestClass) out += '#', append_utf8(out, id), out += ' ';
        for_each_word(View(place.classes).substr(0, kLongestClass), [&](View word) { append_utf8(out, word), out += ' '; });
        if (place.classes.size() > kLongestClass) out += "* ";
    }

    // DOM path of an element whose siblings were all seen; a deep one ends in ``//tag``.
    const std::string& path(std::size_t place) {
        unresolved_.clear();
        std::size_t known = place;
        for (; known && places_[known].path.empty(); known = places_[known].parent)
            if (places_[known].depth <= kMaxPathSteps) unresolved_.push_back(known);
        for (; !unresolved_.empty(); unresolved_.pop_back()) {
            Place& own = places_[unresolved_.back()];
            own.path = places_[known].path + '/' + tags_[own.tag].step;
            if (own.number > 1 || counts_[key(own.parent, own.tag)] > 1) own.path += '[' + std::to_string(own.number) + ']';
            known = unresolved_.back();
        }
        Place& own = places_[place];
        if (own.path.empty() && place) {
            const std::string& above = places_[known].path;
            own.path = above.substr(0, above.find("//")) + "//" + tags_[own.tag].step;
        }
        return own.path;
    }

    const Source& source_;
    Tree& tree_;
    Locator locator_;
    Blocks blocks_;
    Run run_;
    std::vector<Tag> tags_;
    std::vector<Place> places_;
    std::vector<std::size_t> block_places_;
    std::unordered_map<std::uint64_t, std::size_t> counts_;  // of a place and a tag: how many such children were seen
    std::vector<Open> open_;
    std::size_t place_ = 0, block_ = 0;
    std::vector<Step> trail_;  // tags since the last text whose place is known, and the blanks between them
    Chars blanks_;
    std::int64_t at_ = 0;  // end of the last tag or text whose place is known
    std::vector<std::size_t> unresolved_;
    Points points_, to_raw_;
    Chars text_;
};

}  // namespace dedup::html
