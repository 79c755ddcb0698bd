// Tokens of WTF-8 text: where they stand, their normalised content, its hash. docs/design/tokens.md defines them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <tuple>
#include <type_traits>
#include <utility>

#include "arrays.hpp"
#include "cut.hpp"
#include "digests.hpp"
#include "memory.hpp"
#include "positions.hpp"
#include "sets.hpp"
#include "slow_cutter.hpp"
#include "token_hash.hpp"
#include "token_lanes.hpp"

namespace dedup {

// (hash, start, end, half, first token of each range).
using Tokens = std::tuple<Mapped<std::uint64_t>, Mapped<std::int64_t>, Mapped<std::int64_t>,
                          Mapped<std::uint8_t>, Mapped<std::int64_t>>;

// The hash of each token.
template <class Batch>
struct HashSink {
    Batch batch;
    std::int64_t units = 0;  // tokens that count half

    void ascii(std::int64_t start, std::int64_t end) { batch.ascii(start, end); }
    void words(std::int64_t base, std::uint64_t starts, std::uint64_t ends) { batch.words(base, starts, ends); }
    template <class Put>
    std::uint64_t mixed_words(std::int64_t base, std::uint64_t starts, std::uint64_t ends, std::uint64_t others, Put put)
        requires requires { batch.mixed_words(base, starts, ends, others, put); }
    {
        return batch.mixed_words(base, starts, ends, others, put);
    }
    void content(const std::uint8_t* bytes, std::int64_t length, std::int64_t, std::int64_t, bool half) {
        batch.content(bytes, length);
        units += half;
    }
};

struct TokenSink {
    HashBatch batch;
    Tokens& tokens;

    void ascii(std::int64_t start, std::int64_t end) {
        batch.ascii(start, end);
        put(start, end, 0);
    }
    void content(const std::uint8_t* bytes, std::int64_t length, std::int64_t start, std::int64_t end, bool half) {
        batch.content(bytes, length);
        put(start, end, half);
    }
    void put(std::int64_t start, std::int64_t end, std::uint8_t half) {
        std::get<1>(tokens).push_back(start);
        std::get<2>(tokens).push_back(end);
        std::get<3>(tokens).push_back(half);
    }
};

inline std::size_t bytes_of(Offsets start, Offsets end) {
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < start.size(); ++i) bytes += static_cast<std::size_t>(end[i] - start[i]);
    return bytes;
}

inline Tokens tokenise(Bytes text, Offsets start, Offsets end, std::uint32_t flags, std::uint64_t seed) {
    const Folds folds = Folds::of(flags);
    check_ranges(start, end, static_cast<std::int64_t>(text.size()), "text");
    Tokens tokens;
    const std::size_t expected = bytes_of(start, end) / 5 + 16;
    std::get<0>(tokens).reserve(expected);
    std::get<1>(tokens).reserve(expected);
    std::get<2>(tokens).reserve(expected);
    std::get<3>(tokens).reserve(expected);
    TokenSink sink{{text, folds, seed, std::get<0>(tokens)}, tokens};
    SlowCutter slow(folds);
    auto& first = std::get<4>(tokens);
    first.assign(start.size() + 1, 0);
    for (std::size_t i = 0; i < start.size(); ++i) {
        cut_range(text, start[i], end[i], slow, sink);
        first[i + 1] = static_cast<std::int64_t>(sink.batch.size());
    }
    sink.batch.flush();
    return tokens;
}

// Calls use(tag of the best way to hash).
template <class Use>
auto with_best_hashes(Use use) {
#ifdef DEDUP_TOKEN_LANES
    if (kTokenLanes) return use(std::type_identity<HashLanes>{});
#endif
    return use(std::type_identity<HashBatch>{});
}

template <class Batch>
std::tuple<Mapped<std::uint64_t>, Mapped<std::int64_t>> hash_tokens_by(Bytes text, Offsets start, Offsets end,
                                                                       std::uint32_t flags, std::uint64_t seed) {
    const Folds folds = Folds::of(flags);
    check_ranges(start, end, static_cast<std::int64_t>(text.size()), "text");
    Mapped<std::uint64_t> hash;
    hash.reserve(bytes_of(start, end) / 5 + 16);
    HashSink<Batch> sink{{text, folds, seed, hash}};
    SlowCutter slow(folds);
    Mapped<std::int64_t> first(start.size() + 1, 0);
    for (std::size_t i = 0; i < start.size(); ++i) {
        cut_range(text, start[i], end[i], slow, sink);
        first[i + 1] = static_cast<std::int64_t>(sink.batch.size());
    }
    sink.batch.flush();
    return {std::move(hash), std::move(first)};
}

inline std::tuple<Mapped<std::uint64_t>, Mapped<std::int64_t>> hash_tokens(Bytes text, Offsets start, Offsets end,
                                                                           std::uint32_t flags, std::uint64_t seed) {
    return with_best_hashes([&]<class Batch>(std::type_identity<Batch>) { return hash_tokens_by<Batch>(text, start, end, flags, seed); });
}

template <class Batch, class Use>
void for_each_range_by(Bytes text, Offsets start, Offsets end, std::uint32_t flags, Use& use) {
    constexpr std::size_t kTokens = 4096;  // of some ranges together, so that their hashes are made in one go
    const Folds folds = Folds::of(flags);
    SlowCutter slow(folds);
    Scratch<std::uint64_t> scratch;
    Mapped<std::uint64_t>& hash = scratch.values();
    HashSink<Batch> sink{{text, folds, 0, hash}};
    Mapped<std::pair<std::size_t, std::int64_t>> ends;  // tokens and units up to the end of each range
    for (std::size_t i = 0, begin; i < start.size();) {
        hash.clear();
        ends.clear();
        sink.units = 0;
        for (begin = i; i < start.size() && sink.batch.size() < kTokens; ++i) {
            cut_range(text, start[i], end[i], slow, sink);
            ends.emplace_back(sink.batch.size(), sink.units);
        }
        sink.batch.flush();
        std::pair<std::size_t, std::int64_t> before{};
        for (const auto& own : ends) {
            use(begin++, std::span<const std::uint64_t>(hash).subspan(before.first, own.first - before.first),
                own.second - before.second);
            before = own;
        }
    }
}

// Calls use(range, hashes, units) for the tokens of each range: how many of them count half is the last.
template <class Use>
void for_each_range(Bytes text, Offsets start, Offsets end, std::uint32_t flags, Use use) {
    with_best_hashes([&]<class Batch>(std::type_identity<Batch>) { for_each_range_by<Batch>(text, start, end, flags, use); });
}

// What the stages need of the tokens of each range: half of each hash, how many there are, their length in halves, and a
// digest of them all (as range_digests makes it).
using Survey = std::tuple<Mapped<std::uint32_t>, Mapped<std::int64_t>, Mapped<std::int64_t>,
                          Mapped<std::uint64_t>>;

inline Survey survey_tokens(Bytes text, Offsets start, Offsets end, std::uint32_t flags) {
    check_ranges(start, end, static_cast<std::int64_t>(text.size()), "text");
    Scratch<std::uint32_t> scratch;
    Mapped<std::uint32_t>& token = scratch.values();
    token.reserve(bytes_of(start, end) / 5 + 16);
    Survey out;
    auto& [tokens, first, halves, digest] = out;
    first.assign(start.size() + 1, 0);
    halves.resize(start.size());
    digest.resize(start.size());
    for_each_range(text, start, end, flags, [&](std::size_t i, std::span<const std::uint64_t> hash, std::int64_t units) {
        const std::size_t at = token.size();
        token.resize(at + hash.size());
        for (std::size_t t = 0; t < hash.size(); ++t) token[at + t] = static_cast<std::uint32_t>(hash[t] >> 32);
        first[i + 1] = static_cast<std::int64_t>(token.size());
        halves[i] = 2 * static_cast<std::int64_t>(hash.size()) - units;
        digest[i] = fmix64(polynomial_sum(hash.size(), hash.data(), hash.size()));
    });
    tokens.assign(token.begin(), token.end());  // no longer than it must be
    return out;
}

// The same without the tokens, and the keys of each range's bands, as band_columns makes them of its shingle set: the key of
// range i in band b stands at b * ranges + i. And what else is asked of whole pages, as long as their text is in the nearer cache: code
// points, and two numbers a range as byte_digest makes them of its bytes.
using BandSurvey = std::tuple<Mapped<std::int64_t>, Mapped<std::int64_t>, Mapped<std::uint64_t>, Mapped<std::uint32_t>,
                              Mapped<std::int64_t>, Mapped<std::uint64_t>>;

inline BandSurvey survey_bands(Bytes text, Offsets start, Offsets end, std::uint32_t flags, std::int64_t size, std::int64_t bands,
                               std::int64_t rows, std::uint64_t seed) {
    check_ranges(start, end, static_cast<std::int64_t>(text.size()), "text");
    BandSurvey out;
    auto& [first, halves, digest, keys, chars, bytes] = out;
    first.assign(start.size() + 1, 0);
    halves.resize(start.size());
    digest.resize(start.size());
    keys.resize(start.size() * static_cast<std::size_t>(bands));
    chars.resize(start.size());
    bytes.resize(2 * start.size());
    BandHasher hash_bands(bands, rows, seed);
    Scratch<std::uint32_t, 3> scratch;
    Mapped<std::uint32_t>& shingle = scratch.values();
    for_each_range(text, start, end, flags, [&](std::size_t i, std::span<const std::uint64_t> hash, std::int64_t units) {
        first[i + 1] = first[i] + static_cast<std::int64_t>(hash.size());
        halves[i] = 2 * static_cast<std::int64_t>(hash.size()) - units;
        digest[i] = fmix64(polynomial_sum(hash.size(), hash.data(), hash.size()));
        shingle.resize(hash.size());
        hash_bands(shingle.data(), short_shingles(hash, size, shingle.data()), keys.data() + i,
                   static_cast<std::int64_t>(start.size()));
        chars[i] = count_code_points(text, start[i], end[i]);
        std::tie(bytes[2 * i], bytes[2 * i + 1]) = byte_digest(text.data() + start[i], static_cast<std::size_t>(end[i] - start[i]));
    });
    return out;
}

// Sets of the shingles of each range, of each element its upper half, as shingle_sets, written to `values`, which has room for
// as many as there are tokens. Returns where each begins.
inline Mapped<std::int64_t> short_sets(Bytes text, Offsets start, Offsets end, std::uint32_t flags, std::int64_t size,
                                       std::span<std::uint32_t> values) {
    check_ranges(start, end, static_cast<std::int64_t>(text.size()), "text");
    Mapped<std::int64_t> first(start.size() + 1, 0);
    for_each_range(text, start, end, flags, [&](std::size_t i, std::span<const std::uint64_t> hash, std::int64_t) {
        const auto at = static_cast<std::size_t>(first[i]);
        if (hash.size() > values.size() - at) throw std::invalid_argument("values has room for fewer than the tokens");
        first[i + 1] = first[i] + short_set(hash, size, values.data() + at);
    });
    return first;
}

// First and last byte of some tokens, and the length in halves of what stands before them in their range: row r is token
// nth[r] of range row[r]; rows ascend by range, then by token.
struct LengthSink {
    Offsets nth;
    std::size_t at, end;  // rows of this range
    Mapped<std::int64_t>&starts, &ends, &halves;
    std::int64_t count = 0, length = 0;

    void ascii(std::int64_t start, std::int64_t end_) { put(start, end_, 2); }
    void content(const std::uint8_t*, std::int64_t, std::int64_t start, std::int64_t end_, bool half) {
        put(start, end_, half ? 1 : 2);
    }
    void words(std::int64_t base, std::uint64_t begins, std::uint64_t finishes) {
        const std::int64_t words = count_bits(finishes);
        if (at == end || nth[at] >= count + words) {
            count += words;
            length += 2 * words;
            return;
        }
        for (; finishes; finishes &= finishes - 1, begins &= begins - 1)
            put(base + lowest_bit(begins), base + lowest_bit(finishes), 2);
    }
    void put(std::int64_t start, std::int64_t end_, std::int64_t own) {
        for (; at < end && nth[at] == count; ++at) starts[at] = start, ends[at] = end_, halves[at] = length;
        ++count;
        length += own;
    }
};

inline std::tuple<Mapped<std::int64_t>, Mapped<std::int64_t>, Mapped<std::int64_t>> token_edges(
    Bytes text, Offsets start, Offsets end, std::uint32_t flags, Offsets row, Offsets nth) {
    check_ranges(start, end, static_cast<std::int64_t>(text.size()), "text");
    check_ascending(row, static_cast<std::int64_t>(start.size()) - 1, "row");
    if (row.size() != nth.size()) throw std::invalid_argument("row and nth must be equally long");
    SlowCutter slow(Folds::of(flags));
    Mapped<std::int64_t> starts(row.size(), -1), ends(row.size(), -1), halves(row.size(), 0);
    for (std::size_t begin = 0, past; begin < row.size(); begin = past) {
        const auto range = static_cast<std::size_t>(row[begin]);
        for (past = begin + 1; past < row.size() && row[past] == row[begin];) ++past;
        LengthSink sink{nth, begin, past, starts, ends, halves};
        cut_range(text, start[range], end[range], slow, sink);
        if (sink.at != past) throw std::invalid_argument("nth: a range has no such token, or nth does not ascend");
    }
    return {std::move(starts), std::move(ends), std::move(halves)};
}

struct CountSink {
    std::int64_t tokens = 0, halves = 0;

    void ascii(std::int64_t, std::int64_t) {
        tokens += 1;
        halves += 2;
    }
    void words(std::int64_t, std::uint64_t, std::uint64_t ends) {
        const std::int64_t words = count_bits(ends);
        tokens += words;
        halves += 2 * words;
    }
    void content(const std::uint8_t*, std::int64_t, std::int64_t, std::int64_t, bool half) {
        tokens += 1;
        halves += half ? 1 : 2;
    }
};

inline std::tuple<Mapped<std::int64_t>, Mapped<std::int64_t>> count_tokens(Bytes text, Offsets start,
                                                                           Offsets end,
                                                                           std::uint32_t flags) {
    SlowCutter slow(Folds::of(flags));
    check_ranges(start, end, static_cast<std::int64_t>(text.size()), "text");
    Mapped<std::int64_t> tokens(start.size()), halves(start.size());
    for (std::size_t i = 0; i < start.size(); ++i) {
        CountSink sink;
        cut_range(text, start[i], end[i], slow, sink);
        tokens[i] = sink.tokens;
        halves[i] = sink.halves;
    }
    return {std::move(tokens), std::move(halves)};
}

struct HalvesSink {
    Mapped<std::uint8_t> halves;

    void ascii(std::int64_t, std::int64_t) { halves.push_back(2); }
    void words(std::int64_t, std::uint64_t, std::uint64_t ends) {
        for (std::int64_t left = count_bits(ends); left > 0; --left) halves.push_back(2);
    }
    void content(const std::uint8_t*, std::int64_t, std::int64_t, std::int64_t, bool half) { halves.push_back(half ? 1 : 2); }
};

// Half tokens of each token, range after range.
inline Mapped<std::uint8_t> token_halves(Bytes text, Offsets start, Offsets end, std::uint32_t flags) {
    SlowCutter slow(Folds::of(flags));
    check_ranges(start, end, static_cast<std::int64_t>(text.size()), "text");
    HalvesSink sink;
    for (std::size_t i = 0; i < start.size(); ++i) cut_range(text, start[i], end[i], slow, sink);
    return std::move(sink.halves);
}

// Contents of the tokens, with a blank before each but the first and a unit that follows a unit.
class NormaliseSink {
   public:
    NormaliseSink(Bytes text, bool fold_digits, ByteBuffer& out)
        : text_(text), fold_digits_(fold_digits), out_(out) {}

    void next_range() { first_ = true; }

    void ascii(std::int64_t start, std::int64_t end) {
        blank(false);
        // Words of eight bytes, the last one beyond the token where there is room: what is too much is overwritten.
        const std::uint8_t *from = text_.data() + start, *const limit = text_.data() + text_.size();
        std::uint8_t* to = out_.room(static_cast<std::size_t>(end - start) + 8);
        for (std::int64_t left = end - start; left > 0; from += 8, to += 8, left -= 8) {
            const std::uint64_t word = limit - from >= 8 ? load_word(from) : load_word(from, static_cast<std::size_t>(left));
            store_word(to, fold_ascii(word, fold_digits_));
        }
        out_.extend(static_cast<std::size_t>(end - start));
    }
    // The same for all words of a window, with room for them taken once.
    void words(std::int64_t base, std::uint64_t starts, std::uint64_t ends) {
        constexpr std::int64_t kAtOnce = 16;  // bytes of a word
        if (static_cast<std::int64_t>(text_.size()) - base < 64 + kAtOnce) {
            for (; ends; ends &= ends - 1, starts &= starts - 1) ascii(base + lowest_bit(starts), base + lowest_bit(ends));
            return;
        }
        std::uint8_t* const begin = out_.room(64 + 32 + kAtOnce);
        std::uint8_t* to = begin;
        for (; ends; ends &= ends - 1, starts &= starts - 1) {
            *to = ' ';
            to += !first_;
            first_ = half_before_ = false;
            const std::int64_t start = lowest_bit(starts), length = lowest_bit(ends) - start;
            const std::uint8_t* const from = text_.data() + base + start;
            store_word(to, fold_ascii(load_word(from), fold_digits_));
            store_word(to + 8, fold_ascii(load_word(from + 8), fold_digits_));
            for (std::int64_t i = kAtOnce; i < length; i += 8) store_word(to + i, fold_ascii(load_word(from + i), fold_digits_));
            to += length;
        }
        out_.extend(static_cast<std::size_t>(to - begin));
    }
    void content(const std::uint8_t* bytes, std::int64_t length, std::int64_t, std::int64_t, bool half) {
        blank(half);
        std::memcpy(out_.room(static_cast<std::size_t>(length)), bytes, static_cast<std::size_t>(length));
        out_.extend(static_cast<std::size_t>(length));
    }

   private:
    void blank(bool half) {
        if (!first_ && !(half && half_before_)) out_.append(' ');
        first_ = false;
        half_before_ = half;
    }

    Bytes text_;
    bool fold_digits_, first_ = true, half_before_ = false;
    ByteBuffer& out_;
};

inline std::tuple<Mapped<std::uint8_t>, Mapped<std::int64_t>> normalise(Bytes text, Offsets start,
                                                                        Offsets end, std::uint32_t flags) {
    const Folds folds = Folds::of(flags);
    check_ranges(start, end, static_cast<std::int64_t>(text.size()), "text");
    SlowCutter slow(folds);
    ByteBuffer out;
    Mapped<std::int64_t> first{0};
    NormaliseSink sink(text, folds.digits, out);
    for (std::size_t i = 0; i < start.size(); ++i) {
        sink.next_range();
        cut_range(text, start[i], end[i], slow, sink);
        first.push_back(out.size());
    }
    return {out.take(), std::move(first)};
}

// Whether two ranges have equal tokens. A normalised text tells where its tokens begin: units stand alone, everything else is set
// off by blanks. So equal normalised texts mean equal tokens.
class TokenEquality {
   public:
    TokenEquality(Bytes text_a, Bytes text_b, std::uint32_t flags)
        : text_a_(text_a), text_b_(text_b), slow_(Folds::of(flags)), sink_a_(text_a, Folds::of(flags).digits, a_),
          sink_b_(text_b, Folds::of(flags).digits, b_) {}
    TokenEquality(const TokenEquality&) = delete;  // the sinks write to this one's buffers
    TokenEquality& operator=(const TokenEquality&) = delete;

    bool operator()(std::int64_t a_start, std::int64_t a_end, std::int64_t b_start, std::int64_t b_end) {
        const auto length = static_cast<std::size_t>(a_end - a_start);
        slow_.next_range();
        slow_.next_range();
        if (a_end - a_start == b_end - b_start &&
            (length == 0 || std::memcmp(text_a_.data() + a_start, text_b_.data() + b_start, length) == 0)) return true;
        a_.clear();
        b_.clear();
        sink_a_.next_range();
        sink_b_.next_range();
        cut_range(text_a_, a_start, a_end, slow_, sink_a_);
        cut_range(text_b_, b_start, b_end, slow_, sink_b_);
        return a_ == b_;
    }

   private:
    Bytes text_a_, text_b_;
    SlowCutter slow_;
    ByteBuffer a_, b_;
    NormaliseSink sink_a_, sink_b_;
};

inline Mapped<std::uint8_t> equal_tokens(Bytes text_a, Offsets a_start, Offsets a_end, Bytes text_b,
                                         Offsets b_start, Offsets b_end, std::uint32_t flags) {
    check_ranges(a_start, a_end, static_cast<std::int64_t>(text_a.size()), "text_a");
    check_ranges(b_start, b_end, static_cast<std::int64_t>(text_b.size()), "text_b");
    if (a_start.size() != b_start.size()) throw std::invalid_argument("as many ranges of text_a as of text_b are needed");
    TokenEquality same(text_a, text_b, flags);
    Mapped<std::uint8_t> equal(a_start.size());
    for (std::size_t i = 0; i < a_start.size(); ++i) equal[i] = same(a_start[i], a_end[i], b_start[i], b_end[i]);
    return equal;
}

}  // namespace dedup
