// UTF-8 with lone surrogates (WTF-8), read without trust: what is no character is one bad byte.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "memory.hpp"

// For what runs once a character: several callers, so the compiler would make it a call.
#if defined(__GNUC__)
#define DEDUP_INLINE inline __attribute__((always_inline))
#else
#define DEDUP_INLINE inline
#endif

namespace dedup {

inline constexpr std::uint32_t kBadByte = 0xFFFFFFFF;

struct Decoded {
    std::uint32_t code;  // or kBadByte
    std::int64_t length;
};

inline bool is_continuation(std::uint8_t byte) { return (byte & 0xC0) == 0x80; }

// The character at p, of which `left` >= 1 bytes may be read.
DEDUP_INLINE Decoded decode(const std::uint8_t* p, std::int64_t left) {
    const std::uint32_t lead = p[0];
    if (lead < 0x80) return {lead, 1};
    if (lead < 0xE0) {
        if (lead >= 0xC2 && left >= 2 && is_continuation(p[1])) return {(lead & 0x1F) << 6 | (p[1] & 0x3Fu), 2};
    } else if (lead < 0xF0) {
        if (left >= 3 && is_continuation(p[1]) && is_continuation(p[2])) {
            const std::uint32_t code = (lead & 0x0F) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
            if (code >= 0x800) return {code, 3};
        }
    } else if (lead < 0xF5) {
        if (left >= 4 && is_continuation(p[1]) && is_continuation(p[2]) && is_continuation(p[3])) {
            const std::uint32_t code =
                (lead & 0x07) << 18 | (p[1] & 0x3Fu) << 12 | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu);
            if (code >= 0x10000 && code < 0x110000) return {code, 4};
        }
    }
    return {kBadByte, 1};
}

// Writes a character, four bytes at most; how many they are.
DEDUP_INLINE int encode(std::uint32_t code, std::uint8_t* p) {
    if (code < 0x80) {
        p[0] = static_cast<std::uint8_t>(code);
        return 1;
    }
    if (code < 0x800) {
        p[0] = static_cast<std::uint8_t>(0xC0 | code >> 6);
        p[1] = static_cast<std::uint8_t>(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        p[0] = static_cast<std::uint8_t>(0xE0 | code >> 12);
        p[1] = static_cast<std::uint8_t>(0x80 | (code >> 6 & 0x3F));
        p[2] = static_cast<std::uint8_t>(0x80 | (code & 0x3F));
        return 3;
    }
    p[0] = static_cast<std::uint8_t>(0xF0 | code >> 18);
    p[1] = static_cast<std::uint8_t>(0x80 | (code >> 12 & 0x3F));
    p[2] = static_cast<std::uint8_t>(0x80 | (code >> 6 & 0x3F));
    p[3] = static_cast<std::uint8_t>(0x80 | (code & 0x3F));
    return 4;
}

// Bytes that grow; cleared, they keep their memory.
class ByteBuffer {
   public:
    const std::uint8_t* data() const { return bytes_.data(); }
    std::int64_t size() const { return static_cast<std::int64_t>(size_); }
    void clear() { size_ = 0; }

    bool operator==(const ByteBuffer& other) const {
        return std::equal(data(), data() + size_, other.data(), other.data() + other.size_);
    }

    Mapped<std::uint8_t> take() {
        bytes_.resize(size_);
        size_ = 0;
        return std::move(bytes_);
    }

    // Room for `more` bytes behind the last; extend() says how many of them were written.
    DEDUP_INLINE std::uint8_t* room(std::size_t more) {
        if (bytes_.size() < size_ + more) bytes_.resize(size_ + size_ / 2 + more + 64);
        return bytes_.data() + size_;
    }
    void extend(std::size_t written) { size_ += written; }

    DEDUP_INLINE void append(std::uint32_t code) { size_ += static_cast<std::size_t>(encode(code, room(4))); }

   private:
    Mapped<std::uint8_t> bytes_;
    std::size_t size_ = 0;
};

}  // namespace dedup
