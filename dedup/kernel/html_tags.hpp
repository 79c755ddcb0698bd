// Start tags as they stand in a source: the states of the tokenizer of the HTML standard between "<" and ">".
#pragma once

#include <algorithm>
#include <cstddef>

#include "html_source.hpp"

namespace dedup::html {

inline bool ends_name(char32_t c) { return c == U' ' || c == U'\t' || c == U'\n' || c == U'\f' || c == U'/' || c == U'>'; }

// Whether a name stands there, in letters of any case; `name` is in lower case.
inline bool is_name(View text, View name) {
    return text.size() == name.size() && std::equal(text.begin(), text.end(), name.begin(), [](char32_t a, char32_t b) {
               return (a >= U'A' && a <= U'Z' ? a + 32 : a) == b;
           });
}

// Goes over the start tag that begins at `at`, line ends being LF: hands each attribute's name and raw value to `use` and gives
// the offset behind the tag, 0 where none begins or it does not end.
template <class Use>
std::size_t scan_start_tag(View source, std::size_t at, Use use) {
    const std::size_t size = source.size();
    if (!begins_with(source, at, U"<") || at + 1 >= size || !is_letter(source[at + 1])) return 0;
    while (++at < size && !ends_name(source[at])) {}
    while (at < size) {
        if (source[at] == U'>') return at + 1;
        if (ends_name(source[at])) {  // white space, or a slash, which says nothing here
            ++at;
            continue;
        }
        const std::size_t name = at++;  // "=" may begin a name
        while (at < size && !ends_name(source[at]) && source[at] != U'=') ++at;
        const View own = source.substr(name, at - name);
        const auto skip = [&] { while (at < size && ends_name(source[at]) && source[at] != U'/' && source[at] != U'>') ++at; };
        skip();
        if (at >= size || source[at] != U'=') {
            use(own, View());
            continue;
        }
        ++at;
        skip();
        if (at >= size) return 0;
        if (source[at] == U'"' || source[at] == U'\'') {
            const std::size_t close = source.find(source[at], at + 1);
            if (close == View::npos) return 0;
            use(own, source.substr(at + 1, close - at - 1));
            at = close + 1;
            continue;
        }
        const std::size_t value = at;
        while (at < size && (source[at] == U'/' || !ends_name(source[at]))) ++at;
        use(own, source.substr(value, at - value));
    }
    return 0;
}

}  // namespace dedup::html
