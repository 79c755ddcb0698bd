// Memory of the loops: what stays with a thread from call to call, and what is handed out and given back whole.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <map>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#if defined(__linux__)
#include <pthread.h>
#include <sys/mman.h>
#endif

namespace dedup {

#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__)
// Large blocks, cut from stretches that are mapped for them alone, so that the system has them back however the heap around them
// is used. Free ones are kept for the next who asks, whatever the size: a fresh page costs a fault every 4 kB, a used one nothing.
// Fresh pages are handed out only after as many that are free went back to the system, so what is held stays, but for
// `kSpare`, at the most that was in use at one time.
class Pool {
   public:
    static constexpr std::size_t kLeast = std::size_t{1} << 16;  // bytes of a block

    // Never destroyed: arrays may outlive everything else.
    static Pool& shared() {
        static Pool* const pool = new Pool;
        return *pool;
    }

    void* take(std::size_t bytes) {
        const std::size_t size = rounded(bytes);
        const std::lock_guard lock(mutex_);
        std::byte* memory = used_.take(size);
        if (memory) return memory;
        give_back(std::max(kSpare, used_.bytes() - std::min(used_.bytes(), size)));
        memory = fresh_.take(size);
        return memory ? memory : map(size);
    }

    void give(void* memory, std::size_t bytes) {
        const std::lock_guard lock(mutex_);
        used_.add(static_cast<std::byte*>(memory), rounded(bytes));
    }

    // Gives the system what is free.
    void trim() {
        const std::lock_guard lock(mutex_);
        give_back(0);
    }

   private:
    static constexpr std::size_t kPage = 4096, kHuge = std::size_t{2} << 20, kSpare = kHuge, kStretch = 16 * kHuge;

    // A child must not find the lock taken by a thread that it has not.
    Pool() {
        pthread_atfork([] { shared().mutex_.lock(); }, [] { shared().mutex_.unlock(); }, [] { shared().mutex_.unlock(); });
    }

    // Free extents by address; neighbours are one.
    class Extents {
       public:
        std::size_t bytes() const { return bytes_; }

        void add(std::byte* begin, std::size_t size) {
            bytes_ += size;
            auto after = extents_.lower_bound(begin);
            if (after != extents_.end() && after->first == begin + size) {
                size += after->second;
                after = extents_.erase(after);
            }
            if (after != extents_.begin() && std::prev(after)->first + std::prev(after)->second == begin) {
                std::prev(after)->second += size;
            } else {
                extents_.emplace_hint(after, begin, size);
            }
        }

        // The front of the smallest extent that is large enough, if any.
        std::byte* take(std::size_t size) {
            auto best = extents_.end();
            for (auto extent = extents_.begin(); extent != extents_.end(); ++extent)
                if (extent->second >= size && (best == extents_.end() || extent->second < best->second)) best = extent;
            return best == extents_.end() ? nullptr : cut(best, size);
        }

        // The front of the last extent, and how much of it, up to `most`.
        std::pair<std::byte*, std::size_t> take_last(std::size_t most) {
            const auto last = std::prev(extents_.end());
            const std::size_t size = std::min(last->second, most);
            return {cut(last, size), size};
        }

       private:
        using Map = std::map<std::byte*, std::size_t>;

        std::byte* cut(Map::iterator extent, std::size_t size) {
            const auto [begin, whole] = *extent;
            const auto after = extents_.erase(extent);
            if (whole > size) extents_.emplace_hint(after, begin + size, whole - size);
            bytes_ -= size;
            return begin;
        }

        Map extents_;
        std::size_t bytes_ = 0;
    };

    static std::size_t rounded(std::size_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

    // Gives the system free pages until no more than `most` bytes of them are kept.
    void give_back(std::size_t most) {
        while (used_.bytes() > most) {
            const auto [memory, size] = used_.take_last(used_.bytes() - most);
            madvise(memory, size, MADV_DONTNEED);
            fresh_.add(memory, size);
        }
    }

    // A block of a stretch that begins at a border of huge pages; what is left of it is for others.
    std::byte* map(std::size_t size) {
        const std::size_t stretch = std::max(kStretch, (size + kHuge - 1) / kHuge * kHuge);
        void* const memory = mmap(nullptr, stretch + kHuge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) throw std::bad_alloc();
        auto* const begin = static_cast<std::byte*>(memory);
        const std::size_t before = (kHuge - reinterpret_cast<std::uintptr_t>(begin) % kHuge) % kHuge;
        if (before) munmap(begin, before);
        munmap(begin + before + stretch, kHuge - before);
        madvise(begin + before, stretch, MADV_HUGEPAGE);
        fresh_.add(begin + before, stretch);
        return fresh_.take(size);
    }

    std::mutex mutex_;
    Extents used_, fresh_;  // free: pages that are there, and pages that are not
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
    static constexpr std::size_t kMostKept = std::size_t{1} << 16;  // bytes a thread keeps; larger blocks are the pool's
    inline static thread_local Mapped<T> values_;
};

}  // namespace dedup
