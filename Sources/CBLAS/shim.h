#include <cblas.h>

// LAPACK's eigenvalues of a symmetric matrix by divide and conquer, which OpenBLAS comes with but has no header for.
void ssyevd_(const char *jobz, const char *uplo, const int *n, float *a, const int *lda, float *w, float *work,
             const int *lwork, int *iwork, const int *liwork, int *info);

#if defined(__x86_64__)
#include <cpuid.h>

/// Whether this processor can run OpenBLAS's SkylakeX kernels: AVX-512 F, BW, DQ and VL by CPUID
/// leaf 7, and an operating system that saves the ZMM and mask registers (XCR0 bits 1, 2, 5, 6, 7).
static inline int dseg_cpu_has_avx512(void) {
  unsigned int eax, ebx, ecx, edx;
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & (1u << 27))) return 0;
  unsigned int xcr0_low, xcr0_high;
  __asm__ volatile("xgetbv" : "=a"(xcr0_low), "=d"(xcr0_high) : "c"(0));
  if ((xcr0_low & 0xE6u) != 0xE6u) return 0;
  if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) return 0;
  const unsigned int needed = (1u << 16) | (1u << 17) | (1u << 30) | (1u << 31);
  return (ebx & needed) == needed;
}
#else
static inline int dseg_cpu_has_avx512(void) { return 0; }
#endif
