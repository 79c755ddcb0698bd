// One-dimensional arrays of NumPy's in and out of the kernel, by its table of functions and the fields that it keeps where they are.
// nanobind's way, which fits every library that has arrays, goes by DLPack and `numpy.array`: that was an eighth of the time of a scan of few
// pages, which makes a hundred calls. What is no array of NumPy's still goes that way.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

namespace dedup {

namespace nb = nanobind;

// The beginnings of an array and of a dtype, as NumPy 2 declares them; its headers are not needed for more.
struct NumpyDtype {
    PyObject head;
    PyTypeObject* scalar;
    char kind, letter, byte_order, flags;
    int number;
};
struct NumpyArray {
    PyObject head;
    char* data;
    int dimensions;
    Py_ssize_t* shape;
    Py_ssize_t* strides;
    PyObject* base;
    NumpyDtype* dtype;
    int flags;
};

// NumPy's table of functions, which only grows.
class Numpy {
   public:
    // `nullptr` where nobody has loaded NumPy: then nothing is an array of it. Whoever asks has the interpreter's lock.
    static const Numpy* loaded() noexcept {
        if (known_) return known_;
        known_ = found(PyImport_GetModule(nb::str(kModule).ptr()));
        if (!known_) PyErr_Clear();
        return known_;
    }
    static const Numpy& needed() {
        if (!loaded() && !(known_ = found(PyImport_ImportModule(kModule)))) nb::raise_python_error();
        return *known_;
    }

    bool is_array(PyObject* object) const { return Py_TYPE(object) == type_ || PyType_IsSubtype(Py_TYPE(object), type_); }

    // An array of so many elements: new memory, or that which an owner keeps.
    template <class T>
    nb::object array(T* data, std::size_t size, nb::object owner = {}) const {
        constexpr int kWholeAlignedWriteable = 0x501;
        auto shape = static_cast<Py_ssize_t>(size);
        nb::object made = nb::steal(make_(type_, 1, &shape, number<T>(), nullptr, data, 0, data ? kWholeAlignedWriteable : 0, nullptr));
        if (!made || (data && set_base_(made.ptr(), owner.release().ptr()) < 0)) nb::raise_python_error();
        return made;
    }

    template <class T>
    static bool holds(const NumpyDtype& dtype) {
        constexpr std::size_t kSizes[] = {sizeof(bool), 1, 1, sizeof(short), sizeof(short), sizeof(int), sizeof(int), sizeof(long),
                                          sizeof(long), sizeof(long long), sizeof(long long), sizeof(float), sizeof(double)};
        constexpr char kKind = std::is_floating_point_v<T> ? 'f' : std::is_signed_v<T> ? 'i' : 'u';
        return dtype.kind == kKind && dtype.number > 0 && dtype.number < 13 && kSizes[dtype.number] == sizeof(T) &&
               (dtype.byte_order == '=' || dtype.byte_order == '|');
    }

   private:
    static constexpr const char* kModule = "numpy._core._multiarray_umath";
    using Make = PyObject* (*)(PyTypeObject*, int, const Py_ssize_t*, int, const Py_ssize_t*, const void*, int, int, PyObject*);
    using SetBase = int (*)(PyObject*, PyObject*);

    explicit Numpy(void** table)
        : type_(static_cast<PyTypeObject*>(table[2])), make_(reinterpret_cast<Make>(table[93])), set_base_(reinterpret_cast<SetBase>(table[282])) {}

    // The table of a module, of which a reference is given away; `nullptr` with an error, or where there is no module.
    static const Numpy* found(PyObject* module) noexcept {
        if (!module) return nullptr;
        PyObject* const capsule = PyObject_GetAttrString(module, "_ARRAY_API");
        Py_DECREF(module);
        void* const table = capsule ? PyCapsule_GetPointer(capsule, nullptr) : nullptr;
        Py_XDECREF(capsule);  // the module keeps it
        return table ? new Numpy(static_cast<void**>(table)) : nullptr;  // never destroyed, as the module is not
    }

    // NumPy's number of a type; long where it is as wide, as np.int64 is.
    template <class T>
    static constexpr int number() {
        constexpr int is_unsigned = std::is_unsigned_v<T>;
        if constexpr (std::is_floating_point_v<T>) return sizeof(T) == sizeof(float) ? 11 : 12;
        else if constexpr (sizeof(T) == 1) return 1 + is_unsigned;
        else if constexpr (sizeof(T) == sizeof(int)) return 5 + is_unsigned;
        else return (sizeof(long) == sizeof(T) ? 7 : 9) + is_unsigned;
    }

    inline static const Numpy* known_ = nullptr;

    PyTypeObject* type_;
    Make make_;
    SetBase set_base_;
};

template <class T>
bool is_aligned(const T* data) {
    return reinterpret_cast<std::uintptr_t>(data) % alignof(T) == 0;
}

// A one-dimensional array handed in: read only, contiguous. Copied only where its elements do not lie as the machine wants
// them: that comes from where the bytes of a file or a message happen to lie, which nobody sees in what he hands in.
template <class T>
class In {
   public:
    using Other = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

    const T* data() const { return data_; }
    std::size_t size() const { return size_; }

    // Whether an object is such an array of NumPy's; then it is held.
    bool take(nb::handle object) noexcept {
        constexpr int kWhole = 0x1, kAligned = 0x100;
        const Numpy* const numpy = Numpy::loaded();
        if (!numpy || !numpy->is_array(object.ptr())) return false;
        const auto& array = *reinterpret_cast<const NumpyArray*>(object.ptr());
        if (array.dimensions != 1 || (array.flags & kWhole) == 0 || (array.flags & kAligned) == 0 || !Numpy::holds<T>(*array.dtype)) return false;
        data_ = reinterpret_cast<const T*>(array.data), size_ = static_cast<std::size_t>(array.shape[0]);
        owner_ = nb::borrow(object);
        return true;
    }
    // Such an array of anybody's; false where there is no memory for a copy.
    bool take(Other other) noexcept {
        data_ = other.data(), size_ = other.size(), other_ = std::move(other);
        if (is_aligned(data_)) return true;
        const auto bytes = static_cast<Py_ssize_t>(size_ * sizeof(T));
        owner_ = nb::steal(PyByteArray_FromStringAndSize(reinterpret_cast<const char*>(data_), bytes));
        if (!owner_) return PyErr_Clear(), false;
        data_ = reinterpret_cast<const T*>(PyByteArray_AsString(owner_.ptr()));
        return true;
    }

   private:
    const T* data_ = nullptr;
    std::size_t size_ = 0;
    nb::object owner_;
    Other other_;
};

}  // namespace dedup

namespace nanobind::detail {

template <class T>
struct type_caster<dedup::In<T>> {
    NB_TYPE_CASTER(dedup::In<T>, const_name("numpy.ndarray"))

    bool from_python(handle source, std::uint8_t flags, cleanup_list* cleanup) noexcept {
        if (value.take(source)) return true;
        make_caster<typename dedup::In<T>::Other> other;
        if (!other.from_python(source, flags, cleanup)) return false;
        return value.take(std::move(other.value));
    }
};

}  // namespace nanobind::detail
