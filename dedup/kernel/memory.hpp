// Memory of the loops: what stays with a thread from call to call, and what is handed out and given back whole.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <new>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace dedup {

#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__)
// Large blocks, mapped one by one, so that the system has them back however the heap around them is used. Some that are free
// are kept for the next who asks: a fresh page costs a fault every 4 kB, a used one nothing.
class Pool {
   public:
    static constexpr std::size_t kLeast = std::size_t{1} << 18;  // bytes of a block

    // Never destroyed: arrays may outlive everything else.
    static Pool& shared() {
        static Pool* const pool = new Pool;
        return *pool;
    }

    void* take(std::size_t bytes) {
        const SizeClass size = size_class(bytes);
        {
            // who finds the lock taken, perhaps by a thread that a fork has left behind, does without
            const std::unique_lock lock(mutex_, std::try_to_lock);
            if (lock.owns_lock() && !free_[size.number].empty()) {
                void* const memory = free_[size.number].back();
                free_[size.number].pop_back();
                kept_ -= size.bytes;
                return memory;
            }
        }
        return map(size.bytes);
    }

    void give(void* memory, std::size_t bytes) {
        const SizeClass size = size_class(bytes);
        {
            const std::unique_lock lock(mutex_, std::try_to_lock);
            if (lock.owns_lock() && kept_ + size.bytes <= kMostKept) {
                free_[size.number].push_back(memory);
                kept_ += size.bytes;
                return;
            }
        }
        munmap(memory, size.bytes);
    }

    // Gives the system what is free.
    void trim() {
        const std::unique_lock lock(mutex_, std::try_to_lock);
        if (!lock.owns_lock()) return;
        for (std::size_t number = 0; number < free_.size(); ++number) {
            for (void* const memory : free_[number]) munmap(memory, (4 + number % 4) << (kLeastBits - 2 + number / 4));
            free_[number].clear();
        }
        kept_ = 0;
    }

   private:
    static constexpr std::size_t kLeastBits = 18, kMostKept = std::size_t{4} << 20, kHuge = std::size_t{2} << 20;

    struct SizeClass {
        std::size_t number, bytes;
    };

    // Four classes from each power of two to the next.
    static SizeClass size_class(std::size_t bytes) {
        std::size_t octave = 0;
        while ((std::size_t{2} << (kLeastBits + octave)) < bytes) ++octave;
        const std::size_t shift = kLeastBits - 2 + octave, quarters = std::max<std::size_t>(4, ((bytes - 1) >> shift) + 1);
        return quarters == 8 ? SizeClass{4 * octave + 4, quarters << shift} : SizeClass{4 * octave + quarters - 4, quarters << shift};
    }

    static void* map(std::size_t bytes) {
        const std::size_t around = bytes >= kHuge ? kHuge : 0;  // to begin at a border of huge pages
        void* const memory = mmap(nullptr, bytes + around, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) throw std::bad_alloc();
        if (!around) return memory;
        auto* const begin = static_cast<std::byte*>(memory);
        const std::size_t before = (kHuge - reinterpret_cast<std::uintptr_t>(begin) % kHuge) % kHuge;
        if (before) munmap(begin, before);
        if (around - before) munmap(begin + before + bytes, around - before);
        madvise(begin + before, bytes, MADV_HUGEPAGE);
        return begin + before;
    }

    std::mutex mutex_;
    std::array<std::vector<void*>, 4 * (64 - kLeastBits)> free_;
    std::size_t kept_ = 0;
};
#define DEDUP_POOL 1
#endif

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
