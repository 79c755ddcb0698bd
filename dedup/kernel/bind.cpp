// The only file of the kernel that knows Python: arrays in, arrays out, the GIL released in between.
//
// To add a function: a plain C++ header beside this file takes spans and returns std::vector (or fills spans); bind it
// below with `release([&] { return f(...); })`; write its twin, with annotations and docstring, in reference.py and
// its line in _kernel.pyi. Argument checks (dtype, contiguity) are made in kernel/__init__.py from the twin's annotations;
// std::invalid_argument becomes ValueError.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/tuple.h>

#include <tuple>
#include <utility>
#include <vector>

#include "positions.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

// A one-dimensional array handed in: read only, contiguous, never copied.
template <class T>
using In = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

// A one-dimensional array handed out; NumPy owns its memory through a capsule.
template <class T>
using Out = nb::ndarray<nb::numpy, T, nb::ndim<1>>;

template <class T>
std::span<const T> span(const In<T>& array) {
    return {array.data(), array.size()};
}

template <class T>
Out<T> to_numpy(std::vector<T>&& values) {
    auto* owner = new std::vector<T>(std::move(values));
    nb::capsule capsule(owner, [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
    return Out<T>(owner->data(), {owner->size()}, capsule);
}

template <class... T>
std::tuple<Out<T>...> to_numpy(std::tuple<std::vector<T>...>&& columns) {
    return std::apply([](auto&&... column) { return std::make_tuple(to_numpy(std::move(column))...); },
                      std::move(columns));
}

// Runs the function without the GIL.
template <class F>
auto release(F&& function) {
    nb::gil_scoped_release guard;
    return function();
}

}  // namespace

NB_MODULE(_kernel, m) {
    m.doc() = "Compiled loops; see reference.py for what each does.";
    m.attr("name") = "native";

    m.def("code_points", [](In<std::uint8_t> text, In<std::int64_t> positions) {
        return to_numpy(release([&] { return dedup::code_points(span(text), span(positions)); }));
    }, "text"_a.noconvert(), "positions"_a.noconvert());
}
