// Bindings of the stages' loops; twin_sets.py, twin_grams.py and twin_runs.py say what each does.
#include <algorithm>

#include <tuple>

#include "bind.hpp"
#include "buckets.hpp"
#include "classes.hpp"
#include "digests.hpp"
#include "grams.hpp"
#include "marks.hpp"
#include "repeats.hpp"
#include "groups.hpp"
#include "runs.hpp"
#include "sets.hpp"

namespace {

dedup::Mapped<std::int64_t> column(const std::vector<std::pair<std::int64_t, std::int64_t>>& pairs, bool second) {
    dedup::Mapped<std::int64_t> out;
    out.reserve(pairs.size());
    for (const auto& pair : pairs) out.push_back(second ? pair.second : pair.first);
    return out;
}

template <class T>
void bind_overlaps(nb::module_& m, const char* name) {
    m.def(name, [](In<T> values, I64 first, I64 a, I64 b) {
        check_first(first, values.size());
        if (a.size() != b.size()) throw std::invalid_argument("a and b must be equally long");
        check_members(a, static_cast<std::int64_t>(first.size()) - 1, "a");
        check_members(b, static_cast<std::int64_t>(first.size()) - 1, "b");
        return to_numpy(release([&] {
            dedup::Mapped<std::int64_t> out(a.size());
            dedup::set_overlaps<T>({values.data(), first.data()}, a.data(), b.data(), static_cast<std::int64_t>(a.size()),
                                   out.data());
            return out;
        }));
    }, "values"_a.noconvert(), "first"_a.noconvert(), "a"_a.noconvert(), "b"_a.noconvert());
}

void bind_sets(nb::module_& m) {
    m.def("byte_digests", [](U8 text, I64 first) {
        check_first(first, text.size());
        return to_numpy(release([&] {
            dedup::Mapped<std::uint64_t> out(2 * (first.size() - 1));
            for (std::size_t r = 0; 2 * r < out.size(); ++r) {
                const std::int64_t begin = first.data()[r];
                std::tie(out[2 * r], out[2 * r + 1]) =
                    dedup::byte_digest(text.data() + begin, static_cast<std::size_t>(first.data()[r + 1] - begin));
            }
            return out;
        }));
    }, "text"_a.noconvert(), "first"_a.noconvert());

    m.def("range_digests", [](U64 hash, I64 first) {
        check_first(first, hash.size());
        return to_numpy(release([&] {
            dedup::Mapped<std::uint64_t> out(first.size() - 1);
            for (std::size_t r = 0; r < out.size(); ++r) {
                std::uint64_t sum = static_cast<std::uint64_t>(first.data()[r + 1] - first.data()[r]);
                for (std::int64_t i = first.data()[r]; i < first.data()[r + 1]; ++i)
                    sum = sum * dedup::kGramBase + hash.data()[i];
                out[r] = dedup::fmix64(sum);
            }
            return out;
        }));
    }, "hash"_a.noconvert(), "first"_a.noconvert());

    m.def("sums", [](I64 counts) {
        return to_numpy(release([&] { return dedup::sums(span(counts)); }));
    }, "counts"_a.noconvert());

    m.def("stable_order", [](U64 key) {
        return to_numpy(release([&] { return dedup::stable_order(span(key)); }));
    }, "key"_a.noconvert());

    m.def("distinct_keys", [](U64 key) {
        return to_numpy(release([&] { return dedup::distinct_keys(span(key)); }));
    }, "key"_a.noconvert());

    m.def("distinct_in_order", [](U64 packed, int below) {
        if (below < 1 || below > 63) throw std::invalid_argument("below must be 1 to 63");
        return to_numpy(release([&] { return dedup::distinct_in_order(span(packed), below); }));
    }, "packed"_a.noconvert(), "below"_a);

    m.def("shingle_sets", [](U64 hash, I64 first, std::int64_t size) {
        check_first(first, hash.size());
        if (size < 1) throw std::invalid_argument("size must be at least 1");
        return to_numpy(release([&] {
            std::tuple<dedup::Mapped<std::uint64_t>, dedup::Mapped<std::int64_t>> out;
            dedup::shingle_sets(hash.data(), first.data(), static_cast<std::int64_t>(first.size()) - 1, size,
                                std::get<0>(out), std::get<1>(out));
            return out;
        }));
    }, "hash"_a.noconvert(), "first"_a.noconvert(), "size"_a);

    m.def("fss_sketches", [](U64 values, I64 first, std::int64_t k, std::uint64_t seed) {
        check_first(first, values.size());
        if (k < 1 || k > 1 << 20) throw std::invalid_argument("k must be 1 to 1048576");
        return to_numpy(release([&] {
            const std::size_t sets = first.size() - 1;
            dedup::Mapped<std::uint64_t> out(sets * static_cast<std::size_t>(k)), words(2 * static_cast<std::size_t>(k));
            for (std::size_t round = 0; round < words.size(); ++round) words[round] = dedup::fss_round_word(seed, round);
            for (std::size_t s = 0; s < sets; ++s)
                dedup::fss_sketch(values.data() + first.data()[s], first.data()[s + 1] - first.data()[s], k, seed,
                                  words.data(), out.data() + s * static_cast<std::size_t>(k));
            return out;
        }));
    }, "values"_a.noconvert(), "first"_a.noconvert(), "k"_a, "seed"_a);

    m.def("sketch_bands", [](U64 registers, std::int64_t sketches, std::int64_t bands, std::int64_t rows) {
        if (sketches < 0) throw std::invalid_argument("sketches must not be negative");
        check_bands(bands, rows, INT64_MAX);
        const std::int64_t k = sketches ? static_cast<std::int64_t>(registers.size()) / sketches : bands * rows;
        if (k < bands * rows) throw std::invalid_argument("a sketch holds fewer registers than bands * rows");
        return to_numpy(release([&] {
            dedup::Mapped<std::uint64_t> out(static_cast<std::size_t>(sketches * bands));
            for (std::int64_t s = 0; s < sketches; ++s)
                dedup::band_keys(registers.data() + s * k, bands, rows, out.data() + s * bands, 1);
            return out;
        }));
    }, "registers"_a.noconvert(), "sketches"_a, "bands"_a, "rows"_a);

    m.def("band_columns", [](U32 values, I64 first, std::int64_t bands, std::int64_t rows, std::uint64_t seed) {
        check_first(first, values.size());
        check_bands(bands, rows, 1 << 20);
        return to_numpy(release([&] {
            const auto sets = static_cast<std::int64_t>(first.size()) - 1;
            dedup::Mapped<std::uint32_t> out(static_cast<std::size_t>(sets * bands));
            dedup::BandHasher keys(bands, rows, seed);
            for (std::int64_t s = 0; s < sets; ++s)
                keys(values.data() + first.data()[s], first.data()[s + 1] - first.data()[s], out.data() + s, sets);
            return out;
        }));
    }, "values"_a.noconvert(), "first"_a.noconvert(), "bands"_a, "rows"_a, "seed"_a);

    m.def("repeated_keys", [](U32 key) {
        return to_numpy(release([&] { return dedup::repeated_keys(span(key)); }));
    }, "key"_a.noconvert());

    m.def("set_bitmaps", [](U32 values, I64 first) {
        check_first(first, values.size());
        return to_numpy(release([&] {
            dedup::Mapped<std::uint64_t> out((first.size() - 1) * static_cast<std::size_t>(dedup::kBitWords));
            for (std::size_t s = 0; s + 1 < first.size(); ++s)
                dedup::set_bits(values.data() + first.data()[s], first.data()[s + 1] - first.data()[s],
                                out.data() + s * static_cast<std::size_t>(dedup::kBitWords));
            return out;
        }));
    }, "values"_a.noconvert(), "first"_a.noconvert());

    m.def("bucket_pairs", [](U32 key, U32 values, I64 first, U64 bits, double threshold, std::int64_t all_pairs,
                             std::int64_t max_representatives, InOut<std::uint32_t> homes) {
        check_first(first, values.size());
        const std::size_t sets = first.size() - 1;
        if ((sets ? key.size() % sets : key.size()) != 0 || bits.size() != sets * static_cast<std::size_t>(dedup::kBitWords))
            throw std::invalid_argument("one key a band and one bitmap are needed a set");
        if (homes.size() != sets) throw std::invalid_argument("one home is needed a set");
        check_threshold(threshold);
        const dedup::Homes known(span(homes, "homes"));
        std::vector<std::pair<std::int64_t, std::int64_t>> pairs;
        const std::int64_t unplaced = release([&] {
            return dedup::bucket_pairs(span(key), static_cast<std::int64_t>(sets), {values.data(), first.data()}, bits.data(),
                                       threshold, all_pairs, max_representatives, known, pairs);
        });
        return std::make_tuple(to_numpy(column(pairs, false)), to_numpy(column(pairs, true)), unplaced);
    }, "key"_a.noconvert(), "values"_a.noconvert(), "first"_a.noconvert(), "bits"_a.noconvert(), "threshold"_a, "all_pairs"_a,
       "max_representatives"_a, "homes"_a.noconvert());

    bind_overlaps<std::uint64_t>(m, "set_overlaps");
    bind_overlaps<std::uint32_t>(m, "short_overlaps");

    m.def("shared_shingles", [](U32 token, I64 first, std::int64_t size, I64 of) {
        check_first(first, token.size());
        check_members(of, static_cast<std::int64_t>(first.size()) - 1, "of");
        if (size < 1) throw std::invalid_argument("size must be at least 1");
        return to_numpy(release([&] { return dedup::shared_shingles(span(token), span(first), size, span(of)); }));
    }, "token"_a.noconvert(), "first"_a.noconvert(), "size"_a, "of"_a.noconvert());

    m.def("prefix_join", [](U64 rank, I64 first, std::int64_t ranks, double threshold) {
        check_first(first, rank.size());
        check_threshold(threshold);
        for (const std::uint64_t r : span(rank))
            if (r >= static_cast<std::uint64_t>(ranks)) throw std::invalid_argument("rank: one is not below ranks");
        const auto pairs = release([&] {
            std::vector<std::pair<std::int64_t, std::int64_t>> out;
            dedup::prefix_join(rank.data(), first.data(), static_cast<std::int64_t>(first.size()) - 1,
                               static_cast<std::uint64_t>(ranks), threshold, out);
            return out;
        });
        return std::make_tuple(to_numpy(column(pairs, false)), to_numpy(column(pairs, true)));
    }, "rank"_a.noconvert(), "first"_a.noconvert(), "ranks"_a, "threshold"_a);

    m.def("components", [](std::int64_t nodes, I64 a, I64 b) {
        if (a.size() != b.size()) throw std::invalid_argument("a and b must be equally long");
        check_members(a, nodes, "a");
        check_members(b, nodes, "b");
        return to_numpy(release([&] {
            dedup::Mapped<std::int64_t> root(static_cast<std::size_t>(nodes));
            dedup::components(nodes, a.data(), b.data(), static_cast<std::int64_t>(a.size()), root.data());
            return root;
        }));
    }, "nodes"_a, "a"_a.noconvert(), "b"_a.noconvert());
}

void bind_runs(nb::module_& m) {
    m.def("slots_seen_twice", [](nb::list tables) {
        const auto columns = arrays<U64>(tables, "slots_seen_twice: tables must be contiguous NumPy arrays of uint64");
        if (columns.empty()) throw std::invalid_argument("tables: one at least is needed");
        std::vector<std::span<const std::uint64_t>> spans;
        for (const U64& column : columns) {
            if (check_table(column.size()) < 2) throw std::invalid_argument("table: two words at least are needed");
            if (column.size() != columns[0].size()) throw std::invalid_argument("tables must be equally large");
            spans.push_back(span(column));
        }
        return to_numpy(release([&] { return dedup::slots_seen_twice(spans); }));
    }, "tables"_a);

    m.def("gram_rows", [](U32 token, I64 page_first, std::int64_t size, std::int64_t before, std::int64_t partitions,
                          std::int64_t begin, std::int64_t end) {
        check_first(page_first, token.size());
        if (size < 1) throw std::invalid_argument("size must be 1 at least");
        if (begin < 0 || end <= begin || partitions < end || partitions > 0xffffffffLL || end - begin > 1 << 20)
            throw std::invalid_argument("partitions: some of them are needed, at most 1048576 of 4294967295");
        check_before(before, token.size());
        return to_numpy(release([&] {
            return dedup::gram_rows(span(token), span(page_first), size, before, static_cast<std::uint64_t>(partitions),
                                    static_cast<std::uint64_t>(begin), static_cast<std::uint64_t>(end));
        }));
    }, "token"_a.noconvert(), "page_first"_a.noconvert(), "size"_a, "before"_a, "partitions"_a, "begin"_a, "end"_a);

    m.def("gram_classes", [](nb::list gram, nb::list position, nb::list first, std::int64_t begin, std::int64_t end,
                             std::int64_t bits, std::int64_t ranges) {
        const std::vector<U64> grams = arrays<U64>(gram, "gram_classes: gram must be contiguous NumPy arrays of uint64");
        const std::vector<U32> places = arrays<U32>(position, "gram_classes: position must be contiguous NumPy arrays of uint32");
        const std::vector<I64> firsts = arrays<I64>(first, "gram_classes: first must be contiguous NumPy arrays of int64");
        if (places.size() != grams.size() || firsts.size() != grams.size())
            throw std::invalid_argument("gram, position and first must be equally many");
        if (begin < 0 || end < begin) throw std::invalid_argument("begin and end must ascend");
        if (bits < 0 || bits > 32 || ranges < 1 || ranges > 1 << 20) throw std::invalid_argument("ranges: 1 to 1048576 of up to 2^32 tokens");
        std::vector<dedup::GramRows> batches;
        for (std::size_t i = 0; i < grams.size(); ++i) {
            if (places[i].size() != grams[i].size()) throw std::invalid_argument("gram and position must be equally long");
            if (static_cast<std::int64_t>(firsts[i].size()) <= end) throw std::invalid_argument("first: there are fewer partitions");
            check_first(firsts[i], grams[i].size());
            batches.push_back({span(grams[i]), span(places[i]), span(firsts[i])});
        }
        return to_numpy(release([&] {
            return dedup::gram_classes(batches, static_cast<std::size_t>(begin), static_cast<std::size_t>(end),
                                       static_cast<int>(bits), static_cast<std::size_t>(ranges));
        }));
    }, "gram"_a, "position"_a, "first"_a, "begin"_a, "end"_a, "bits"_a, "ranges"_a);

    m.def("class_runs", [](nb::list classes, std::int64_t begin, std::int64_t end) {
        if (begin < 0 || end < begin || end > 0xffffffffLL) throw std::invalid_argument("begin and end must ascend, below 2^32");
        const auto columns = arrays<U64>(classes, "class_runs: classes must be contiguous NumPy arrays of uint64");
        std::vector<std::span<const std::uint64_t>> parts;
        for (const U64& column : columns) parts.push_back(span(column));
        return to_numpy(release([&] {
            return dedup::class_runs(parts, static_cast<std::uint64_t>(begin), static_cast<std::uint64_t>(end));
        }));
    }, "classes"_a, "begin"_a, "end"_a);

    m.def("gram_runs", [](U32 token, I64 page_first, std::int64_t size) {
        check_first(page_first, token.size());
        if (size < 1) throw std::invalid_argument("size must be 1 at least");
        if (token.size() >= 0xffffffffULL) throw std::invalid_argument("token numbers must stay below 2^32");
        return to_numpy(release([&] { return dedup::gram_runs(span(token), span(page_first), size); }));
    }, "token"_a.noconvert(), "page_first"_a.noconvert(), "size"_a);

    m.def("exact_repeats", [](U32 position, U32 leader, U32 length, std::int64_t size, std::int64_t max_members,
                              U8 halves, std::int64_t min_tokens, I64 block_first, I64 page_first) {
        if (position.size() != leader.size() || position.size() != length.size())
            throw std::invalid_argument("position, leader and length must be equally long");
        if (size < 1 || size > 0xffffffffLL) throw std::invalid_argument("size must be 1 to 4294967295");
        if (min_tokens < 0 || min_tokens > 0xffffffffLL) throw std::invalid_argument("min_tokens must be 0 to 4294967295");
        check_first(block_first, 0xffffffff);
        check_first(page_first, 0xffffffff);
        if (page_first.data()[0] != block_first.data()[0] ||
            page_first.data()[page_first.size() - 1] != block_first.data()[block_first.size() - 1])
            throw std::invalid_argument("page_first and block_first must begin and end together");
        return to_numpy(release([&] {
            dedup::RepeatedGrams grams(span(position), span(leader), span(length));
            if (grams.end() > block_first.data()[block_first.size() - 1])
                throw std::invalid_argument("runs: a gram begins behind the last block");
            return dedup::RepeatFinder(std::move(grams), max_members, {span(halves), min_tokens, size}, span(block_first),
                                       span(page_first)).found();
        }));
    }, "position"_a.noconvert(), "leader"_a.noconvert(), "length"_a.noconvert(), "size"_a, "max_members"_a,
       "halves"_a.noconvert(), "min_tokens"_a, "block_first"_a.noconvert(), "page_first"_a.noconvert());

    m.def("blocks_of", [](I64 block_first, I64 token) {
        check_first(block_first, 0xffffffff);
        const std::int64_t tokens = block_first.data()[block_first.size() - 1];
        for (const std::int64_t t : span(token))
            if (t < block_first.data()[0] || t > tokens) throw std::invalid_argument("token: one is in no block");
        return to_numpy(release([&] {
            const dedup::Blocks blocks(span(block_first));
            dedup::Mapped<std::int64_t> out(token.size());
            dedup::Relief relief;
            dedup::for_each_nearby(span(token), [&](std::size_t i) {
                relief.places(2);
                out[i] = blocks.of(token.data()[i]);
            });
            return out;
        }));
    }, "block_first"_a.noconvert(), "token"_a.noconvert());

    m.def("join_links", [](I64 a0, I64 a1, I64 b0, I64 b1, U8 exact, I64 block_first, I64 halves, U64 fingerprint,
                           U8 headline, I64 page_first, U64 page_digest, std::int64_t max_edit, std::int64_t low,
                           std::int64_t high) {
        const std::size_t n = a0.size();
        if (a1.size() != n || b0.size() != n || b1.size() != n || exact.size() != n)
            throw std::invalid_argument("the columns of links must be equally long");
        check_first(page_first, fingerprint.size());
        if (page_first.data()[0] != 0 ||
            page_first.data()[page_first.size() - 1] != static_cast<std::int64_t>(fingerprint.size()))
            throw std::invalid_argument("page_first: each block is on a page");
        if (block_first.size() != fingerprint.size() + 1)
            throw std::invalid_argument("block_first must be one longer than fingerprint");
        if (page_first.size() != page_digest.size() + 1)
            throw std::invalid_argument("page_first must be one longer than page_digest");
        if (headline.size() != fingerprint.size())
            throw std::invalid_argument("headline and fingerprint must be equally long");
        if (halves.size() != fingerprint.size())
            throw std::invalid_argument("halves and fingerprint must be equally long");
        check_first(block_first, 0xffffffff);
        const std::int64_t tokens = block_first.data()[block_first.size() - 1];
        dedup::check_ranges(span(a0), span(a1), tokens, "a");
        dedup::check_ranges(span(b0), span(b1), tokens, "b");
        for (std::size_t i = 0; i < n; ++i)
            if (a0.data()[i] == a1.data()[i] || b0.data()[i] == b1.data()[i])
                throw std::invalid_argument("a link must hold a token on both sides");
        return to_numpy(release([&] {
            const dedup::Blocks blocks(span(block_first));
            const auto page_of = [&](std::int64_t token) {
                const std::int64_t* const begin = page_first.data();
                return std::upper_bound(begin, begin + page_first.size(), blocks.of(token)) - begin - 1;
            };
            const auto begins = span(a0);
            dedup::Mapped<dedup::Link> links;
            links.reserve(static_cast<std::size_t>(
                std::count_if(begins.begin(), begins.end(), [&](std::int64_t at) { return at >= low && at < high; })));
            for (std::size_t i = 0; i < n; ++i)
                if (a0.data()[i] >= low && a0.data()[i] < high)
                    links.push_back({a0.data()[i], a1.data()[i], b0.data()[i], b1.data()[i], page_of(a0.data()[i]),
                                     page_of(b0.data()[i]), exact.data()[i] != 0});
            return dedup::Runs(std::move(links), blocks, span(halves), span(fingerprint), span(headline), span(page_first),
                               span(page_digest), dedup::RunLimits{.max_edit = max_edit}).joined();
        }));
    }, "a0"_a.noconvert(), "a1"_a.noconvert(), "b0"_a.noconvert(), "b1"_a.noconvert(), "exact"_a.noconvert(),
       "block_first"_a.noconvert(), "halves"_a.noconvert(), "fingerprint"_a.noconvert(), "headline"_a.noconvert(),
       "page_first"_a.noconvert(), "page_digest"_a.noconvert(), "max_edit"_a, "low"_a, "high"_a);
}

void bind_groups(nb::module_& m) {
    m.def("overlapping_nodes", [](I64 component, I64 t0, I64 t1) {
        if (t0.size() != component.size() || t1.size() != component.size())
            throw std::invalid_argument("one place and one component are needed a node");
        check_members(component, static_cast<std::int64_t>(component.size()), "component");
        return to_numpy(release([&] { return dedup::overlapping_nodes(span(component), span(t0), span(t1)); }));
    }, "component"_a.noconvert(), "t0"_a.noconvert(), "t1"_a.noconvert());

    m.def("merge_apart", [](I64 t0, I64 t1, I64 component, I64 a, I64 b, std::int64_t most) {
        if (t0.size() != component.size() || t1.size() != component.size())
            throw std::invalid_argument("one place and one component are needed a node");
        if (a.size() != b.size()) throw std::invalid_argument("a and b must be equally long");
        for (const auto& [column, name] : {std::pair{&component, "component"}, {&a, "a"}, {&b, "b"}})
            check_members(*column, static_cast<std::int64_t>(component.size()), name);
        return to_numpy(release([&] {
            return dedup::merge_apart(span(t0), span(t1), span(component), span(a), span(b), most);
        }));
    }, "t0"_a.noconvert(), "t1"_a.noconvert(), "component"_a.noconvert(), "a"_a.noconvert(), "b"_a.noconvert(), "most"_a);

    m.def("implied_groups", [](I64 first, I64 t0, I64 t1, I64 groups, std::int64_t around, I64 number, I64 place, I64 start, I64 end) {
        check_first(first, t0.size());
        if (first.data()[0] != 0 || first.data()[first.size() - 1] != static_cast<std::int64_t>(t0.size()) ||
            t1.size() != t0.size() || number.size() != t0.size())
            throw std::invalid_argument("the columns of occurrences must be equally long");
        if (around < 0) throw std::invalid_argument("around must not be negative");
        dedup::check_ranges(span(t0), span(t1), INT64_MAX, "occurrences");
        check_members(groups, static_cast<std::int64_t>(first.size()) - 1, "groups");
        for (const std::int64_t g : span(groups))
            if (first.data()[g] == first.data()[g + 1]) throw std::invalid_argument("groups names one without occurrences");
        if (start.size() != place.size() || end.size() != place.size())
            throw std::invalid_argument("the columns of gaps must be equally long");
        return to_numpy(release([&] {
            return dedup::implied_groups(span(first), span(t0), span(t1), span(groups), around, span(number),
                                         dedup::Gaps{span(place), span(start), span(end)});
        }));
    }, "first"_a.noconvert(), "t0"_a.noconvert(), "t1"_a.noconvert(), "groups"_a.noconvert(), "around"_a,
       "number"_a.noconvert(), "place"_a.noconvert(), "start"_a.noconvert(), "end"_a.noconvert());

    m.def("heaviest", [](I64 number, I64 start, I64 end, I64 weight, I64 first, I64 but, std::int64_t top) {
        dedup::check_ranges(span(start), span(end), static_cast<std::int64_t>(number.size()), "ranges");
        check_first(first, start.size());
        if (first.size() != but.size() + 1) throw std::invalid_argument("first must be one longer than the lists");
        if (weight.size() != start.size()) throw std::invalid_argument("each range has a weight");
        if (top < 0 || top > 1 << 16) throw std::invalid_argument("top must be 0 to 65536");
        for (const std::int64_t each : span(weight))
            if (each < 1) throw std::invalid_argument("weights must be 1 or more");
        return to_numpy(release([&] {
            return dedup::heaviest(span(number), span(start), span(end), span(weight), span(first), span(but),
                                   static_cast<std::size_t>(top));
        }));
    }, "number"_a.noconvert(), "start"_a.noconvert(), "end"_a.noconvert(), "weight"_a.noconvert(), "first"_a.noconvert(),
       "but"_a.noconvert(), "top"_a);
}

}  // namespace

void bind_stages(nb::module_& m) {
    bind_sets(m);
    bind_runs(m);
    bind_groups(m);
}
