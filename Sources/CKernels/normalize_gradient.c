#include "exponential.h"

/// Gradient before SiLU from the gradient after it.
INLINED void silu_gradient(const lanes *u, lanes *gradient) {
  lanes e = -*u;
  exponential(&e);
  lanes sigmoid = 1 / (1 + e);
  *gradient *= sigmoid * (1 + *u * (1 - sigmoid));
}

FOR_SEVERAL_PROCESSORS
void dseg_silu_gradient(const float *x, const float *gradient, float *y, size_t count) {
  for (size_t i = 0; i < count; i += dseg_lanes) {
    size_t some = count - i < dseg_lanes ? count - i : dseg_lanes;
    lanes u, value;
    load_some(&u, x + i, some);
    load_some(&value, gradient + i, some);
    silu_gradient(&u, &value);
    store_some(y + i, &value, some);
  }
}

INLINED void sums(struct dseg_normalize_sums s, int applied_silu) {
  for (size_t start = 0; start < s.channels; start += dseg_lanes) {
    size_t some = s.channels - start < dseg_lanes ? s.channels - start : dseg_lanes;
    lanes mean, factor, offset, sum = {0}, product = {0};
    load_some(&mean, s.mean + start, some);
    load_some(&factor, s.factor + start, some);
    load_some(&offset, s.offset + start, some);
    const float *x = s.x + start;
    float *gradient = s.gradient + start;
    for (size_t pixel = 0; pixel < s.pixels; pixel++, x += s.channels, gradient += s.stride) {
      lanes value, g;
      load_some(&value, x, some);
      load_some(&g, gradient, some);
      value -= mean;
      if (applied_silu) {
        lanes u = value * factor + offset;
        silu_gradient(&u, &g);
        store_some(gradient, &g, some);
      }
      sum += g;
      product += g * value;
    }
    store_some(s.sum + start, &sum, some);
    store_some(s.product + start, &product, some);
  }
}

FOR_SEVERAL_PROCESSORS
void dseg_normalize_gradient_sums(struct dseg_normalize_sums s, int applied_silu) {
  if (applied_silu) sums(s, 1);
  else sums(s, 0);
}

FOR_SEVERAL_PROCESSORS
void dseg_normalize_gradient(const float *x, const float *gradient, size_t stride, const float *restrict mean,
                             const float *restrict factor, const float *restrict slope, const float *restrict offset,
                             float *restrict y, size_t pixels, size_t channels) {
  for (size_t pixel = 0; pixel < pixels; pixel++, x += channels, y += channels, gradient += stride) {
    for (size_t c = 0; c < channels; c++) {
      y[c] = gradient[c] * factor[c] + (x[c] - mean[c]) * slope[c] + offset[c];
    }
  }
}
