// Blocks on disk: a file without a name, mapped. What is read or written comes into memory by itself; what is too much goes out again.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <new>
#include <system_error>
#include <vector>

#include "extents.hpp"

#if defined(__linux__)
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace dedup {

#if defined(__linux__)
class Spill {
   public:
    // The descriptor is the caller's. `room`: bytes that the file may grow to; nothing is taken on disk before it is asked for.
    Spill(int file, std::size_t room) : file_(fcntl(file, F_DUPFD_CLOEXEC, 0)), room_(room / kPage * kPage) {
        if (file_ < 0) throw std::system_error(errno, std::generic_category());
        if (ftruncate(file_, static_cast<off_t>(room_)) || !map()) {
            const int cause = errno;
            close(file_);
            throw std::system_error(cause, std::generic_category());
        }
        fresh_.add(begin_, room_);
    }
    ~Spill() {
        munmap(area_, room_ + 2 * kHuge);
        close(file_);
    }
    Spill(const Spill&) = delete;
    Spill& operator=(const Spill&) = delete;

    bool holds(const void* memory) const { return memory >= begin_ && memory < begin_ + room_; }
    std::size_t in_use() const { return in_use_; }
    bool is_unused() const { return !in_use_ && reserved_.empty(); }
    std::size_t most_used() const { return most_used_; }

    struct Block {
        std::byte* memory;  // nullptr where there is no room in the file
        bool is_fresh;      // it is not on disk yet: fill() it before it is used
    };

    Block take(std::size_t size) {
        Block block{used_.take(size), false};
        if (!block.memory) block = {fresh_.take(size), true};
        if (!block.memory) return block;
        reach_ = std::max(reach_, static_cast<std::size_t>(block.memory - begin_) + size);
        in_use_ += size;
        most_used_ = std::max(most_used_, in_use_);
        return block;
    }

    // Writes zeros to the block; false where the disk is full: a page that found no room there would end the process. Pages that
    // are written so are large and cost a tenth of those that are made one by one when they are touched. Needs no lock.
    bool fill(const std::byte* memory, std::size_t size) const {
        static const std::byte zeros[std::size_t{1} << 20] = {};
        for (std::size_t done = 0; done < size; done += sizeof zeros)
            if (!write(memory + done, zeros, std::min(sizeof zeros, size - done))) return false;
        return true;
    }

    // A block of which nothing is on disk but what write() puts there; nullptr where there is no place for it. It takes no room.
    std::byte* reserve(std::size_t size) {
        std::byte* const memory = fresh_.take(size);
        if (memory) {
            reach_ = std::max(reach_, static_cast<std::size_t>(memory - begin_) + size);
            reserved_.push_back(memory);
        }
        return memory;
    }

    // Writes to a place in a block that was reserved; false where the disk is full. Needs no lock.
    bool write(const std::byte* to, const std::byte* from, std::size_t size) const {
        for (std::size_t done = 0; done < size;) {
            const ssize_t written = pwrite(file_, from + done, size - done, to - begin_ + static_cast<off_t>(done));
            if (written < 0 && errno == EINTR) continue;
            if (written <= 0) return false;
            done += static_cast<std::size_t>(written);
        }
        return true;
    }

    // What is free is soon given back to the disk, so that it is not written for nothing.
    void give(std::byte* memory, std::size_t size) {
        if (std::erase(reserved_, memory)) {  // not all of it is on disk
            punch(memory, size);
            fresh_.add(memory, size);
            return;
        }
        in_use_ -= size;
        used_.add(memory, size);
        if (used_.bytes() > kSpare) trim(kSpare / 2);
    }

    // Gives the disk what is free but for so many bytes, where it takes it.
    void trim(std::size_t most) {
        while (used_.bytes() > most) {
            const auto [memory, size] = used_.take_last(used_.bytes() - most);
            if (!punch(memory, size)) {
                used_.add(memory, size);
                return;
            }
            fresh_.add(memory, size);
        }
    }

    // Takes the next pages in turn out of resident memory; they stay in the file.
    void evict() {
        if (hand_ >= reach_) hand_ = 0;
        const std::size_t size = std::min(kTurn, reach_ - hand_);
        if (size) madvise(begin_ + hand_, size, MADV_DONTNEED);
        hand_ += size;
    }

    // After so many everything was taken out.
    std::size_t turns() const { return reach_ / kTurn + 1; }

   private:
    bool punch(const std::byte* memory, std::size_t size) const {
        return fallocate(file_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, memory - begin_, static_cast<off_t>(size)) == 0;
    }

    // Half a huge page beside where one could begin: else one access would map 2 MB, and all would be in memory at once.
    bool map() {
        area_ = mmap(nullptr, room_ + 2 * kHuge, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (area_ == MAP_FAILED) return false;
        auto* const area = static_cast<std::byte*>(area_);
        std::byte* const place = area + kHuge - reinterpret_cast<std::uintptr_t>(area) % kHuge + kHuge / 2;
        void* const memory = mmap(place, room_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file_, 0);
        if (memory == MAP_FAILED) {
            munmap(area_, room_ + 2 * kHuge);
            return false;
        }
        begin_ = static_cast<std::byte*>(memory);
        return true;
    }

    static constexpr std::size_t kHuge = std::size_t{2} << 20, kPage = 4096, kTurn = std::size_t{8} << 20, kSpare = std::size_t{64} << 20;

    int file_;
    std::size_t room_;
    void* area_ = nullptr;  // around the mapped file
    std::byte* begin_ = nullptr;
    Extents used_, fresh_;  // free: places that are on disk, and places that are not
    std::vector<const std::byte*> reserved_;
    std::size_t in_use_ = 0, most_used_ = 0, reach_ = 0, hand_ = 0;
};
#endif

}  // namespace dedup
