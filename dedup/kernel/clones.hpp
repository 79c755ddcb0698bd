// Loops compiled for several levels of instruction sets.
#pragma once

// The best level is chosen by what the processor has (levels: naming a maker's processor leaves the other makers' out) when the
// module is loaded; the results are the same.
#if defined(__GNUC__) && __GNUC__ >= 12 && !defined(__clang__) && defined(__x86_64__) && defined(__linux__) && \
    !defined(DEDUP_NO_CLONES)
#define DEDUP_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define DEDUP_CLONES
#endif

// Of a pointer: nothing else leads to what it points to.
#if defined(_MSC_VER)
#define DEDUP_RESTRICT __restrict
#else
#define DEDUP_RESTRICT __restrict__
#endif
