// Arrays in and out of Python, for the files that bind the kernel.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/tuple.h>

#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "numpy_arrays.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

using dedup::In;

// A one-dimensional array handed out.
template <class T>
using Out = nb::object;

template <class T>
std::span<const T> span(const In<T>& array) {
    return {array.data(), array.size()};
}

// A one-dimensional array that is written to: it cannot be a copy.
template <class T>
using InOut = nb::ndarray<T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

template <class T>
std::span<T> span(const InOut<T>& array, const char* name) {
    if (!dedup::is_aligned(array.data())) throw std::invalid_argument(std::string(name) + " must be aligned");
    return {array.data(), array.size()};
}

using U64 = In<std::uint64_t>;
using U32 = In<std::uint32_t>;
using I64 = In<std::int64_t>;
using U8 = In<std::uint8_t>;

inline dedup::Bytes bytes_of(const nb::bytes& bytes) {
    return {reinterpret_cast<const std::uint8_t*>(bytes.c_str()), bytes.size()};
}

// The arrays of a list: they hold what spans over them show.
template <class Array>
std::vector<Array> arrays(const nb::list& list, const char* otherwise) {
    std::vector<Array> columns;
    for (const nb::handle one : list)
        if (!nb::try_cast(one, columns.emplace_back(), false)) throw nb::type_error(otherwise);
    return columns;
}

// NumPy owns the memory through a capsule; few bytes are copied to memory of its own, which it has at hand.
template <class T, class Allocator>
Out<T> to_numpy(std::vector<T, Allocator>&& values) {
    using Vector = std::vector<T, Allocator>;
    constexpr std::size_t kFew = 1024;
    const dedup::Numpy& numpy = dedup::Numpy::needed();
    if (const std::size_t bytes = values.size() * sizeof(T); bytes <= kFew) {
        nb::object array = numpy.array<T>(nullptr, values.size());
        if (bytes) std::memcpy(reinterpret_cast<dedup::NumpyArray*>(array.ptr())->data, values.data(), bytes);
        return array;
    }
    auto* owner = new Vector(std::move(values));
    nb::capsule capsule(owner, [](void* p) noexcept { delete static_cast<Vector*>(p); });
    return numpy.array<T>(owner->data(), owner->size(), std::move(capsule));
}

template <class... T, class... Allocator>
std::tuple<Out<T>...> to_numpy(std::tuple<std::vector<T, Allocator>...>&& columns) {
    return std::apply([](auto&&... column) { return std::make_tuple(to_numpy(std::move(column))...); },
                      std::move(columns));
}

// Runs the function without the GIL.
template <class F>
auto release(F&& function) {
    nb::gil_scoped_release guard;
    return function();
}

// Throws unless `first` describes ranges over `limit` elements.
inline void check_first(const I64& first, std::size_t limit) {
    if (first.size() == 0) throw std::invalid_argument("first: one entry more than there are ranges is needed");
    dedup::check_ascending(span(first), static_cast<std::int64_t>(limit), "first");
}

inline void check_members(const I64& members, std::int64_t count, const char* name) {
    for (const std::int64_t m : span(members))
        if (m < 0 || m >= count) throw std::invalid_argument(std::string(name) + " names what does not exist");
}

inline void check_slice(std::int64_t number, std::int64_t slices) {
    if (slices < 1 || slices > 1 << 16 || (slices & (slices - 1)) != 0 || number < 0 || number >= slices)
        throw std::invalid_argument("slices must be a power of two up to 65536, and number below it");
}

// Throws unless bands of rows are so many registers at most.
inline void check_bands(std::int64_t bands, std::int64_t rows, std::int64_t most) {
    if (bands < 1 || rows < 1 || bands > most / rows)
        throw std::invalid_argument("bands and rows must be at least 1, and not too many");
}

// Throws unless it is a similarity; NaN is none.
inline void check_threshold(double threshold) {
    if (!(threshold >= 0 && threshold <= 1)) throw std::invalid_argument("threshold must be 0 to 1");
}

// Throws unless `count` tokens behind `before` others have numbers of 32 bits.
inline void check_before(std::int64_t before, std::size_t count) {
    if (before < 0 || before > 0xffffffffLL - static_cast<std::int64_t>(count))
        throw std::invalid_argument("token numbers must stay below 2^32");
}

inline std::uint64_t check_table(std::size_t words) {
    if (words == 0 || (words & (words - 1)) != 0) throw std::invalid_argument("table: a power of two words is needed");
    return words;
}

}  // namespace

void bind_align(nb::module_& m);   // bind_align.cpp
void bind_html(nb::module_& m);    // bind_html.cpp
void bind_memory(nb::module_& m);  // bind_memory.cpp
void bind_places(nb::module_& m);  // bind_places.cpp
void bind_stages(nb::module_& m);  // bind_stages.cpp
void bind_tokens(nb::module_& m);  // bind_tokens.cpp
