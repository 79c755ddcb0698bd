// Bindings of memory.hpp: NumPy's arrays take their memory from the pool, too; twin_memory.py says what each function does.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>

#include "bind.hpp"
#include "memory.hpp"

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace {

#ifdef DEDUP_POOL
// A block of an array: its size stands before it, for NumPy does not always know it (an array of no elements has a block).
constexpr std::size_t kHeader = 64;

void* take(void*, std::size_t bytes) {
    if (bytes > SIZE_MAX - kHeader) return nullptr;
    bytes += kHeader;
    void* memory = nullptr;
    try {
        memory = bytes >= dedup::Pool::kLeast ? dedup::Pool::shared().take(bytes) : std::malloc(bytes);
    } catch (const std::bad_alloc&) {
    }
    if (!memory) return nullptr;
    std::memcpy(memory, &bytes, sizeof bytes);
    return static_cast<std::byte*>(memory) + kHeader;
}

std::size_t size_of(const void* memory) {
    std::size_t bytes = 0;
    std::memcpy(&bytes, static_cast<const std::byte*>(memory) - kHeader, sizeof bytes);
    return bytes;
}

void give(void*, void* memory, std::size_t) {
    if (!memory) return;
    const std::size_t bytes = size_of(memory);
    memory = static_cast<std::byte*>(memory) - kHeader;
    if (bytes >= dedup::Pool::kLeast) dedup::Pool::shared().give(memory, bytes);
    else std::free(memory);
}

void* take_zeros(void* context, std::size_t count, std::size_t size) {
    if (size && count > SIZE_MAX / size) return nullptr;
    void* const memory = take(context, count * size);
    return memory ? std::memset(memory, 0, count * size) : nullptr;
}

void* take_anew(void* context, void* memory, std::size_t bytes) {
    void* const other = take(context, bytes);
    if (!other || !memory) return other;
    std::memcpy(other, memory, std::min(bytes, size_of(memory) - kHeader));
    give(context, memory, 0);
    return other;
}

// As NumPy declares it (NEP 49); its headers are not needed for more.
struct Handler {
    char name[127] = "dedup_pool";
    std::uint8_t version = 1;
    void* context = nullptr;
    void* (*malloc)(void*, std::size_t) = take;
    void* (*calloc)(void*, std::size_t, std::size_t) = take_zeros;
    void* (*realloc)(void*, void*, std::size_t) = take_anew;
    void (*free)(void*, void*, std::size_t) = give;
};

nb::object array_memory(nb::object handler) {
    static Handler pool;  // never destroyed: arrays name it as long as they live
    constexpr std::size_t kSetHandler = 304;  // in NumPy's table of functions, which only grows
    if (handler.is_none()) handler = nb::steal(PyCapsule_New(&pool, "mem_handler", nullptr));
    const nb::object table = nb::module_::import_("numpy._core._multiarray_umath").attr("_ARRAY_API");
    auto** const functions = static_cast<void**>(PyCapsule_GetPointer(table.ptr(), nullptr));
    if (!functions) throw nb::python_error();
    PyObject* const before = reinterpret_cast<PyObject* (*)(PyObject*)>(functions[kSetHandler])(handler.ptr());
    if (!before) throw nb::python_error();
    return nb::steal(before);
}
#else
nb::object array_memory(nb::object handler) { return handler; }
#endif

#ifdef __GLIBC__
constexpr std::chrono::milliseconds kSeldom{30};  // between two looks

// Gives the system what is free in the heaps, if memory is bounded or the process grew since that was done last: else it takes
// longer than all else that is done to a few pages of text. Looking at how large it is takes its time, too.
void trim_heaps() {
#ifdef DEDUP_POOL
    using Clock = std::chrono::steady_clock;
    static std::atomic<std::size_t> before = 0;
    static std::atomic<Clock::duration> looked = Clock::duration::min();
    if (!dedup::Pool::shared().is_bounded()) {
        const Clock::duration now = Clock::now().time_since_epoch();
        if (looked.load() + kSeldom > now) return;
        looked = now;
        const std::size_t size = dedup::resident().anonymous;
        if (size < before) before = size;
        if (size && size <= before + dedup::Pool::kFew) return;
    }
    malloc_trim(0);
    before = dedup::resident().anonymous;
#else
    malloc_trim(0);
#endif
}
#endif

// An array of bytes that lies in the file where there is one, else empty. Its memory goes back to the pool.
Out<std::uint8_t> room_in_file(std::int64_t bytes) {
    if (bytes < 0) throw std::invalid_argument("bytes must not be negative");
#ifdef DEDUP_POOL
    struct Block {
        void* memory;
        std::size_t size;
    };
    const auto size = static_cast<std::size_t>(bytes);
    if (void* const memory = dedup::Pool::shared().reserve(size)) {
        nb::capsule owner(new Block{memory, size}, [](void* p) noexcept {
            const auto* const block = static_cast<Block*>(p);
            dedup::Pool::shared().give(block->memory, block->size);
            delete block;
        });
        return dedup::Numpy::needed().array(static_cast<std::uint8_t*>(memory), size, std::move(owner));
    }
#endif
    return to_numpy(dedup::Mapped<std::uint8_t>());
}

void put([[maybe_unused]] std::uint8_t* to, [[maybe_unused]] const std::uint8_t* from, [[maybe_unused]] std::size_t size) {
#ifdef DEDUP_POOL
    dedup::Pool::shared().write(reinterpret_cast<std::byte*>(to), reinterpret_cast<const std::byte*>(from), size);
#else
    throw std::invalid_argument("room: it is in no file");
#endif
}

}  // namespace

void bind_memory(nb::module_& m) {
    m.def("room", [](std::int64_t bytes) {
        if (bytes < 0) throw std::invalid_argument("bytes must not be negative");
        return to_numpy(dedup::Mapped<std::uint8_t>(static_cast<std::size_t>(bytes)));
    }, "bytes"_a);
    m.def("room_in_file", &room_in_file, "bytes"_a);
    m.def("put", [](InOut<std::uint8_t> room, std::int64_t at, U8 data) {
        if (at < 0 || static_cast<std::size_t>(at) > room.size() || data.size() > room.size() - static_cast<std::size_t>(at))
            throw std::invalid_argument("data: it has no place in the room");
        release([&] {
            if (data.size()) put(room.data() + at, data.data(), data.size());
            return 0;
        });
    }, "room"_a.noconvert(), "at"_a, "data"_a.noconvert());
    m.def("array_memory", &array_memory, "handler"_a.none());
    m.def("limit_memory", [](std::int64_t resident, std::int64_t pages, std::int64_t objects, int file, std::int64_t room) {
        if (resident < 0 || pages < 0 || objects < 0 || room < 0) throw std::invalid_argument("bytes must not be negative");
#ifdef DEDUP_POOL
        dedup::Pool::shared().limit(static_cast<std::size_t>(resident), static_cast<std::size_t>(pages),
                                    static_cast<std::size_t>(objects), file, static_cast<std::size_t>(room));
#else
        (void)file;
#endif
    }, "resident"_a, "pages"_a, "objects"_a, "file"_a, "room"_a);
    m.def("memory_room", [] {
#ifdef DEDUP_POOL
        constexpr std::size_t kMost = INT64_MAX;
        return static_cast<std::int64_t>(std::min(dedup::Pool::shared().room(), kMost));
#else
        return std::int64_t{INT64_MAX};
#endif
    });
    m.def("unlimit_memory", [] {
#ifdef DEDUP_POOL
        dedup::Pool::shared().unlimit();
#endif
    });
    m.def("relieve_memory", [] {
#ifdef DEDUP_POOL
        release([] {
            dedup::Pool::shared().relieve();
            return 0;
        });
#endif
    });
    m.def("memory_figures", [] {
#ifdef DEDUP_POOL
        const auto figures = dedup::Pool::shared().figures();
        return nb::make_tuple(figures.held, figures.spilled, figures.most_spilled, figures.full);
#else
        return nb::make_tuple(0, 0, 0, false);
#endif
    });
    m.def("release_memory", [] {
#ifdef __GLIBC__
        // Fixed bounds: else they grow to the largest block ever freed, and what is below them stays with the threads. A heap
        // that ends in 4 MB of free memory keeps them: each time they go, they come back by a thousand page faults.
        static const int fixed = mallopt(M_MMAP_THRESHOLD, 7 << 19) + mallopt(M_TRIM_THRESHOLD, 4 << 20);
        (void)fixed;
        trim_heaps();
#endif
#ifdef DEDUP_POOL
        dedup::Pool::shared().trim();
#endif
    });
}
