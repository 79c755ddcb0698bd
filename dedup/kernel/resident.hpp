// How much of the process is in memory, and a thread that looks at it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <thread>
#include <utility>

#if defined(__linux__)
#include <fcntl.h>
#include <unistd.h>
#endif

namespace dedup {

#if defined(__linux__)
// Bytes of the process in memory: all, and those that are nowhere else; 0 where the system does not say.
struct Resident {
    std::size_t all, anonymous;
};

inline Resident resident() {
    static const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    static const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    char text[64] = {};
    unsigned long long mapped = 0, all = 0, shared = 0;
    if (pread(file, text, sizeof text - 1, 0) <= 0 || std::sscanf(text, "%llu %llu %llu", &mapped, &all, &shared) != 3) return {0, 0};
    return {static_cast<std::size_t>(all) * page, static_cast<std::size_t>(all - shared) * page};
}

// Calls `act` every few milliseconds as long as the process lives; more seldom where it says that it cannot help.
template <class Act>
void watch_resident(Act act) {
    std::thread([act = std::move(act)] {
        using std::chrono::milliseconds;
        for (;;) std::this_thread::sleep_for(act() ? milliseconds(2) : milliseconds(10));
    }).detach();
}
#endif

}  // namespace dedup
