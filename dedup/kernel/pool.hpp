// Large blocks of memory, handed out and given back whole; and a bound for them, beyond which they lie on disk.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <stdexcept>
#include <vector>

#include "extents.hpp"
#include "resident.hpp"
#include "spill.hpp"

#if defined(__linux__)
#include <pthread.h>
#include <sys/mman.h>
#endif

namespace dedup {

#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__)
// Blocks are cut from stretches that are mapped for them alone, so that the system has them back however the heap around them
// is used. Free ones are kept for the next who asks, whatever the size: a fresh page costs a fault every 4 kB, a used one nothing.
// Fresh pages are handed out only after as many that are free went back to the system, so what is held stays, but for
// `kSpare`, at the most that was in use at one time.
class Pool {
   public:
    static constexpr std::size_t kLeast = std::size_t{1} << 16;  // bytes of a block

    struct Figures {
        std::size_t held, spilled, most_spilled;  // bytes in use, in memory and on disk; and the most on disk since the limit
        bool full;                                // the disk was full since the limit was set
    };

    // Never destroyed: arrays may outlive everything else.
    static Pool& shared() {
        static Pool* const pool = new Pool;
        return *pool;
    }

    void* take(std::size_t bytes) {
        const std::size_t size = rounded(bytes);
        std::unique_lock lock(mutex_);
        // Who asks for a block goes over columns as long as it is, most often two.
        if (watched_ && (came_in_ += 2 * size) >= may_come_) evicted();
        std::byte* memory = used_.take(size);
        if (!memory && !spills_.empty() && held_ + size > most_for(size)) return on_disk(size, lock);
        if (!memory) {
            const std::size_t kept = std::max(kSpare, used_.bytes() - std::min(used_.bytes(), size));
            give_back(std::min(kept, most_held_ - std::min(most_held_, held_ + size)));  // what is free is in memory, too
            memory = fresh_.take(size);
        }
        if (!memory) memory = map(size);
        held_ += size;
        return memory;
    }

    void give(void* memory, std::size_t bytes) {
        auto* const begin = static_cast<std::byte*>(memory);
        const std::lock_guard lock(mutex_);
        for (auto& spill : spills_) {
            if (!spill->holds(begin)) continue;
            spill->give(begin, rounded(bytes));
            return;
        }
        held_ -= rounded(bytes);
        used_.add(begin, rounded(bytes));
    }

    // A block of the file, whatever is held in memory; nullptr where there is none, or no place in it. What is not written with
    // write() does not exist: it must not be touched.
    void* reserve(std::size_t bytes) {
        const std::lock_guard lock(mutex_);
        if (!is_bounded_ || spills_.empty()) return nullptr;
        void* const memory = spills_.back()->reserve(rounded(bytes));
        if (memory) watch();
        return memory;
    }

    // Writes to a place in a block that was reserved.
    void write(std::byte* to, const std::byte* from, std::size_t size) {
        const Spill* const spill = [&] {
            const std::lock_guard lock(mutex_);
            for (auto& one : spills_)
                if (one->holds(to)) return one.get();
            throw std::invalid_argument("room: it is in no file");
        }();
        if (spill->write(to, from, size)) return;  // the file stays as long as a block is in use
        const std::lock_guard lock(mutex_);
        full_ = true;
        throw std::bad_alloc();
    }

    // Looks whether there is too much in memory; costs next to nothing where memory is not bounded.
    void relieve() {
        if (!watched_.load(std::memory_order_relaxed)) return;
        const std::lock_guard lock(mutex_);
        evicted();
    }

    // So many bytes of the file may have come into memory: looks where that could be half of what may still come.
    void came_in(std::size_t bytes) {
        if (!watched_.load(std::memory_order_relaxed)) return;
        const std::size_t all = came_in_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
        if (all >= may_come_.load(std::memory_order_relaxed)) relieve();
    }

    // Whether little of the file may still come into memory, so that it pays to look places up in their order.
    bool is_scarce() const { return watched_.load(std::memory_order_relaxed) && may_come_.load(std::memory_order_relaxed) < kScarce; }

    // Bytes that a large block may have in memory now.
    std::size_t room() {
        const std::lock_guard lock(mutex_);
        if (!is_bounded_) return SIZE_MAX;
        learn();
        return most_held_ / 4 * 3 - std::min(most_held_ / 4 * 3, held_);
    }

    // Gives the system what is free; a little stays where memory is not bounded.
    void trim() {
        const std::lock_guard lock(mutex_);
        if (is_bounded_ || used_.bytes() > kFew) give_back(0);
        for (auto& spill : spills_) spill->trim(0);
    }

    bool is_bounded() {
        const std::lock_guard lock(mutex_);
        return is_bounded_;
    }

    // Free bytes that are not worth giving back: that takes longer than all else that is done to a few pages of text.
    static constexpr std::size_t kFew = std::size_t{8} << 20;

    // From now on `resident` bytes of the process are in memory at most, `pages` of them pages of the file, and `objects` of what is
    // not in blocks and still to come: blocks for which there is no more room lie in the file.
    void limit(std::size_t resident, std::size_t pages, std::size_t objects, int file, std::size_t room) {
        auto spill = std::make_unique<Spill>(file, room);
        const std::lock_guard lock(mutex_);
        resident_ = resident;
        pages_ = pages;
        expected_ = others() + objects;
        is_bounded_ = true;
        learn();
        full_ = false;
        drop_unused();
        give_back(0);
        spills_.push_back(std::move(spill));
    }

    // From now on memory is not bounded. What is on disk stays there, and the bound for it, until it is given back.
    void unlimit() {
        const std::lock_guard lock(mutex_);
        is_bounded_ = false;
        most_held_ = SIZE_MAX;
        drop_unused();
        if (spills_.empty()) may_come_ = SIZE_MAX;
    }

    Figures figures() {
        const std::lock_guard lock(mutex_);
        Figures figures{held_, 0, 0, full_};
        for (auto& spill : spills_) figures.spilled += spill->in_use();
        if (!spills_.empty()) figures.most_spilled = spills_.back()->most_used();
        return figures;
    }

   private:
    static constexpr std::size_t kPage = 4096, kHuge = std::size_t{2} << 20, kSpare = kHuge, kStretch = 16 * kHuge;
    static constexpr std::size_t kTight = std::size_t{128} << 20, kUnseen = std::size_t{96} << 20;
    static constexpr std::size_t kScarce = std::size_t{1} << 28, kPerMillisecond = std::size_t{32} << 20;  // that may come into memory
    static constexpr std::chrono::milliseconds kSoon{1}, kSeldom{20};

    // A child must not find the lock taken by a thread that it has not.
    Pool() {
        pthread_atfork([] { shared().mutex_.lock(); }, [] { shared().mutex_.unlock(); }, [] { shared().mutex_.unlock(); });
    }

    static std::size_t rounded(std::size_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

    // Gives the system free pages until no more than `most` bytes of them are kept. Whole ones: of a page that goes in part all is
    // lost, and what is left of it would be handed out.
    void give_back(std::size_t most) {
        most = most / kPage * kPage;
        while (used_.bytes() > most) {
            const auto [memory, size] = used_.take_last(used_.bytes() - most);
            madvise(memory, size, MADV_DONTNEED);
            fresh_.add(memory, size);
        }
    }

    // A block of a stretch that begins at a border of huge pages; what is left of it is for others. Huge pages are not asked for:
    // a virtual machine that hands free ones back to its host pays four to six times as much for one as for 512 small ones.
    std::byte* map(std::size_t size) {
        const std::size_t stretch = std::max(kStretch, (size + kHuge - 1) / kHuge * kHuge);
        void* const memory = mmap(nullptr, stretch + kHuge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) throw std::bad_alloc();
        auto* const begin = static_cast<std::byte*>(memory);
        const std::size_t before = (kHuge - reinterpret_cast<std::uintptr_t>(begin) % kHuge) % kHuge;
        if (before) munmap(begin, before);
        munmap(begin + before + stretch, kHuge - before);
        fresh_.add(begin + before, stretch);
        return fresh_.take(size);
    }

    // What is held and not in blocks, such as the interpreter and its objects.
    std::size_t others() const {
        const std::size_t anonymous = resident().anonymous;
        return anonymous - std::min(anonymous, held_ + used_.bytes());
    }

    // More than this is too much to be in memory, and so much of it is not: pages of the file come in quickly. What all threads may
    // bring in before one looks is left free where it is a small part of the whole.
    std::size_t much() const {
        const std::size_t spare = resident_ == SIZE_MAX ? 0 : (resident_ - std::min(resident_, kTight)) / 4;
        return resident_ - std::max(resident_ / 16, std::min(spare, kUnseen));
    }
    std::size_t enough() const { return much() - resident_ / 8; }

    // What others hold, or will, leaves the rest to blocks. Were there more of them, pages of the file would go out as they come in.
    void learn() {
        most_held_ = is_bounded_ ? much() - std::min(much(), std::max(others(), expected_) + pages_) : SIZE_MAX;
    }

    // How much may be held once a block is: large ones leave room to the small ones, which come and go.
    std::size_t most_for(std::size_t size) const { return size > most_held_ / 16 ? most_held_ / 4 * 3 : most_held_; }

    std::byte* on_disk(std::size_t size, std::unique_lock<std::mutex>& lock) {
        watch();
        Spill& spill = *spills_.back();
        const Spill::Block block = spill.take(size);
        if (block.memory && block.is_fresh) {  // others need not wait; the file stays as long as a block is in use
            lock.unlock();
            const bool is_there = spill.fill(block.memory, size);
            lock.lock();
            if (is_there) return block.memory;
            spill.give(block.memory, size);
        }
        if (block.memory && !block.is_fresh) return block.memory;
        full_ = true;
        throw std::bad_alloc();
    }

    void watch() {
        if (watched_) return;
        watched_ = true;
        watch_resident([this] {
            const std::lock_guard lock(mutex_);
            return evicted();
        });
    }

    void drop_unused() {
        std::erase_if(spills_, [](const auto& spill) { return spill->is_unused(); });
    }

    // Takes pages of blocks on disk out of memory where there is too much, and says when to look again: soon, but later where
    // nothing is bounded, or much is free.
    std::chrono::milliseconds evicted() {
        if (!is_bounded_) drop_unused();
        learn();
        came_in_ = 0;
        std::size_t now = resident().all;
        if (now > much())
            for (auto& spill : spills_)
                for (std::size_t left = spill->turns(); left && now > enough(); --left, now = resident().all) spill->evict();
        const std::size_t left = much() - std::min(now, much());
        may_come_ = spills_.empty() ? SIZE_MAX : left / 2;
        if (!is_bounded_) return kSeldom;
        return std::clamp(std::chrono::milliseconds(left / kPerMillisecond), kSoon, kSeldom);
    }

    std::mutex mutex_;
    Extents used_, fresh_;  // free: pages that are there, and pages that are not
    std::vector<std::unique_ptr<Spill>> spills_;
    std::size_t held_ = 0, most_held_ = SIZE_MAX, resident_ = SIZE_MAX, pages_ = 0, expected_ = 0;
    bool is_bounded_ = false, full_ = false;
    std::atomic<bool> watched_ = false;
    std::atomic<std::size_t> came_in_ = 0, may_come_ = SIZE_MAX;  // bytes of the file: since somebody looked; half of what may
};
#define DEDUP_POOL 1
#endif

}  // namespace dedup
