// Memory of the loops: what stays with a thread from call to call, and what is handed out and given back whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <vector>

#include "pool.hpp"

// Memory that is soon looked at is fetched while something else is done.
#if defined(__GNUC__) || defined(__clang__)
#define DEDUP_PREFETCH(address) __builtin_prefetch(address)
#else
#define DEDUP_PREFETCH(address) (void)(address)
#endif

namespace dedup {

// Elements are not set to zero; large columns come from the pool.
template <class T>
struct MappedAllocator {
    using value_type = T;
    MappedAllocator() = default;
    template <class U>
    MappedAllocator(const MappedAllocator<U>&) {}

    T* allocate(std::size_t count) {
        const std::size_t bytes = count * sizeof(T);
#ifdef DEDUP_POOL
        if (bytes >= Pool::kLeast) return static_cast<T*>(Pool::shared().take(bytes));
#endif
        void* const memory = std::malloc(bytes ? bytes : 1);
        if (!memory) throw std::bad_alloc();
        return static_cast<T*>(memory);
    }

    void deallocate(T* memory, [[maybe_unused]] std::size_t count) {
#ifdef DEDUP_POOL
        if (count * sizeof(T) >= Pool::kLeast) {
            Pool::shared().give(memory, count * sizeof(T));
            return;
        }
#endif
        std::free(memory);
    }

    template <class U>
    void construct(U* place) {
        ::new (static_cast<void*>(place)) U;
    }
    template <class U, class... Args>
    void construct(U* place, Args&&... args) {
        ::new (static_cast<void*>(place)) U(static_cast<Args&&>(args)...);
    }
    bool operator==(const MappedAllocator&) const { return true; }
};

template <class T>
using Mapped = std::vector<T, MappedAllocator<T>>;

// For a loop that goes to places all over long columns. Each place may bring 64 kB of a column on disk into memory, which is more
// than a thread beside the loop can take out in time. So the loop counts them, and takes out itself what is too much.
class Relief {
   public:
    void place() {
        if (++places_ == kTogether) look();
    }

   private:
    static constexpr std::size_t kTogether = 64, kPlace = std::size_t{1} << 16;  // places; bytes that one brings in, at most

    void look() {
        places_ = 0;
#ifdef DEDUP_POOL
        Pool::shared().came_in(kTogether * kPlace);
#endif
    }

    std::size_t places_ = 0;
};

// An empty vector whose memory was used before by this thread: fresh memory costs a page fault every 4 kB. One of each element
// type and number at a time.
template <class T, int kNumber = 0>
class Scratch {
   public:
    Scratch() { values_.clear(); }
    ~Scratch() {
        if (values_.capacity() * sizeof(T) > kMostKept) Mapped<T>().swap(values_);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    Mapped<T>& values() { return values_; }

   private:
    static constexpr std::size_t kMostKept = std::size_t{1} << 16;  // bytes a thread keeps; larger blocks are the pool's
    inline static thread_local Mapped<T> values_;
};

}  // namespace dedup
