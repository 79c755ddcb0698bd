// Bindings of seeding.hpp, anchors.hpp, copies.hpp and align.hpp; twin_align.py and twin_copies.py say what each does.
#include "align.hpp"
#include "anchors.hpp"
#include "bind.hpp"
#include "copies.hpp"
#include "letters.hpp"
#include "seeding.hpp"
#include "sided.hpp"

namespace {

dedup::SeedText seed_text(const U32& item, const I64& page_first, const U8& quiet, const U8& rarity, std::int64_t kind,
                          bool has_quiet = true) {
    check_first(page_first, item.size());
    if (has_quiet && quiet.size() != 0 && quiet.size() != item.size()) throw std::invalid_argument("quiet: one entry an item, or none");
    if (rarity.size() == 1 || (rarity.size() & (rarity.size() - 1)) != 0)
        throw std::invalid_argument("rarity: a power of two entries is needed, or none");
    if (kind < 0 || kind > 2) throw std::invalid_argument("kind: 0 for grams, 1 for triples, 2 for letters");
    return {span(item), span(page_first), span(quiet), span(rarity)};
}

void check_places(const U32& places, const I64& page_first) {
    const std::int64_t begin = page_first.data()[0], end = page_first.data()[page_first.size() - 1];
    for (const std::uint32_t place : span(places))
        if (place < begin || place >= end)
            throw std::invalid_argument("a position lies before the first page or behind the last page");
}

void check_around(std::int64_t before, std::int64_t after) {
    constexpr std::int64_t kMost = 1 << 20;
    if (before < 0 || after < 1 || before > kMost || after > kMost)
        throw std::invalid_argument("around: before is 0 at least, after 1, both 1048576 at most");
}

void check_apart(const U32& start, const U32& stop) {
    if (start.size() != stop.size()) throw std::invalid_argument("start and stop must be equally long");
    for (std::size_t i = 0; i < start.size(); ++i)
        if (start.data()[i] > stop.data()[i] || (i > 0 && start.data()[i] < stop.data()[i - 1]))
            throw std::invalid_argument("ranges must be apart and ascend");
}

void check_pairs(const I64& page_first, const I64& page_a, const I64& page_b) {
    if (page_a.size() != page_b.size()) throw std::invalid_argument("the columns of pairs must be equally long");
    const auto pages = static_cast<std::int64_t>(page_first.size()) - 1;
    for (const I64& column : {page_a, page_b})
        for (const std::int64_t page : span(column))
            if (page < 0 || page >= pages) throw std::invalid_argument("a pair names a page that does not exist");
}

}  // namespace

void bind_align(nb::module_& m) {
    m.def("bag_items", [](U8 text, I64 start, I64 end, std::uint32_t flags, std::int64_t letters) {
        if (letters < 1) throw std::invalid_argument("letters must be at least 1");
        return to_numpy(release([&] { return dedup::bag_items(span(text), span(start), span(end), flags, letters); }));
    }, "text"_a.noconvert(), "start"_a.noconvert(), "end"_a.noconvert(), "flags"_a, "letters"_a);

    m.def("letter_items", [](U8 text, I64 start, I64 end, I64 page_first, std::uint32_t flags, std::int64_t letters) {
        if (letters < 1 || letters > static_cast<std::int64_t>(dedup::kMaxLetters)) throw std::invalid_argument("letters must be 1 to 16");
        check_first(page_first, start.size());
        return to_numpy(release([&] {
            return dedup::letter_items(span(text), span(start), span(end), span(page_first), flags, letters);
        }));
    }, "text"_a.noconvert(), "start"_a.noconvert(), "end"_a.noconvert(), "page_first"_a.noconvert(), "flags"_a, "letters"_a);

    m.def("count_items", [](U32 item, U8 quiet, int bits) {
        if (quiet.size() != item.size()) throw std::invalid_argument("quiet: one entry an item");
        if (bits < 1 || bits > 24) throw std::invalid_argument("bits must be 1 to 24");
        return to_numpy(release([&] { return dedup::count_items(span(item), span(quiet), bits); }));
    }, "item"_a.noconvert(), "quiet"_a.noconvert(), "bits"_a);

    m.def("rarities", [](U32 counts, int once, double stop_least, double stop_share) {
        if (once < 1 || once > 255) throw std::invalid_argument("once must be 1 to 255");
        return to_numpy(release([&] { return dedup::rarities(span(counts), once, stop_least, stop_share); }));
    }, "counts"_a.noconvert(), "once"_a, "stop_least"_a, "stop_share"_a);

    m.def("sided_anchors", [](U32 item, I64 page_first, std::int64_t border, U32 quiet_start, U32 quiet_end, I64 a, I64 b, I64 length,
                              std::int64_t cap, int bits, int once, double stop_least, double stop_share, std::int64_t before,
                              std::int64_t after, std::int64_t shift, std::int64_t least, std::int64_t budget) {
        check_first(page_first, item.size());
        check_apart(quiet_start, quiet_end);
        if (border < 0 || border >= static_cast<std::int64_t>(page_first.size())) throw std::invalid_argument("border is no page");
        if (a.size() != b.size() || a.size() != length.size()) throw std::invalid_argument("the columns of matches must be equally long");
        const std::int64_t begin = page_first.data()[0], end = page_first.data()[page_first.size() - 1];
        for (std::size_t i = 0; i < a.size(); ++i)
            if (std::min(a.data()[i], b.data()[i]) < begin || length.data()[i] < 1 ||
                std::max(a.data()[i], b.data()[i]) > end - length.data()[i])
                throw std::invalid_argument("a match lies before the first page or behind the last page");
        if (bits < 1 || bits > 24) throw std::invalid_argument("bits must be 1 to 24");
        if (once < 1 || once > 255) throw std::invalid_argument("once must be 1 to 255");
        check_around(before, after);
        auto [found_a, found_b, largest, classes] = release([&] {
            const auto quiet = quiet_start.size() == 0 ? dedup::Mapped<std::uint8_t>()
                : dedup::mark_ranges(span(quiet_start), span(quiet_end), 0, static_cast<std::int64_t>(item.size()));
            return dedup::sided_anchors({span(item), span(page_first), quiet, {}}, span(quiet_start), span(quiet_end), span(a), span(b),
                                        span(length), {border, cap, bits, once, stop_least, stop_share, before, after, shift, least, budget});
        });
        return std::make_tuple(to_numpy(std::move(found_a)), to_numpy(std::move(found_b)), largest, classes);
    }, "item"_a.noconvert(), "page_first"_a.noconvert(), "border"_a, "quiet_start"_a.noconvert(), "quiet_end"_a.noconvert(),
       "a"_a.noconvert(), "b"_a.noconvert(), "length"_a.noconvert(), "cap"_a, "bits"_a, "once"_a, "stop_least"_a, "stop_share"_a,
       "before"_a, "after"_a, "shift"_a, "least"_a, "budget"_a);

    m.def("mark_seeds", [](U32 item, I64 page_first, U8 quiet, U8 rarity, std::int64_t kind, InOut<std::uint64_t> table,
                           std::int64_t number, std::int64_t slices, bool shared) {
        const dedup::SeedText text = seed_text(item, page_first, quiet, rarity, kind);
        const std::span<std::uint64_t> words = span(table, "table");
        check_table(words.size());
        check_slice(number, slices);
        release([&] {
            dedup::mark_seeds(text, kind, words, static_cast<std::uint64_t>(number), static_cast<std::uint64_t>(slices), shared);
            return 0;
        });
    }, "item"_a.noconvert(), "page_first"_a.noconvert(), "quiet"_a.noconvert(), "rarity"_a.noconvert(), "kind"_a,
       "table"_a.noconvert(), "number"_a = 0, "slices"_a = 1, "shared"_a = false);

    m.def("repeated_seeds", [](U32 item, I64 page_first, U8 quiet, U8 rarity, std::int64_t kind, U64 twice, std::int64_t before,
                               std::int64_t partitions, std::int64_t number, std::int64_t slices) {
        const dedup::SeedText text = seed_text(item, page_first, quiet, rarity, kind);
        check_table(twice.size());
        check_slice(number, slices);
        if (partitions < 1 || partitions > 1 << 20) throw std::invalid_argument("partitions must be 1 to 1048576");
        check_before(before, item.size());
        return to_numpy(release([&] {
            return dedup::repeated_seeds(text, kind, span(twice), before, partitions, static_cast<std::uint64_t>(number),
                                         static_cast<std::uint64_t>(slices));
        }));
    }, "item"_a.noconvert(), "page_first"_a.noconvert(), "quiet"_a.noconvert(), "rarity"_a.noconvert(), "kind"_a,
       "twice"_a.noconvert(), "before"_a, "partitions"_a, "number"_a = 0, "slices"_a = 1);

    m.def("seed_classes", [](U64 key, U32 position, std::int64_t cap) {
        if (key.size() != position.size()) throw std::invalid_argument("key and position must be equally long");
        auto [places, first, hot] = release([&] { return dedup::seed_classes(span(key), span(position), cap); });
        return std::make_tuple(to_numpy(std::move(places)), to_numpy(std::move(first)), hot);
    }, "key"_a.noconvert(), "position"_a.noconvert(), "cap"_a);

    m.def("class_anchors", [](U32 position, I64 first, U32 item, I64 page_first, U8 rarity, std::int64_t shift,
                              std::int64_t before, std::int64_t after, std::int64_t least) {
        check_around(before, after);
        check_first(first, position.size());
        seed_text(item, page_first, rarity, rarity, 0, false);
        check_places(position, page_first);
        return to_numpy(release([&] {
            return dedup::class_anchors(span(position), span(first), span(item), span(page_first), span(rarity), shift,
                                        before, after, least);
        }));
    }, "position"_a.noconvert(), "first"_a.noconvert(), "item"_a.noconvert(), "page_first"_a.noconvert(), "rarity"_a.noconvert(),
       "shift"_a, "before"_a, "after"_a, "least"_a);

    m.def("range_buckets", [](U32 start, U32 end) {
        if (start.size() != end.size()) throw std::invalid_argument("start and end must be equally long");
        return to_numpy(release([&] { return dedup::range_buckets(span(start), span(end)); }));
    }, "start"_a.noconvert(), "end"_a.noconvert());

    m.def("with_copies", [](U32 position, I64 first, I64 bucket_first, U32 bucket_range, U32 start, U32 end, I64 shift) {
        check_first(first, position.size());
        check_first(bucket_first, bucket_range.size());
        if (start.size() != end.size() || start.size() != shift.size())
            throw std::invalid_argument("start, end and shift must be equally long");
        for (const std::uint32_t range : span(bucket_range))
            if (range >= start.size()) throw std::invalid_argument("a bucket names a range that does not exist");
        return to_numpy(release([&] {
            return dedup::with_copies(span(position), span(first), span(bucket_first), span(bucket_range), span(start), span(end),
                                      span(shift));
        }));
    }, "position"_a.noconvert(), "first"_a.noconvert(), "bucket_first"_a.noconvert(), "bucket_range"_a.noconvert(),
       "start"_a.noconvert(), "end"_a.noconvert(), "shift"_a.noconvert());

    m.def("mark_ranges", [](U32 start, U32 stop, std::int64_t begin, std::int64_t end) {
        check_apart(start, stop);
        if (begin < 0 || begin > end) throw std::invalid_argument("begin to end is no range");
        return to_numpy(release([&] { return dedup::mark_ranges(span(start), span(stop), begin, end); }));
    }, "start"_a.noconvert(), "stop"_a.noconvert(), "begin"_a, "end"_a);

    m.def("pair_anchors", [](U32 a, U32 b, I64 page_first) {
        if (a.size() != b.size()) throw std::invalid_argument("a and b must be equally long");
        check_first(page_first, std::size_t{1} << 32);
        check_places(a, page_first);
        check_places(b, page_first);
        return to_numpy(release([&] { return dedup::pair_anchors(span(a), span(b), span(page_first)); }));
    }, "a"_a.noconvert(), "b"_a.noconvert(), "page_first"_a.noconvert());

    m.def("align_pairs", [](U32 item, I64 page_first, I64 page_a, I64 page_b, I64 anchor_first, I64 anchor_a, I64 anchor_b,
                            I64 settings, bool judge) {
        check_first(page_first, item.size());
        check_pairs(page_first, page_a, page_b);
        if (anchor_first.size() != page_a.size() + 1) throw std::invalid_argument("anchor_first: one entry more than pairs");
        if (anchor_a.size() != anchor_b.size()) throw std::invalid_argument("anchor_a and anchor_b must be equally long");
        check_first(anchor_first, anchor_a.size());
        for (const I64& column : {anchor_a, anchor_b})
            for (const std::int64_t at : span(column))
                if (at < 0) throw std::invalid_argument("an anchor lies before its page");
        return to_numpy(release([&] {
            return dedup::align_pairs(span(item), span(page_first), span(page_a), span(page_b), span(anchor_first),
                                      span(anchor_a), span(anchor_b), span(settings), judge);
        }));
    }, "item"_a.noconvert(), "page_first"_a.noconvert(), "page_a"_a.noconvert(), "page_b"_a.noconvert(),
       "anchor_first"_a.noconvert(), "anchor_a"_a.noconvert(), "anchor_b"_a.noconvert(), "settings"_a.noconvert(),
       "judge"_a);

    m.def("measure_parts", [](U32 item, I64 page_first, I64 page_a, I64 page_b, I64 first_a, I64 a0, I64 a1, I64 first_b, I64 b0,
                              I64 b1, I64 settings) {
        check_first(page_first, item.size());
        check_pairs(page_first, page_a, page_b);
        if (first_a.size() != page_a.size() + 1 || first_b.size() != page_a.size() + 1)
            throw std::invalid_argument("first: one entry more than pairs");
        if (a0.size() != a1.size() || b0.size() != b1.size()) throw std::invalid_argument("as many starts as ends are needed");
        check_first(first_a, a0.size());
        check_first(first_b, b0.size());
        return to_numpy(release([&] {
            return dedup::measure_parts(span(item), span(page_first), span(page_a), span(page_b), span(first_a), span(a0),
                                        span(a1), span(first_b), span(b0), span(b1), span(settings));
        }));
    }, "item"_a.noconvert(), "page_first"_a.noconvert(), "page_a"_a.noconvert(), "page_b"_a.noconvert(),
       "first_a"_a.noconvert(), "a0"_a.noconvert(), "a1"_a.noconvert(), "first_b"_a.noconvert(), "b0"_a.noconvert(),
       "b1"_a.noconvert(), "settings"_a.noconvert());
}
