// UTF-8 with lone surrogates (WTF-8), read without trust: what is no character is one bad byte.
#pragma once

#include <cstdint>
#include <vector>

namespace dedup {

inline constexpr std::uint32_t kBadByte = 0xFFFFFFFF;

struct Decoded {
    std::uint32_t code;  // or kBadByte
    std::int64_t length;
};

inline bool is_continuation(std::uint8_t byte) { return (byte & 0xC0) == 0x80; }

// The character at p, of which `left` >= 1 bytes may be read.
inline Decoded decode(const std::uint8_t* p, std::int64_t left) {
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

inline void append_utf8(std::vector<std::uint8_t>& out, std::uint32_t code) {
    const auto byte = [&](std::uint32_t value) { out.push_back(static_cast<std::uint8_t>(value)); };
    if (code < 0x80) {
        byte(code);
    } else if (code < 0x800) {
        byte(0xC0 | code >> 6);
        byte(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        byte(0xE0 | code >> 12);
        byte(0x80 | (code >> 6 & 0x3F));
        byte(0x80 | (code & 0x3F));
    } else {
        byte(0xF0 | code >> 18);
        byte(0x80 | (code >> 12 & 0x3F));
        byte(0x80 | (code >> 6 & 0x3F));
        byte(0x80 | (code & 0x3F));
    }
}

}  // namespace dedup
