#include "ceilings.h"

#if defined(__x86_64__)
#include <immintrin.h>

// Sixteen accumulators hide the latency of two FMA units.
#define ACCUMULATORS 16

__attribute__((target("avx512f"))) static double fma_avx512(size_t rounds, float *sink) {
  __m512 sums[ACCUMULATORS];
  for (int i = 0; i < ACCUMULATORS; i++) sums[i] = _mm512_set1_ps((float)i);
  const __m512 factor = _mm512_set1_ps(0.999f), term = _mm512_set1_ps(0.001f);
  for (size_t round = 0; round < rounds; round++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < ACCUMULATORS; i++) sums[i] = _mm512_fmadd_ps(sums[i], factor, term);
  }
  for (int i = 1; i < ACCUMULATORS; i++) sums[0] = _mm512_add_ps(sums[0], sums[i]);
  *sink = _mm512_reduce_add_ps(sums[0]);
  return 2.0 * 16 * ACCUMULATORS * (double)rounds;
}

// Sixteen registers in all, of which two hold the factors.
#define NARROW_ACCUMULATORS 12

__attribute__((target("avx2,fma"))) static double fma_avx2(size_t rounds, float *sink) {
  __m256 sums[NARROW_ACCUMULATORS];
  for (int i = 0; i < NARROW_ACCUMULATORS; i++) sums[i] = _mm256_set1_ps((float)i);
  const __m256 factor = _mm256_set1_ps(0.999f), term = _mm256_set1_ps(0.001f);
  for (size_t round = 0; round < rounds; round++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < NARROW_ACCUMULATORS; i++) sums[i] = _mm256_fmadd_ps(sums[i], factor, term);
  }
  float lanes[8];
  for (int i = 1; i < NARROW_ACCUMULATORS; i++) sums[0] = _mm256_add_ps(sums[0], sums[i]);
  _mm256_storeu_ps(lanes, sums[0]);
  *sink = lanes[0] + lanes[3] + lanes[7];
  return 2.0 * 8 * NARROW_ACCUMULATORS * (double)rounds;
}

__attribute__((target("avx512f"))) static float read_avx512(const float *x, size_t count) {
  __m512 sums[8];
  for (int i = 0; i < 8; i++) sums[i] = _mm512_setzero_ps();
  for (size_t start = 0; start + 128 <= count; start += 128) {
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i++) sums[i] = _mm512_add_ps(sums[i], _mm512_loadu_ps(x + start + 16 * i));
  }
  for (int i = 1; i < 8; i++) sums[0] = _mm512_add_ps(sums[0], sums[i]);
  return _mm512_reduce_add_ps(sums[0]);
}

__attribute__((target("avx512f"))) static void triad_avx512(float *y, const float *x, const float *z,
                                                                   size_t n) {
  for (size_t i = 0; i < n; i++) y[i] = x[i] + 3 * z[i];
}

static int has_avx512(void) { return __builtin_cpu_supports("avx512f"); }
static int has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
#endif

static double fma_plain(size_t rounds, float *sink) {
  enum { lanes = 64 };
  float sums[lanes];
  for (int i = 0; i < lanes; i++) sums[i] = (float)i;
  for (size_t round = 0; round < rounds; round++) {
    for (int i = 0; i < lanes; i++) sums[i] = sums[i] * 0.999f + 0.001f;
  }
  *sink = 0;
  for (int i = 0; i < lanes; i++) *sink += sums[i];
  return 2.0 * lanes * (double)rounds;
}

static float read_plain(const float *x, size_t count) {
  float sums[32] = {0};
  for (size_t start = 0; start + 32 <= count; start += 32) {
    for (int i = 0; i < 32; i++) sums[i] += x[start + i];
  }
  float total = 0;
  for (int i = 0; i < 32; i++) total += sums[i];
  return total;
}

const char *ceiling_instructions(void) {
#if defined(__x86_64__)
  if (has_avx512()) return "AVX-512";
  if (has_avx2()) return "AVX2";
#endif
  return "plain C";
}

double ceiling_fma(size_t rounds, float *sink) {
#if defined(__x86_64__)
  if (has_avx512()) return fma_avx512(rounds, sink);
  if (has_avx2()) return fma_avx2(rounds, sink);
#endif
  return fma_plain(rounds, sink);
}

float ceiling_read(const float *x, size_t count) {
#if defined(__x86_64__)
  if (has_avx512()) return read_avx512(x, count);
#endif
  return read_plain(x, count);
}

void ceiling_triad(float *y, const float *x, const float *z, size_t count) {
#if defined(__x86_64__)
  if (has_avx512()) {
    triad_avx512(y, x, z, count);
    return;
  }
#endif
  for (size_t i = 0; i < count; i++) y[i] = x[i] + 3 * z[i];
}
