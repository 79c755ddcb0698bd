// The only file of the kernel that knows Python: arrays in, arrays out, the GIL released in between.
//
// To add a function: a plain C++ header beside this file takes spans and returns std::vector (or fills spans); bind it
// below with `release([&] { return f(...); })`; write its twin, with annotations and docstring, in reference.py and
// its line in _kernel.pyi. Argument checks (dtype, contiguity) are made in kernel/__init__.py from the twin's annotations;
// std::invalid_argument becomes ValueError.
#include "bind.hpp"
#include "positions.hpp"

NB_MODULE(_kernel, m) {
    m.doc() = "Compiled loops; see reference.py for what each does.";
    m.attr("name") = "native";

    m.def("code_points", [](In<std::uint8_t> text, In<std::int64_t> positions) {
        return to_numpy(release([&] { return dedup::code_points(span(text), span(positions)); }));
    }, "text"_a.noconvert(), "positions"_a.noconvert());

    bind_stages(m);
}
