#include "lanes.h"

// g: a 3×3 kernel   t: a transformed kernel; one line of each. See `WinogradTile.swift` for the points.

#define AA 0.390625f
#define BB 2.25f
#define A 0.625f
#define B 1.5f
// 1 / ∏ (p - q) over the other finite points q, for p = 0, p = ±A and p = ±B.
#define SHARE_0 (1 / (AA * BB))
#define SHARE_A (0.5f / (AA * (AA - BB)))
#define SHARE_B (0.5f / (BB * (BB - AA)))

INLINED void kernel4(const lanes *g, lanes *t, size_t from, size_t to) {
  lanes g0 = g[0], g1 = g[from], g2 = g[2 * from];
  lanes even_a = (g0 + g2 * AA) * SHARE_A, odd_a = g1 * (A * SHARE_A);
  lanes even_b = (g0 + g2 * BB) * SHARE_B, odd_b = g1 * (B * SHARE_B);
  t[0] = g0 * SHARE_0;
  t[to] = even_a + odd_a;
  t[2 * to] = even_a - odd_a;
  t[3 * to] = even_b + odd_b;
  t[4 * to] = even_b - odd_b;
  t[5 * to] = g2;
}

INLINED void kernel2(const lanes *g, lanes *t, size_t from, size_t to) {
  lanes g0 = g[0], g1 = g[from], g2 = g[2 * from];
  lanes even = (g0 + g2) * 0.5f, odd = g1 * 0.5f;
  t[0] = g0;
  t[to] = even + odd;
  t[2 * to] = even - odd;
  t[3 * to] = g2;
}

// Swaps what lies `s` apart in rows with what lies `s` apart in columns: elements of a pair of rows, those of the second
// counted from 16.
#define SWAP_LOW(s, j) ((j) & (s) ? 16 + (j) - (s) : (j))
#define SWAP_HIGH(s, j) ((j) & (s) ? 16 + (j) : (j) + (s))
#define SIXTEEN(f, s) \
  f(s, 0), f(s, 1), f(s, 2), f(s, 3), f(s, 4), f(s, 5), f(s, 6), f(s, 7), f(s, 8), f(s, 9), f(s, 10), f(s, 11), \
    f(s, 12), f(s, 13), f(s, 14), f(s, 15)
#define SWAP(s) \
  for (size_t i = 0; i < 16; i++) { \
    if (i & s) continue; \
    lanes low = rows[i], high = rows[i + s]; \
    rows[i] = __builtin_shufflevector(low, high, SIXTEEN(SWAP_LOW, s)); \
    rows[i + s] = __builtin_shufflevector(low, high, SIXTEEN(SWAP_HIGH, s)); \
  }

INLINED void transpose(lanes *rows) {
  SWAP(1)
  SWAP(2)
  SWAP(4)
  SWAP(8)
}

typedef void transform(const lanes *, lanes *, size_t, size_t);
typedef float aligned_lanes __attribute__((vector_size(4 * dseg_lanes), aligned(4 * dseg_lanes), may_alias));

INLINED void kernels(struct dseg_kernels in, struct dseg_transformed_kernels out, size_t size, transform line) {
  enum { taps = 9 };
  lanes values[dseg_lanes * taps];
  if (in.outputs == dseg_lanes && in.channels == dseg_lanes) {
    for (size_t block = 0; block < taps; block++) {
      for (size_t o = 0; o < dseg_lanes; o++) {
        load(&values[block * dseg_lanes + o], in.weight + o * in.stride + block * dseg_lanes);
      }
      transpose(values + block * dseg_lanes);
    }
  } else {
    memset(values, 0, sizeof values);
    for (size_t i = 0; i < in.channels * taps; i++) {
      for (size_t o = 0; o < in.outputs; o++) values[i][o] = in.weight[o * in.stride + i];
    }
  }
  for (size_t c = 0; c < dseg_lanes; c++) {
    lanes columns[3 * 6], whole[6];
    for (size_t column = 0; column < 3; column++) line(values + c * taps + column, columns + column, 3, 3);
    for (size_t row = 0; row < size; row++) {
      line(columns + 3 * row, whole, 1, 1);
      for (size_t column = 0; column < size; column++) {
        float *place = out.u + (row * size + column) * out.frequency + c * out.channel;
        if (out.streams) __builtin_nontemporal_store(whole[column], (aligned_lanes *)place);
        else store(place, &whole[column]);
      }
    }
  }
  // Such stores are in no order with what tells other threads that they are done.
  if (out.streams) __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

FOR_SEVERAL_PROCESSORS
void dseg_winograd2_kernels(struct dseg_kernels in, struct dseg_transformed_kernels out) {
  kernels(in, out, 4, kernel2);
}

FOR_SEVERAL_PROCESSORS
void dseg_winograd4_kernels(struct dseg_kernels in, struct dseg_transformed_kernels out) {
  kernels(in, out, 6, kernel4);
}
