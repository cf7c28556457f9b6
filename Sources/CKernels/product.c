#include "lanes.h"

#if defined(__x86_64__)

/// Rows of the product that are computed together: with two registers of columns, enough sums to hide the latency
/// of a multiplication.
enum { group_rows = 8 };
/// Terms of the sums that are taken before the next panel's: so much of a panel stays in the first cache.
enum { block_depth = 256 };

/// Some terms of a group of rows of one panel: `y[row] (+)= Σ x[row][k] u[k]`.
__attribute__((target("avx512f"))) static inline __attribute__((always_inline)) void group_product(
    const float *const x[group_rows], const float *u, size_t depth, int is_first, float *const y[group_rows]) {
  lanes sums[group_rows][2];
  for (int row = 0; row < group_rows; row++) {
    for (int half = 0; half < 2; half++) {
      if (is_first) sums[row][half] = (lanes){0};
      else load(&sums[row][half], y[row] + half * dseg_lanes);
    }
  }
  for (size_t k = 0; k < depth; k++) {
    lanes left, right;
    load(&left, u + k * dseg_panel_width);
    load(&right, u + k * dseg_panel_width + dseg_lanes);
    for (int row = 0; row < group_rows; row++) {
      float f = x[row][k];
      lanes factor = {f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f};
      sums[row][0] = __builtin_elementwise_fma(factor, left, sums[row][0]);
      sums[row][1] = __builtin_elementwise_fma(factor, right, sums[row][1]);
    }
  }
  for (int row = 0; row < group_rows; row++) {
    for (int half = 0; half < 2; half++) store(y[row] + half * dseg_lanes, &sums[row][half]);
  }
}

__attribute__((target("avx512f"))) void dseg_panel_product(struct dseg_product p) {
  float unused[dseg_panel_width] = {0};
  for (size_t column = 0; column < p.columns; column += dseg_panel_width, p.u += p.panel_stride) {
    for (size_t start = 0; start < p.depth; start += block_depth) {
      size_t block = p.depth - start < block_depth ? p.depth - start : block_depth;
      const float *u = p.u + start * dseg_panel_width;
      for (size_t row = 0; row < p.rows; row += group_rows) {
        const float *from[group_rows];
        float *to[group_rows];
        for (int i = 0; i < group_rows; i++) {
          // Rows beyond the last repeat it, to no effect.
          int exists = row + i < p.rows;
          from[i] = p.x + (exists ? row + i : p.rows - 1) * p.x_stride + start;
          to[i] = exists ? p.y + (row + i) * p.y_stride + column : unused;
        }
        if (start == 0 && !p.adds) group_product(from, u, block, 1, to);
        else group_product(from, u, block, 0, to);
      }
    }
  }
}

/// Some terms of a group of rows of `y (+)= xᵀ u`: `x` and `u` are one row for every term.
__attribute__((target("avx512f"))) static inline __attribute__((always_inline)) void group_transposed_product(
    const float *x, size_t x_stride, const float *u, size_t u_stride, size_t depth, int adds, float *y, size_t y_stride,
    int rows) {
  lanes sums[group_rows][2];
  for (int row = 0; row < rows; row++) {
    for (int half = 0; half < 2; half++) {
      if (adds) load(&sums[row][half], y + row * y_stride + half * dseg_lanes);
      else sums[row][half] = (lanes){0};
    }
  }
  for (size_t k = 0; k < depth; k++, x += x_stride, u += u_stride) {
    lanes left, right;
    load(&left, u);
    load(&right, u + dseg_lanes);
    for (int row = 0; row < rows; row++) {
      float f = x[row];
      lanes factor = {f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f};
      sums[row][0] = __builtin_elementwise_fma(factor, left, sums[row][0]);
      sums[row][1] = __builtin_elementwise_fma(factor, right, sums[row][1]);
    }
  }
  for (int row = 0; row < rows; row++) {
    for (int half = 0; half < 2; half++) store(y + row * y_stride + half * dseg_lanes, &sums[row][half]);
  }
}

__attribute__((target("avx512f"))) void dseg_transposed_product(struct dseg_transposed_product p) {
  for (size_t start = 0; start < p.depth; start += block_depth) {
    size_t block = p.depth - start < block_depth ? p.depth - start : block_depth;
    const float *x = p.x + start * p.x_stride, *u = p.u + start * p.u_stride;
    int adds = start > 0 || p.adds;
    for (size_t column = 0; column < p.columns; column += dseg_panel_width) {
      float *y = p.y + column;
      for (size_t row = 0; row < p.rows; row += group_rows) {
        group_transposed_product(x + row, p.x_stride, u + column, p.u_stride, block, adds, y + row * p.y_stride,
                                 p.y_stride, group_rows);
      }
    }
  }
}

int dseg_has_panel_product(void) { return __builtin_cpu_supports("avx512f"); }

#else

int dseg_has_panel_product(void) { return 0; }

void dseg_panel_product(struct dseg_product p) { __builtin_trap(); }

void dseg_transposed_product(struct dseg_transposed_product p) { __builtin_trap(); }

#endif
