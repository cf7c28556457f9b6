#pragma once
#include "CKernels.h"
#include <stdint.h>
#include <string.h>

// The loader chooses between the versions, where there is one that can. It does so before a thread sanitizer is set up,
// whose calls in the chooser would then crash.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define DSEG_ONE_PROCESSOR
#endif
#endif
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(DSEG_ONE_PROCESSOR)
#define FOR_SEVERAL_PROCESSORS __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FOR_SEVERAL_PROCESSORS
#endif
#define INLINED static inline __attribute__((always_inline))

/// One AVX-512 register, two of AVX2, four of SSE2 or NEON.
typedef float lanes __attribute__((vector_size(4 * dseg_lanes), aligned(4), may_alias));
typedef int32_t int_lanes __attribute__((vector_size(4 * dseg_lanes), aligned(4), may_alias));

INLINED void load(lanes *to, const float *from) { *to = *(const lanes *)from; }

INLINED void store(float *to, const lanes *from) { *(lanes *)to = *from; }

/// Zeros beyond `count`.
INLINED void load_some(lanes *to, const float *from, size_t count) {
  if (count == dseg_lanes) return load(to, from);
  lanes value = {0};
  for (size_t i = 0; i < count; i++) value[i] = from[i];
  *to = value;
}

INLINED void store_some(float *to, const lanes *from, size_t count) {
  if (count == dseg_lanes) store(to, from);
  else memcpy(to, from, count * sizeof(float));
}
