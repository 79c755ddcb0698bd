// Texts packed as blocks of the format of LZ4: runs of bytes as they are, and copies of what stands up to 64 kB before, in the
// text or in a dictionary in front of it. https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "memory.hpp"

namespace dedup {

constexpr std::size_t kReach = 65535;                             // how far back a copy may begin
constexpr std::size_t kLeastCopy = 4, kLastRun = 5, kLastCopy = 12;  // of the format: the last ones from the end of the text
constexpr std::size_t kMostRatio = 256;                           // a byte of a block makes no more than so many
constexpr int kHashBits = 15, kTries = 16;                        // places that a copy is looked for at
constexpr std::size_t kStep = 16;                                 // bytes that are copied at once, where there is room

// What of a dictionary copies may reach.
inline Bytes in_reach(Bytes dictionary) { return dictionary.last(std::min(dictionary.size(), kReach)); }

// Packs texts, each for itself: of the copies that begin at a place the longest and nearest one, unless a longer one begins
// behind the next byte.
class TextPacker {
  public:
    explicit TextPacker(Bytes dictionary)
        : bytes_(dictionary.begin(), dictionary.end()), text_(bytes_.size()), heads_(std::size_t{1} << kHashBits, kNowhere),
          before_(bytes_.size()) {
        note_up_to(text_ < kLeastCopy ? 0 : text_ - kLeastCopy + 1);
        of_dictionary_ = heads_;
        noted_before_ = noted_;
    }

    // Appends the block of a text.
    void pack(Bytes text, std::vector<std::uint8_t>& out) {
        bytes_.resize(text_);
        bytes_.insert(bytes_.end(), text.begin(), text.end());
        before_.resize(bytes_.size());
        heads_ = of_dictionary_;
        noted_ = noted_before_;
        std::size_t at = text_, run = text_;
        if (text.size() > kLastCopy) {
            const std::size_t last = bytes_.size() - kLastCopy;
            while (at <= last) {
                Copy copy = longest(at);
                if (copy.size < kLeastCopy) {
                    ++at;
                    continue;
                }
                while (at < last) {
                    const Copy next = longest(at + 1);
                    if (next.size <= copy.size) break;
                    copy = next;
                    ++at;
                }
                put(run, at, copy, out);
                run = at += copy.size;
            }
        }
        put(run, bytes_.size(), {}, out);
    }

  private:
    static constexpr std::uint32_t kNowhere = 0xffffffffU;

    struct Copy {
        std::size_t size = 0, from = 0;
    };

    std::size_t hash(std::size_t at) const {
        const std::uint8_t* p = bytes_.data() + at;
        const std::uint32_t four = p[0] | p[1] << 8 | p[2] << 16 | static_cast<std::uint32_t>(p[3]) << 24;
        return four * 2654435761U >> (32 - kHashBits);
    }

    // Places from where on copies may be made: all those before one.
    void note_up_to(std::size_t end) {
        for (; noted_ < end; ++noted_) {
            std::uint32_t& head = heads_[hash(noted_)];
            before_[noted_] = std::exchange(head, static_cast<std::uint32_t>(noted_));
        }
    }

    Copy longest(std::size_t at) {
        note_up_to(at);
        const std::uint8_t* const bytes = bytes_.data();
        const std::size_t most = bytes_.size() - kLastRun - at;
        Copy best;
        std::uint32_t from = heads_[hash(at)];
        for (int tries = kTries; from != kNowhere && at - from <= kReach && tries > 0; --tries, from = before_[from]) {
            if (best.size == most) break;
            if (bytes[from + best.size] != bytes[at + best.size]) continue;  // it is no longer
            std::size_t size = 0;
            while (size < most && bytes[from + size] == bytes[at + size]) ++size;
            if (size > best.size) best = {size, from};
        }
        return best;
    }

    static void put_more(std::size_t more, std::vector<std::uint8_t>& out) {
        for (; more >= 255; more -= 255) out.push_back(255);
        out.push_back(static_cast<std::uint8_t>(more));
    }

    // A run of bytes, and the copy behind it, where there is one.
    void put(std::size_t run, std::size_t at, Copy copy, std::vector<std::uint8_t>& out) const {
        const std::size_t size = at - run, more = copy.size ? copy.size - kLeastCopy : 0;
        out.push_back(static_cast<std::uint8_t>(std::min<std::size_t>(size, 15) << 4 | std::min<std::size_t>(more, 15)));
        if (size >= 15) put_more(size - 15, out);
        out.insert(out.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(run), bytes_.begin() + static_cast<std::ptrdiff_t>(at));
        if (!copy.size) return;
        const std::size_t back = at - copy.from;
        out.push_back(static_cast<std::uint8_t>(back & 255));
        out.push_back(static_cast<std::uint8_t>(back >> 8));
        if (more >= 15) put_more(more - 15, out);
    }

    std::vector<std::uint8_t> bytes_;  // the dictionary, and then a text
    std::size_t text_, noted_ = 0, noted_before_ = 0;
    std::vector<std::uint32_t> heads_, before_, of_dictionary_;  // last place of each hash, and of each place the one before
};

// Blocks of texts that stand one after the other, and where each block begins.
inline std::tuple<std::vector<std::uint8_t>, std::vector<std::int64_t>> pack_texts(
    Bytes text, std::span<const std::int64_t> first, Bytes dictionary) {
    std::vector<std::uint8_t> out;
    std::vector<std::int64_t> begin{0};
    TextPacker packer(in_reach(dictionary));
    for (std::size_t i = 0; i + 1 < first.size(); ++i) {
        packer.pack(text.subspan(static_cast<std::size_t>(first[i]), static_cast<std::size_t>(first[i + 1] - first[i])), out);
        begin.push_back(static_cast<std::int64_t>(out.size()));
    }
    return {std::move(out), std::move(begin)};
}

// Adds up what follows a length of 15; whether there is an end to it.
inline bool add_more(const std::uint8_t*& in, const std::uint8_t* end, std::size_t& length) {
    while (in != end) {
        length += *in;
        if (*in++ != 255) return true;
    }
    return false;
}

// Copies so many bytes, up to a step more than that where `free` says that there is room on both sides, and they may overlap
// where they lie a step apart or more.
inline void copy_bytes(std::uint8_t* to, const std::uint8_t* from, std::size_t size, bool free) {
    if (free)
        for (std::size_t done = 0; done < size; done += kStep) std::memcpy(to + done, from + done, kStep);
    else
        for (std::size_t done = 0; done < size; ++done) to[done] = from[done];
}

// Whether a block is that of a text of so many bytes, which is written to `out`, and up to a step more. In front of it stand
// so many bytes of a dictionary.
inline bool unpack_text(Bytes packed, std::uint8_t* out, std::size_t size, std::size_t dictionary) {
    const std::uint8_t *in = packed.data(), *const in_end = in + packed.size();
    std::uint8_t *at = out, *const end = out + size;
    while (in != in_end) {
        const std::uint8_t lengths = *in++;
        std::size_t run = lengths >> 4, copied = lengths & 15;
        if (run == 15 && !add_more(in, in_end, run)) return false;
        if (run > static_cast<std::size_t>(in_end - in) || run > static_cast<std::size_t>(end - at)) return false;
        copy_bytes(at, in, run, static_cast<std::size_t>(in_end - in) >= run + kStep);
        in += run;
        at += run;
        if (in == in_end) return at == end;  // the last run has no copy
        if (in_end - in < 2) return false;
        const std::size_t back = in[0] | in[1] << 8;
        in += 2;
        if (copied == 15 && !add_more(in, in_end, copied)) return false;
        copied += kLeastCopy;
        if (back == 0 || back > static_cast<std::size_t>(at - out) + dictionary || copied > static_cast<std::size_t>(end - at))
            return false;
        copy_bytes(at, at - back, copied, back >= kStep);
        at += copied;
    }
    return false;
}

// Texts of blocks, one after the other, and the first block that is not one of a text of its size: a row, -1 for none.
inline std::pair<Mapped<std::uint8_t>, std::int64_t> unpack_texts(std::span<const Bytes> packed,
                                                                  std::span<const std::int64_t> size, Bytes dictionary) {
    dictionary = in_reach(dictionary);
    std::size_t most = 0, all = 0;
    for (std::size_t i = 0; i < packed.size(); ++i) {  // known before there is memory taken for it
        if (size[i] < 0 || static_cast<std::size_t>(size[i]) / kMostRatio > packed[i].size())
            return {{}, static_cast<std::int64_t>(i)};
        most = std::max(most, static_cast<std::size_t>(size[i]));
        all += static_cast<std::size_t>(size[i]);
    }
    Mapped<std::uint8_t> room(dictionary.size() + most + kStep), out;
    std::copy(dictionary.begin(), dictionary.end(), room.begin());
    std::uint8_t* const text = room.data() + dictionary.size();
    out.reserve(all);
    for (std::size_t i = 0; i < packed.size(); ++i) {
        const auto bytes = static_cast<std::size_t>(size[i]);
        if (!unpack_text(packed[i], text, bytes, dictionary.size())) return {{}, static_cast<std::int64_t>(i)};
        out.insert(out.end(), text, text + bytes);
    }
    return {std::move(out), -1};
}

}  // namespace dedup
