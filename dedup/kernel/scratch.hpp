// Memory that stays with a thread from call to call: fresh memory costs a page fault every 4 kB.
#pragma once

#include <cstddef>
#include <vector>

namespace dedup {

// An empty vector whose memory was used before by this thread. One of each element type and number at a time.
template <class T, int kNumber = 0>
class Scratch {
   public:
    Scratch() { values_.clear(); }
    ~Scratch() {
        if (values_.capacity() * sizeof(T) > kMostKept) std::vector<T>().swap(values_);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    std::vector<T>& values() { return values_; }
    std::vector<T> copy() const { return std::vector<T>(values_.begin(), values_.end()); }

   private:
    static constexpr std::size_t kMostKept = std::size_t{8} << 20;  // bytes a thread keeps
    inline static thread_local std::vector<T> values_;
};

}  // namespace dedup
