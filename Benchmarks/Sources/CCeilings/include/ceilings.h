// What one thread gets out of the processor and its memory with the widest instructions that both know:
// AVX-512, AVX2 with FMA, or whatever the compiler makes of plain C.

#ifndef CEILINGS_H
#define CEILINGS_H

#include <stddef.h>

/// Name of the instructions in use: "AVX-512", "AVX2" or "plain C".
const char *ceiling_instructions(void);

/// Independent fused multiply-adds in registers, repeated `rounds` times.
/// Returns how many floating-point operations that were; `sink` receives a value that depends on all of them.
double ceiling_fma(size_t rounds, float *sink);

/// Sum of `count` floats, a multiple of 128.
float ceiling_read(const float *x, size_t count);

/// y = x + 3 z, for `count` floats.
void ceiling_triad(float *y, const float *x, const float *z, size_t count);

#endif
