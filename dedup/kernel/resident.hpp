// How much of the process is in memory, and a thread that looks at it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <thread>
#include <utility>

#if defined(__linux__)
#include <fcntl.h>
#include <sys/syscall.h>
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

// Asks to run soon after waking, before threads that have been running: what it does takes little time. (sched_setattr, Linux 6.12;
// others do not mind.)
inline void run_promptly() {
#ifdef SYS_sched_setattr
    struct {
        std::uint32_t size = 48, policy = 0;
        std::uint64_t flags = 0;
        std::int32_t nice = 0;
        std::uint32_t priority = 0;
        std::uint64_t slice = 100'000, deadline = 0, period = 0;  // nanoseconds
    } wish;
    (void)syscall(SYS_sched_setattr, 0, &wish, 0);
#endif
}

// Calls `act` as long as the process lives, each time as soon as it said before.
template <class Act>
void watch_resident(Act act) {
    std::thread([act = std::move(act)] {
        run_promptly();
        for (;;) std::this_thread::sleep_for(act());
    }).detach();
}
#endif

}  // namespace dedup
