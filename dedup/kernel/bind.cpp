// The compiled kernel: arrays in, arrays out, the GIL released in between. Only bind*.cpp know Python.
//
// To add a function: a plain C++ header beside this file takes spans and returns std::vector (or fills spans); bind it in
// a bind_*.cpp with `release([&] { return f(...); })`; write its twin, with annotations and docstring, in a twin_*.py
// that reference.py imports, and its line in _kernel.pyi. Argument checks (dtype, contiguity) are made in
// kernel/__init__.py from the twin's annotations; std::invalid_argument becomes ValueError.
#include "bind.hpp"

NB_MODULE(_kernel, m) {
    m.doc() = "Compiled loops; see reference.py for what each does.";
    m.attr("name") = "native";

    bind_tokens(m);
    bind_stages(m);
    bind_align(m);
    bind_html(m);
    bind_memory(m);
    bind_places(m);
}
