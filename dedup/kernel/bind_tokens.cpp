// Bindings of tokenise.hpp, positions.hpp, lines.hpp, json.hpp, rows.hpp and repetition.hpp.
#include <nanobind/stl/string.h>

#include "authorities.hpp"
#include "bind.hpp"
#include "json.hpp"
#include "lines.hpp"
#include "positions.hpp"
#include "repetition.hpp"
#include "rows.hpp"
#include "tokenise.hpp"

namespace {

using Text = In<std::uint8_t>;
using Numbers = In<std::int64_t>;

using Given = std::tuple<int, nb::bytes, nb::bytes, nb::bytes, Text, Numbers, Numbers>;

// What fields hold, who keep it.
std::vector<dedup::Field> fields_of(const std::vector<Given>& fields) {
    std::vector<dedup::Field> out;
    for (const auto& [kind, before, after, missing, data, start, end] : fields) {
        if (kind < 0 || kind > 3) throw std::invalid_argument("kind must be 0, 1, 2 or 3");
        out.push_back({static_cast<dedup::Cell>(kind), bytes_of(before), bytes_of(after), bytes_of(missing), span(data),
                       span(start), span(end)});
        if (start.size() != out.front().start.size() || end.size() != start.size())
            throw std::invalid_argument("fields must be equally long");
        dedup::check_cells(out.back());
    }
    return out;
}

}  // namespace

void bind_tokens(nb::module_& m) {
    m.attr("unicode_version") = dedup::unicode::kVersion;
    m.attr("tables_digest") = dedup::unicode::kDigest;

    m.def("tokenise", [](Text text, Numbers start, Numbers end, std::uint32_t flags, std::uint64_t seed) {
        return to_numpy(release([&] { return dedup::tokenise(span(text), span(start), span(end), flags, seed); }));
    }, "text"_a.noconvert(), "start"_a.noconvert(), "end"_a.noconvert(), "flags"_a = 0, "seed"_a = 0);

    m.def("hash_tokens", [](Text text, Numbers start, Numbers end, std::uint32_t flags, std::uint64_t seed) {
        return to_numpy(release([&] { return dedup::hash_tokens(span(text), span(start), span(end), flags, seed); }));
    }, "text"_a.noconvert(), "start"_a.noconvert(), "end"_a.noconvert(), "flags"_a = 0, "seed"_a = 0);

    m.def("survey_tokens", [](Text text, Numbers start, Numbers end, std::uint32_t flags) {
        return to_numpy(release([&] { return dedup::survey_tokens(span(text), span(start), span(end), flags); }));
    }, "text"_a.noconvert(), "start"_a.noconvert(), "end"_a.noconvert(), "flags"_a = 0);

    m.def("survey_bands", [](Text text, Numbers start, Numbers end, std::uint32_t flags, std::int64_t size, std::int64_t bands,
                             std::int64_t rows, std::uint64_t seed) {
        if (size < 1) throw std::invalid_argument("size must be at least 1");
        check_bands(bands, rows, 1 << 20);
        return to_numpy(release([&] {
            return dedup::survey_bands(span(text), span(start), span(end), flags, size, bands, rows, seed);
        }));
    }, "text"_a.noconvert(), "start"_a.noconvert(), "end"_a.noconvert(), "flags"_a, "size"_a, "bands"_a, "rows"_a, "seed"_a);

    m.def("short_sets", [](Text text, Numbers start, Numbers end, std::uint32_t flags, std::int64_t size,
                           InOut<std::uint32_t> values) {
        if (size < 1) throw std::invalid_argument("size must be at least 1");
        const std::span<std::uint32_t> room = span(values, "values");
        return to_numpy(release([&] { return dedup::short_sets(span(text), span(start), span(end), flags, size, room); }));
    }, "text"_a.noconvert(), "start"_a.noconvert(), "end"_a.noconvert(), "flags"_a, "size"_a, "values"_a.noconvert());

    m.def("token_edges", [](Text text, Numbers start, Numbers end, std::uint32_t flags, Numbers row, Numbers nth) {
        return to_numpy(release(
            [&] { return dedup::token_edges(span(text), span(start), span(end), flags, span(row), span(nth)); }));
    }, "text"_a.noconvert(), "start"_a.noconvert(), "end"_a.noconvert(), "flags"_a, "row"_a.noconvert(),
       "nth"_a.noconvert());

    m.def("count_tokens", [](Text text, Numbers start, Numbers end, std::uint32_t flags) {
        return to_numpy(release([&] { return dedup::count_tokens(span(text), span(start), span(end), flags); }));
    }, "text"_a.noconvert(), "start"_a.noconvert(), "end"_a.noconvert(), "flags"_a = 0);

    m.def("token_halves", [](Text text, Numbers start, Numbers end, std::uint32_t flags) {
        return to_numpy(release([&] { return dedup::token_halves(span(text), span(start), span(end), flags); }));
    }, "text"_a.noconvert(), "start"_a.noconvert(), "end"_a.noconvert(), "flags"_a = 0);

    m.def("normalise", [](Text text, Numbers start, Numbers end, std::uint32_t flags) {
        return to_numpy(release([&] { return dedup::normalise(span(text), span(start), span(end), flags); }));
    }, "text"_a.noconvert(), "start"_a.noconvert(), "end"_a.noconvert(), "flags"_a = 0);

    m.def("equal_tokens", [](Text text_a, Numbers a_start, Numbers a_end, Text text_b, Numbers b_start,
                             Numbers b_end, std::uint32_t flags) {
        return to_numpy(release([&] {
            return dedup::equal_tokens(span(text_a), span(a_start), span(a_end), span(text_b), span(b_start),
                                       span(b_end), flags);
        }));
    }, "text_a"_a.noconvert(), "a_start"_a.noconvert(), "a_end"_a.noconvert(), "text_b"_a.noconvert(),
       "b_start"_a.noconvert(), "b_end"_a.noconvert(), "flags"_a = 0);

    m.def("code_points", [](Text text, Numbers positions) {
        return to_numpy(release([&] { return dedup::code_points(span(text), span(positions)); }));
    }, "text"_a.noconvert(), "positions"_a.noconvert());

    m.def("char_columns", [](Text text, Numbers a, Numbers b, Numbers c) {
        return to_numpy(release([&] { return dedup::char_columns(span(text), span(a), span(b), span(c)); }));
    }, "text"_a.noconvert(), "a"_a.noconvert(), "b"_a.noconvert(), "c"_a.noconvert());

    m.def("byte_offsets", [](Text text, std::int64_t start, std::int64_t end, Numbers code_points) {
        return to_numpy(release([&] { return dedup::byte_offsets(span(text), start, end, span(code_points)); }));
    }, "text"_a.noconvert(), "start"_a, "end"_a, "code_points"_a.noconvert());

    m.def("line_numbers", [](Text text, std::int64_t start, Numbers positions) {
        return to_numpy(release([&] { return dedup::line_numbers(span(text), start, span(positions)); }));
    }, "text"_a.noconvert(), "start"_a, "positions"_a.noconvert());

    m.def("split_lines", [](Text text, Numbers start, Numbers end) {
        return to_numpy(release([&] { return dedup::split_lines(span(text), span(start), span(end)); }));
    }, "text"_a.noconvert(), "start"_a.noconvert(), "end"_a.noconvert());

    m.def("cut_bytes", [](Text data, Numbers start, Numbers end) {
        return to_numpy(release([&] { return dedup::cut_bytes(span(data), span(start), span(end)); }));
    }, "data"_a.noconvert(), "start"_a.noconvert(), "end"_a.noconvert());

    m.def("authorities", [](Text data, Numbers first) {
        return to_numpy(release([&] { return dedup::authorities(span(data), span(first)); }));
    }, "data"_a.noconvert(), "first"_a.noconvert());

    m.def("json_records", [](Text lines, Text names, Numbers name_first, std::int64_t texts) {
        return to_numpy(
            release([&] { return dedup::json_records(span(lines), span(names), span(name_first), texts); }));
    }, "lines"_a.noconvert(), "names"_a.noconvert(), "name_first"_a.noconvert(), "texts"_a);

    m.def("write_rows", [](nb::sequence fields) {
        std::vector<Given> given;
        for (const nb::handle field : fields) given.push_back(nb::cast<Given>(field, false));
        const std::vector<dedup::Field> all = fields_of(given);
        return to_numpy(release([&] { return dedup::RowWriter().write(all); }));
    }, "fields"_a);

    m.def("equal_bytes", [](Text text, Numbers start, Numbers end, Numbers other_start, Numbers other_end) {
        if (start.size() != other_start.size()) throw std::invalid_argument("text: as many ranges as others are needed");
        dedup::check_ranges(span(start), span(end), static_cast<std::int64_t>(text.size()), "text");
        dedup::check_ranges(span(other_start), span(other_end), static_cast<std::int64_t>(text.size()), "text");
        return to_numpy(release([&] {
            return dedup::equal_bytes(span(text), span(start), span(end), span(other_start), span(other_end));
        }));
    }, "text"_a.noconvert(), "start"_a.noconvert(), "end"_a.noconvert(), "other_start"_a.noconvert(),
       "other_end"_a.noconvert());

    m.def("repetition_counts", [](Text text, Numbers start, Numbers end, std::uint32_t flags) {
        return to_numpy(release([&] { return dedup::repetition_counts(span(text), span(start), span(end), flags); }));
    }, "text"_a.noconvert(), "start"_a.noconvert(), "end"_a.noconvert(), "flags"_a = 0);
}
