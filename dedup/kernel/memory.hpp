// Memory of the loops: what stays with a thread from call to call, and what is handed out and given back whole.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace dedup {

// For columns that outlive many others: large ones are mapped, so that the system has them back when they are freed, however
// the heap around them is used. Elements are not set to zero.
template <class T>
struct MappedAllocator {
    using value_type = T;
    MappedAllocator() = default;
    template <class U>
    MappedAllocator(const MappedAllocator<U>&) {}

    static constexpr std::size_t kLeast = std::size_t{1} << 18;  // bytes

    T* allocate(std::size_t count) {
        const std::size_t bytes = count * sizeof(T);
#if defined(__linux__)
        if (bytes >= kLeast) {
            void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            if (memory == MAP_FAILED) throw std::bad_alloc();
            if (bytes >= std::size_t{4} << 20) madvise(memory, bytes, MADV_HUGEPAGE);
            return static_cast<T*>(memory);
        }
#endif
        void* const memory = std::malloc(bytes ? bytes : 1);
        if (!memory) throw std::bad_alloc();
        return static_cast<T*>(memory);
    }

    void deallocate(T* memory, std::size_t count) {
#if defined(__linux__)
        if (count * sizeof(T) >= kLeast) {
            munmap(memory, count * sizeof(T));
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
    static constexpr std::size_t kMostKept = std::size_t{1} << 20;  // bytes a thread keeps
    inline static thread_local Mapped<T> values_;
};

}  // namespace dedup
