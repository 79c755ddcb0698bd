// Binding of html_walk.hpp: it goes over turbohtml's tree through the interpreter's own interface, which sees to all types.
// twin_html.py says what the function does.
#include <nanobind/nanobind.h>

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "bind.hpp"
#include "html_tags.hpp"
#include "html_walk.hpp"

namespace {

using namespace dedup::html;

nb::object checked(PyObject* object) {
    if (!object) throw nb::python_error();
    return nb::steal(object);
}

// A name that attributes are asked by.
struct Name {
    explicit Name(const char* text) : object(checked(PyUnicode_InternFromString(text))) {}
    nb::object of(nb::handle owner) const { return checked(PyObject_GetAttr(owner.ptr(), object.ptr())); }
    nb::object object;
};

void read_chars(nb::handle text, Chars& out) {
    const Py_ssize_t size = PyUnicode_GetLength(text.ptr());
    if (size < 0) throw nb::python_error();
    out.resize(static_cast<std::size_t>(size));
    static_assert(sizeof(Py_UCS4) == sizeof(char32_t));
    if (size && !PyUnicode_AsUCS4(text.ptr(), reinterpret_cast<Py_UCS4*>(out.data()), size, 0)) throw nb::python_error();
}

Chars chars(nb::handle text) {
    Chars out;
    read_chars(text, out);
    return out;
}

nb::object to_str(const std::string& text) {
    return checked(PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "surrogatepass"));
}
nb::object to_str(View text) { return to_str(utf8(text)); }

nb::bytes to_bytes(const std::vector<std::int64_t>& column) {
    return nb::bytes(reinterpret_cast<const char*>(column.data()), column.size() * sizeof(std::int64_t));
}

// What the walk asks, answered by the parser's elements and by the package's own rules.
class Elements final : public Tree {
public:
    explicit Elements(const Source& source)
        : source_(source), elements_(nb::module_::import_("dedup.readers.elements")),
          hints_(nb::module_::import_("dedup.readers.hints")),
          unescape_(nb::module_::import_("html").attr("unescape")), class_flags_(hints_.attr("class_flags")),
          id_flags_(hints_.attr("id_flags")), element_flags_(hints_.attr("element_flags")) {}

    // Number of an element that the walk is told of.
    std::size_t add(nb::object node, const Tag& tag) {
        copies_ = copies_ || (tag.facts & kCopies);
        nodes_.push_back({std::move(node), copies_ || (tag.facts & kMayBeCopied), (tag.facts & kGathers) != 0});
        return nodes_.size() - 1;
    }

    // Number of a tag.
    std::size_t tag(nb::handle name, Walk& walk) {
        const std::string text = utf8(chars(name));
        const auto found = tags_.find(text);
        if (found != tags_.end()) return found->second;
        const auto [facts, kind, outside, inside, step] =
            nb::cast<std::tuple<unsigned, int, int, int, nb::object>>(elements_.attr("tag_facts")(name));
        return tags_[text] = walk.add_tag({text, utf8(chars(step)), facts, kind, {outside, inside}});
    }

    Span span(std::size_t element) override {
        Node& node = nodes_[element];
        if (!node.located) node.span = asked_span(node.node), node.located = true;
        return node.span;
    }

    // By the tag's position, which is asked in a tenth of the time of a source location.
    std::int64_t end_of_start_tag(std::size_t element) override {
        const std::int64_t start = nodes_[element].may_be_copy ? -1 : position(nodes_[element].node);
        bool plain = start >= 0;
        std::size_t end = 0;
        if (plain) end = scan_start_tag(source_.text(), static_cast<std::size_t>(start), [&](View own, View) {
            plain = plain && std::none_of(own.begin(), own.end(), is_surrogate);  // of such a tag there is no location
        });
        return end && plain ? static_cast<std::int64_t>(end) : span(element).start_end;
    }

    // As they stand in the source: a copy has the position and the attributes of the first one.
    Attributes attributes(std::size_t element) override {
        const Node& node = nodes_[element];
        const std::int64_t start = node.gathers ? -1 : position(node.node);
        if (start < 0 || !node.may_be_copy) return read_or_asked(start, node.node, said_);
        const auto [found, is_new] = copied_.try_emplace(start);  // there may be thousands of copies of a long tag
        return is_new ? read_or_asked(start, node.node, found->second) : found->second.attributes;
    }

    int class_flags(View token, bool content) override {
        Chars key(token);
        key += content ? U' ' : U'\0';
        const auto found = classes_.find(key);
        if (found != classes_.end()) return found->second;
        return classes_[key] = nb::cast<int>(class_flags_(to_str(token), content));
    }

    int id_flags(View name, bool content) override { return nb::cast<int>(id_flags_(to_str(name), content)); }

    int element_flags(std::size_t element, const Tag& tag, bool content) override {
        const nb::object node = nodes_[element].node;
        return nb::cast<int>(element_flags_(to_str(tag.name), content, attribute(node, class_), attribute(node, id_),
                                            attribute(node, role_), !attribute(node, hidden_).is_none(), attribute(node, style_)));
    }

    Chars unescape(const Chars& reference) override {
        const auto found = references_.find(reference);
        if (found != references_.end()) return found->second;
        return references_[reference] = chars(unescape_(to_str(View(reference))));
    }

private:
    struct Node {
        nb::object node;
        bool may_be_copy;  // of another element, whose position it has
        bool gathers;      // attributes of later tags, too
        bool located = false;
        Span span{};
    };

    // What an element's attributes say, with the texts that the parser gave, if it was asked.
    struct Said {
        Attributes attributes;
        Chars classes, name;
    };

    Attributes read_or_asked(std::int64_t start, nb::handle node, Said& said) {
        said.attributes = {};
        if (start < 0 || !read_attributes(static_cast<std::size_t>(start), said.attributes)) ask_attributes(node, said);
        return said.attributes;
    }

    Span asked_span(nb::handle node) const {
        const nb::object location = nb::steal(PyObject_GetAttr(node.ptr(), location_.object.ptr()));
        if (!location.is_valid()) {
            nb::python_error error;
            if (!error.matches(PyExc_UnicodeDecodeError)) throw error;  // the name of an attribute has a lone surrogate
            return {};
        }
        if (location.is_none()) return {};
        Span out;
        const nb::object start = start_tag_.of(location), end = end_tag_.of(location);
        out.start = offset(start, start_offset_), out.start_end = offset(start, end_offset_);
        if (!end.is_none()) out.end = offset(end, start_offset_), out.end_end = offset(end, end_offset_);
        return out;
    }

    void ask_attributes(nb::handle node, Said& said) {
        Attributes& out = said.attributes = {};
        const nb::object has = attrs_.of(node);
        const Py_ssize_t count = PyObject_Size(has.ptr());
        if (count < 0) throw nb::python_error();
        if (count == 0) return;
        const auto has_one = [&](const Name& name) { return !attribute(node, name).is_none(); };
        const auto read = [&](const Name& name, Chars& text, View& to) {
            if (const nb::object value = attribute(node, name); !value.is_none()) read_chars(value, text), to = text;
        };
        read(class_, said.classes, out.classes);
        read(id_, said.name, out.name);
        out.link = has_one(href_);
        out.special = has_one(role_) || has_one(style_) || has_one(hidden_);
    }

    // Reads the attributes from a tag of the source; false where that needs the parser.
    bool read_attributes(std::size_t start, Attributes& out) {
        bool plain = true, classes = false, name = false;
        const std::size_t end = scan_start_tag(source_.text(), start, [&](View own, View value) {
            const auto once = [&](bool& seen, View& to) {
                if (seen) return;
                seen = true, to = value;
                plain = plain && value.find_first_of(View(U"&\0", 2)) == View::npos;
            };
            if (is_name(own, U"class")) once(classes, out.classes);
            else if (is_name(own, U"id")) once(name, out.name);
            else if (is_name(own, U"href")) out.link = true;
            else if (is_name(own, U"role") || is_name(own, U"style") || is_name(own, U"hidden")) out.special = true;
        });
        return end && plain;
    }

    // Where a start tag begins, -1 where it has no place.
    std::int64_t position(nb::handle node) const {
        const nb::object place = position_.of(node);
        if (place.is_none()) return -1;
        const std::int64_t line = PyLong_AsLongLong(PyTuple_GetItem(place.ptr(), 0));
        const std::int64_t column = PyLong_AsLongLong(PyTuple_GetItem(place.ptr(), 1));
        if (PyErr_Occurred()) throw nb::python_error();
        const std::int64_t first = source_.line_start(line);
        return first < 0 || column < 0 || column >= source_.size() - first ? -1 : first + column;
    }

    nb::object attribute(nb::handle node, const Name& name) const {
        PyObject* arguments[] = {node.ptr(), name.object.ptr()};
        return checked(PyObject_VectorcallMethod(attr_.object.ptr(), arguments, 2, nullptr));
    }

    static std::int64_t offset(nb::handle span, const Name& name) {
        const std::int64_t value = PyLong_AsLongLong(name.of(span).ptr());
        if (value < 0) PyErr_Occurred() ? throw nb::python_error() : throw std::invalid_argument("an offset below 0");
        return value;
    }

    const Source& source_;
    const Name position_{"position"}, location_{"source_location"}, start_tag_{"start_tag"}, end_tag_{"end_tag"},
        start_offset_{"start_offset"}, end_offset_{"end_offset"}, attrs_{"attrs"}, attr_{"attr"}, class_{"class"}, id_{"id"}, href_{"href"}, role_{"role"},
        style_{"style"}, hidden_{"hidden"};
    nb::object elements_, hints_, unescape_, class_flags_, id_flags_, element_flags_;
    std::vector<Node> nodes_;
    bool copies_ = false;  // from here on any element may be a copy
    std::unordered_map<std::string, std::size_t> tags_;
    std::unordered_map<Chars, int> classes_;
    std::unordered_map<Chars, Chars> references_;
    std::unordered_map<std::int64_t, Said> copied_;  // by the place of the tag
    Said said_;
};

bool holds(nb::handle set, nb::handle node) {
    const int found = PySequence_Contains(set.ptr(), node.ptr());
    if (found < 0) throw nb::python_error();
    return found;
}

// Goes over the tree, without recursion; false where it has too many nodes.
bool go_over(nb::object root, nb::object selected, nb::object ignored, std::int64_t max_nodes, nb::handle text_type,
             Elements& elements, Walk& walk) {
    struct Level {
        nb::object children;
        Py_ssize_t next, count;
    };
    const Name children{"children"}, tag{"tag"}, data{"data"};
    const nb::handle element_type = root.type();
    const bool choosing = !selected.is_none(), ignoring = PyObject_IsTrue(ignored.ptr()) > 0;
    std::int64_t nodes = 0;
    Chars text;
    std::vector<Level> levels{{nb::make_tuple(root), 0, 1}};
    while (true) {
        Level& level = levels.back();
        if (level.next == level.count) {
            levels.pop_back();
            if (levels.empty()) return true;
            walk.close();
            continue;
        }
        PyObject* const node = PyTuple_GetItem(level.children.ptr(), level.next++);
        if (!node) throw nb::python_error();
        const nb::handle type = nb::handle(node).type();
        if (type.is(text_type)) {
            if (!walk.reads()) continue;
            read_chars(data.of(node), text);
            walk.text(text);
            continue;
        }
        if (!type.is(element_type)) continue;
        const std::size_t number = elements.tag(tag.of(node), walk), element = elements.add(nb::borrow(node), walk.tag(number));
        nb::object inside = walk.tag(number).facts & kLeftOut ? nb::object(nb::make_tuple()) : children.of(node);
        const Py_ssize_t count = PyTuple_Size(inside.ptr());
        if (count < 0) throw nb::python_error();
        if (count == 0) {
            walk.pass(element, number);
            continue;
        }
        if ((nodes += count) > max_nodes) return false;
        walk.open(element, number, choosing && holds(selected, node), ignoring && holds(ignored, node));
        levels.push_back({std::move(inside), 0, count});
    }
}

nb::object html_blocks(nb::str source, nb::object root, nb::object selected, nb::object ignored, std::int64_t max_nodes) {
    const nb::object text_type = nb::module_::import_("turbohtml").attr("Text");
    const Source page(chars(source));
    Elements elements(page);
    Walk walk(page, elements, selected.is_none());
    if (!go_over(root, selected, ignored, max_nodes, text_type, elements, walk)) return nb::none();
    walk.finish();
    const Blocks& b = walk.blocks();
    const std::string paths = walk.paths();
    nb::list columns;
    for (const auto* column : {&b.start, &b.end, &b.source_start, &b.source_end, &b.line, &b.end_line, &b.kind, &b.flags,
                               &b.link_chars, &b.map_first, &b.map_text, &b.map_source, &b.element, &b.parent,
                               &b.feed})
        columns.append(to_bytes(*column));
    const auto bytes = [](const std::string& text) { return nb::bytes(text.data(), text.size()); };
    return nb::make_tuple(bytes(b.text), bytes(paths), bytes(b.steps), columns,
                          b.first_heading ? to_str(*b.first_heading) : nb::object(nb::none()));
}

}  // namespace

void bind_html(nb::module_& m) {
    m.def("html_blocks", &html_blocks, "source"_a, "root"_a, "selected"_a.none(), "ignored"_a, "max_nodes"_a);
}
