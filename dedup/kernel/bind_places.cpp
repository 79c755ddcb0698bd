// Bindings of places.hpp, postings.hpp, sieve.hpp and packed.hpp; twin_places.py, twin_postings.py, twin_sieve.py and
// twin_packed.py say what each does.
#include "bind.hpp"
#include "apart.hpp"
#include "packed.hpp"
#include "places.hpp"
#include "postings.hpp"
#include "runs.hpp"
#include "sentences.hpp"
#include "sieve.hpp"

namespace {

// Throws unless the columns of blocks fit together: bytes and code points of each, and its first token, one longer.
void check_blocks(const I64& start, const I64& end, std::size_t text) {
    dedup::check_ranges(span(start), span(end), static_cast<std::int64_t>(text), "text");
}

void check_token_first(const I64& token_first, std::size_t blocks) {
    check_first(token_first, 0xffffffff);
    if (token_first.size() != blocks + 1) throw std::invalid_argument("token_first must be one longer than the blocks");
}

void check_tokens(const I64& token_first, const I64& t0, const I64& t1, std::int64_t least) {
    const auto tokens = span(token_first);
    dedup::check_ranges(span(t0), span(t1), tokens.back(), "tokens");
    for (std::size_t i = 0; i < t0.size(); ++i)
        if (t0.data()[i] < tokens.front() || t1.data()[i] - t0.data()[i] < least)
            throw std::invalid_argument("tokens: a range holds none");
}

// What bytes in a list hold; the list keeps them.
std::vector<dedup::Bytes> chunk_spans(const nb::list& chunks, const char* function) {
    std::vector<dedup::Bytes> spans;
    for (const nb::handle data : chunks) {
        if (PyByteArray_Check(data.ptr())) {
            spans.emplace_back(reinterpret_cast<const std::uint8_t*>(PyByteArray_AsString(data.ptr())),
                               static_cast<std::size_t>(PyByteArray_Size(data.ptr())));
            continue;
        }
        if (!nb::isinstance<nb::bytes>(data)) throw nb::type_error((std::string(function) + ": chunks must be bytes").c_str());
        spans.push_back(bytes_of(nb::borrow<nb::bytes>(data)));
    }
    return spans;
}

// Throws unless each chunk has rows, as many as its header can say, and their keys ascend.
void check_chunks(const U64& key, const U32& page, const U32& extra, const I64& first) {
    if (page.size() != key.size() || extra.size() != key.size()) throw std::invalid_argument("key, page and extra must be equally long");
    check_first(first, key.size());
    for (std::size_t c = 0; c + 1 < first.size(); ++c) {
        const std::int64_t rows = first.data()[c + 1] - first.data()[c];
        if (rows < 1 || rows > static_cast<std::int64_t>(dedup::Chunk::kMostRows))
            throw std::invalid_argument("first: a chunk has 1 to 65,535 rows");
        const auto keys = span(key).subspan(static_cast<std::size_t>(first.data()[c]), static_cast<std::size_t>(rows));
        if (!std::is_sorted(keys.begin(), keys.end())) throw std::invalid_argument("key must ascend");
    }
}

// Throws unless `first` describes what was asked for under keys, and each place has one of these.
void check_asked(const I64& first, std::size_t asked, const I64& key, std::size_t places) {
    check_first(first, asked);
    if (key.size() != places) throw std::invalid_argument("key: one for each place is needed");
    check_members(key, static_cast<std::int64_t>(first.size()) - 1, "key");
}

// Throws unless rows name bitmaps of so many words each.
void check_sieve(const I64& row, std::size_t absent, std::int64_t words) {
    if (words < 1 || words > static_cast<std::int64_t>(dedup::kMostSieveWords) || (words & (words - 1)) != 0)
        throw std::invalid_argument("words must be a power of two, 64 at most");
    check_members(row, static_cast<std::int64_t>(absent) / words, "row");
}

}  // namespace

void bind_places(nb::module_& m) {
    m.def("chunk_places", [](nb::list buffers, I64 place, U64 key) {
        if (place.size() != key.size()) throw std::invalid_argument("place and key must be equally long");
        const std::vector<dedup::Bytes> spans = chunk_spans(buffers, "chunk_places");
        return to_numpy(release([&] { return dedup::chunk_places(spans, span(place), span(key)); }));
    }, "buffers"_a, "place"_a.noconvert(), "key"_a.noconvert());

    m.def("chunk_rows", [](nb::list chunks) {
        const std::vector<dedup::Bytes> spans = chunk_spans(chunks, "chunk_rows");
        return to_numpy(release([&] { return dedup::chunk_rows(spans); }));
    }, "chunks"_a);

    m.def("packed_chunks", [](U64 key, U32 page, U32 extra, I64 first, std::int64_t level, std::int64_t number) {
        check_chunks(key, page, extra, first);
        if (level < 0 || level > 0xff) throw std::invalid_argument("level must be 0 to 255");
        return to_numpy(release([&] {
            return dedup::packed_chunks(span(key), span(page), span(extra), span(first), static_cast<std::uint8_t>(level), number);
        }));
    }, "key"_a.noconvert(), "page"_a.noconvert(), "extra"_a.noconvert(), "first"_a.noconvert(), "level"_a, "number"_a);

    m.def("chunks_of_keys", [](U64 fence, U64 key, std::int64_t after, std::int64_t most) {
        if (!std::is_sorted(span(key).begin(), span(key).end())) throw std::invalid_argument("key must ascend");
        if (after < 0 || most < 1) throw std::invalid_argument("after must be 0 or more, most 1 or more");
        return to_numpy(release([&] { return dedup::chunks_of_keys(span(fence), span(key), after, most); }));
    }, "fence"_a.noconvert(), "key"_a.noconvert(), "after"_a, "most"_a);

    m.def("damaged_chunk", [](nb::list chunks, I64 number) {
        if (number.size() != chunks.size()) throw std::invalid_argument("chunks and number must be equally long");
        const std::vector<dedup::Bytes> spans = chunk_spans(chunks, "damaged_chunk");
        return release([&] { return dedup::damaged_chunk(spans, span(number)); });
    }, "chunks"_a, "number"_a.noconvert());

    // Both hold the GIL: threads share the bitmaps.
    m.def("note_absent", [](nb::list chunks, I64 row, InOut<std::uint64_t> absent, std::int64_t words) {
        check_sieve(row, absent.size(), words);
        if (row.size() != chunks.size()) throw std::invalid_argument("chunks and row must be equally long");
        dedup::note_absent(chunk_spans(chunks, "note_absent"), span(row), span(absent, "absent"), static_cast<std::size_t>(words));
    }, "chunks"_a, "row"_a.noconvert(), "absent"_a.noconvert(), "words"_a);

    m.def("may_hold", [](U64 absent, std::int64_t words, I64 row, U64 key) {
        check_sieve(row, absent.size(), words);
        if (row.size() != key.size()) throw std::invalid_argument("row and key must be equally long");
        return to_numpy(dedup::may_hold(span(absent), static_cast<std::size_t>(words), span(row), span(key)));
    }, "absent"_a.noconvert(), "words"_a, "row"_a.noconvert(), "key"_a.noconvert());

    m.def("pack_texts", [](U8 text, I64 first, nb::bytes dictionary) {
        check_first(first, text.size());
        if (text.size() >> 31) throw std::invalid_argument("text must be shorter than 2 GB");
        const dedup::Bytes known = bytes_of(dictionary);
        return to_numpy(release([&] { return dedup::pack_texts(span(text), span(first), known); }));
    }, "text"_a.noconvert(), "first"_a.noconvert(), "dictionary"_a);

    m.def("unpack_texts", [](nb::list packed, I64 size, nb::bytes dictionary) {
        if (size.size() != packed.size()) throw std::invalid_argument("packed and size must be equally long");
        const std::vector<dedup::Bytes> blocks = chunk_spans(packed, "unpack_texts");
        const dedup::Bytes known = bytes_of(dictionary);
        auto [text, damaged] = release([&] { return dedup::unpack_texts(blocks, span(size), known); });
        return std::make_tuple(to_numpy(std::move(text)), damaged);
    }, "packed"_a, "size"_a.noconvert(), "dictionary"_a);

    m.def("landmarks", [](U32 token, I64 page_first, std::int64_t size, std::int64_t window) {
        check_first(page_first, token.size());
        if (size < 1 || window < 1) throw std::invalid_argument("size and window must be 1 or more");
        return to_numpy(release([&] { return dedup::landmarks(span(token), span(page_first), size, window); }));
    }, "token"_a.noconvert(), "page_first"_a.noconvert(), "size"_a, "window"_a);

    m.def("sorted_rows", [](U64 key, U32 page, U32 extra) {
        if (page.size() != key.size() || extra.size() != key.size())
            throw std::invalid_argument("key, page and extra must be equally long");
        return to_numpy(release([&] { return dedup::sorted_rows(span(key), span(page), span(extra)); }));
    }, "key"_a.noconvert(), "page"_a.noconvert(), "extra"_a.noconvert());

    m.def("band_rows", [](U32 keys, U32 page, U32 extra) {
        if (page.size() != extra.size()) throw std::invalid_argument("page and extra must be equally long");
        if (page.size() ? keys.size() % page.size() : keys.size())
            throw std::invalid_argument("keys: one of each set is needed for each band");
        return to_numpy(release([&] { return dedup::band_rows(span(keys), span(page), span(extra)); }));
    }, "keys"_a.noconvert(), "page"_a.noconvert(), "extra"_a.noconvert());

    m.def("extras_agree", [](I64 first, U32 asked, I64 key, U32 extra, U32 masks) {
        check_asked(first, asked.size(), key, extra.size());
        return to_numpy(release([&] {
            return dedup::extras_agree(span(first), span(asked), span(key), span(extra), span(masks));
        }));
    }, "first"_a.noconvert(), "asked"_a.noconvert(), "key"_a.noconvert(), "extra"_a.noconvert(), "masks"_a.noconvert());

    m.def("paired_twice", [](I64 first, U64 asked, I64 key, U64 place) {
        check_asked(first, asked.size(), key, place.size());
        return to_numpy(release([&] { return dedup::paired_twice(span(first), span(asked), span(key), span(place)); }));
    }, "first"_a.noconvert(), "asked"_a.noconvert(), "key"_a.noconvert(), "place"_a.noconvert());

    m.def("sentences", [](U8 text, I64 start, I64 end) {
        return to_numpy(release([&] { return dedup::sentences(span(text), span(start), span(end)); }));
    }, "text"_a.noconvert(), "start"_a.noconvert(), "end"_a.noconvert());

    m.def("locate", [](U8 text, I64 start, I64 end, I64 start_chars, I64 end_chars, I64 token_first, std::uint32_t flags, I64 t0,
                       I64 t1) {
        dedup::Located found = release([&] {
            if (token_first.size() != start.size() + 1) throw std::invalid_argument("token_first must be one longer than the blocks");
            if (end.size() != start.size() || start_chars.size() != start.size() || end_chars.size() != start.size())
                throw std::invalid_argument("the columns of blocks must be equally long");
            check_tokens(token_first, t0, t1, 1);
            if (t0.size() > 0xffffffffU) throw std::invalid_argument("tokens: 2^32 ranges at most");
            const dedup::BlockEdges blocks{span(start), span(end), span(start_chars), span(end_chars)};
            return dedup::locate(span(text), blocks, span(token_first), flags, span(t0), span(t1));
        });
        return std::make_tuple(to_numpy(std::move(found.first)), to_numpy(std::move(found.last)), to_numpy(std::move(found.begin)),
                               to_numpy(std::move(found.finish)), to_numpy(std::move(found.begin_chars)),
                               to_numpy(std::move(found.finish_chars)));
    }, "text"_a.noconvert(), "start"_a.noconvert(), "end"_a.noconvert(), "start_chars"_a.noconvert(), "end_chars"_a.noconvert(),
       "token_first"_a.noconvert(), "flags"_a, "t0"_a.noconvert(), "t1"_a.noconvert());

    m.def("counts_up_to", [](I64 ascending, I64 place) {
        return to_numpy(release([&] { return dedup::counts_up_to(span(ascending), span(place)); }));
    }, "ascending"_a.noconvert(), "place"_a.noconvert());

    m.def("chars_at", [](U8 text, I64 start, I64 end, I64 start_chars, I64 end_chars, I64 block, I64 position) {
        return to_numpy(release([&] {
            check_blocks(start, end, text.size());
            if (start_chars.size() != start.size() || end_chars.size() != start.size() || block.size() != position.size())
                throw std::invalid_argument("the columns must be equally long");
            check_members(block, static_cast<std::int64_t>(start.size()), "block");
            return dedup::chars_at(span(text), span(start), span(end), span(start_chars), span(end_chars), span(block),
                                   span(position));
        }));
    }, "text"_a.noconvert(), "start"_a.noconvert(), "end"_a.noconvert(), "start_chars"_a.noconvert(),
       "end_chars"_a.noconvert(), "block"_a.noconvert(), "position"_a.noconvert());

    m.def("equal_spans", [](U8 text, I64 part_start, I64 part_end, I64 first, I64 a, I64 b, std::uint32_t flags) {
        return to_numpy(release([&] {
            if (part_start.size() != part_end.size()) throw std::invalid_argument("text: as many starts as ends are needed");
            if (a.size() != b.size()) throw std::invalid_argument("a and b must be equally long");
            check_members(a, static_cast<std::int64_t>(first.size()) - 1, "a");
            check_members(b, static_cast<std::int64_t>(first.size()) - 1, "b");
            return dedup::equal_spans({span(text), span(part_start), span(part_end), span(first)}, span(a), span(b), flags);
        }));
    }, "text"_a.noconvert(), "part_start"_a.noconvert(), "part_end"_a.noconvert(), "first"_a.noconvert(), "a"_a.noconvert(),
       "b"_a.noconvert(), "flags"_a);

    m.def("range_halves", [](I64 token_first, I64 halves, I64 halves_before, I64 t0, I64 t1) {
        return to_numpy(release([&] {
            check_token_first(token_first, halves.size());
            if (halves_before.size() != token_first.size())
                throw std::invalid_argument("halves_before must be one longer than the blocks");
            check_tokens(token_first, t0, t1, 0);
            return dedup::range_halves(dedup::Blocks(span(token_first)), span(halves), span(halves_before), span(t0), span(t1));
        }));
    }, "token_first"_a.noconvert(), "halves"_a.noconvert(), "halves_before"_a.noconvert(), "t0"_a.noconvert(),
       "t1"_a.noconvert());

    m.def("take_ranges", [](I64 first, I64 ranges) {
        check_members(ranges, static_cast<std::int64_t>(first.size()) - 1, "ranges");
        return to_numpy(release([&] { return dedup::take_ranges(span(first), span(ranges)); }));
    }, "first"_a.noconvert(), "ranges"_a.noconvert());

    m.def("ranges_apart", [](I64 owner, I64 start, I64 end) {
        if (owner.size() != start.size()) throw std::invalid_argument("the columns must be equally long");
        dedup::check_ranges(span(start), span(end), INT64_MAX, "ranges");
        check_members(owner, INT64_MAX, "owner");
        return to_numpy(release([&] { return dedup::ranges_apart(span(owner), span(start), span(end)); }));
    }, "owner"_a.noconvert(), "start"_a.noconvert(), "end"_a.noconvert());

    m.def("lengths_inside", [](I64 frame_start, I64 frame_end, I64 start, I64 end) {
        dedup::check_ranges(span(frame_start), span(frame_end), INT64_MAX, "frames");
        dedup::check_ranges(span(start), span(end), INT64_MAX, "ranges");
        for (std::size_t f = 1; f < frame_start.size(); ++f)
            if (frame_start.data()[f] < frame_end.data()[f - 1])
                throw std::invalid_argument("frames: they must ascend and be apart from each other");
        return to_numpy(release([&] {
            return dedup::lengths_inside(span(frame_start), span(frame_end), span(start), span(end));
        }));
    }, "frame_start"_a.noconvert(), "frame_end"_a.noconvert(), "start"_a.noconvert(), "end"_a.noconvert());

    m.def("covered", [](I64 start, I64 end, I64 inner_start, I64 inner_end, I64 owner, U8 chosen, std::int64_t choices,
                        std::int64_t owners) {
        if (choices < 1 || choices > 8) throw std::invalid_argument("choices must be 1 to 8");
        if (owner.size() != start.size() || chosen.size() != start.size() || inner_start.size() != start.size())
            throw std::invalid_argument("the columns must be equally long");
        dedup::check_ranges(span(start), span(end), INT64_MAX, "ranges");
        dedup::check_ranges(span(inner_start), span(inner_end), INT64_MAX, "inner");
        if (owners > UINT32_MAX) throw std::invalid_argument("owners must be below 2^32");
        check_members(owner, owners, "owner");
        return to_numpy(release([&] {
            return dedup::covered(span(start), span(end), span(inner_start), span(inner_end), span(owner), span(chosen), choices,
                                  owners);
        }));
    }, "start"_a.noconvert(), "end"_a.noconvert(), "inner_start"_a.noconvert(), "inner_end"_a.noconvert(), "owner"_a.noconvert(),
       "chosen"_a.noconvert(), "choices"_a, "owners"_a);
}
