#include "lanes.h"

#if defined(__x86_64__)

/// Rows of the product that are computed together: with two registers of columns, enough sums to hide the latency
/// of a multiplication.
enum { group_rows = 8 };
/// Terms of the sums that are taken before the next panel's: so much of a panel stays in the first cache.
enum { block_depth = 256 };

/// Some terms of a group of rows of one panel: `m[row] (+)= Σ v[row][k] u[k]`.
__attribute__((target("avx512f"))) static inline __attribute__((always_inline)) void group_product(
    const float *const v[group_rows], const float *u, size_t depth, int is_first, float *const m[group_rows]) {
  lanes sums[group_rows][2];
  for (int row = 0; row < group_rows; row++) {
    for (int half = 0; half < 2; half++) {
      if (is_first) sums[row][half] = (lanes){0};
      else load(&sums[row][half], m[row] + half * dseg_lanes);
    }
  }
  for (size_t k = 0; k < depth; k++) {
    lanes left, right;
    load(&left, u + k * dseg_panel_width);
    load(&right, u + k * dseg_panel_width + dseg_lanes);
    for (int row = 0; row < group_rows; row++) {
      float x = v[row][k];
      lanes factor = {x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x};
      sums[row][0] = __builtin_elementwise_fma(factor, left, sums[row][0]);
      sums[row][1] = __builtin_elementwise_fma(factor, right, sums[row][1]);
    }
  }
  for (int row = 0; row < group_rows; row++) {
    for (int half = 0; half < 2; half++) store(m[row] + half * dseg_lanes, &sums[row][half]);
  }
}

__attribute__((target("avx512f"))) void dseg_panel_product(const float *v, const float *u, float *m, size_t rows,
                                                            size_t depth, size_t columns) {
  float unused[dseg_panel_width];
  for (size_t column = 0; column < columns; column += dseg_panel_width, u += depth * dseg_panel_width) {
    for (size_t start = 0; start < depth; start += block_depth) {
      size_t block = depth - start < block_depth ? depth - start : block_depth;
      for (size_t row = 0; row < rows; row += group_rows) {
        const float *from[group_rows];
        float *to[group_rows];
        for (int i = 0; i < group_rows; i++) {
          // Rows beyond the last repeat it, to no effect.
          int exists = row + i < rows;
          from[i] = v + (exists ? row + i : rows - 1) * depth + start;
          to[i] = exists ? m + (row + i) * columns + column : unused;
        }
        const float *block_start = u + start * dseg_panel_width;
        if (start == 0) group_product(from, block_start, block, 1, to);
        else group_product(from, block_start, block, 0, to);
      }
    }
  }
}

int dseg_has_panel_product(void) { return __builtin_cpu_supports("avx512f"); }

#else

int dseg_has_panel_product(void) { return 0; }

void dseg_panel_product(const float *v, const float *u, float *m, size_t rows, size_t depth, size_t columns) {
  __builtin_trap();
}

#endif
