#include "lanes.h"

/// `exp` as `fastExp` of TensorCore: Cephes' polynomial on [-ln 2 / 2, ln 2 / 2], arguments clamped to [-87, 88].
INLINED void exponential(lanes *x) {
  lanes highest = {0}, lowest = {0};
  highest += 88;
  lowest -= 87;
  lanes clamped = __builtin_elementwise_max(__builtin_elementwise_min(*x, highest), lowest);
  // Adding 1.5 · 2^23 rounds to the nearest whole number and leaves it in the low bits.
  lanes shifted = clamped * 1.44269504f + 12582912.0f;
  lanes power = shifted - 12582912.0f;
  lanes r = clamped - power * 0.693359375f + power * 2.1219444e-4f;
  lanes p = r * 1.98756915e-4f + 1.39819995e-3f;
  p = p * r + 8.3334519e-3f;
  p = p * r + 4.1665796e-2f;
  p = p * r + 1.66666655e-1f;
  p = p * r + 0.5f;
  lanes fraction = p * r * r + r + 1;
  int_lanes scale = ((int_lanes)shifted << 23) + 0x3F800000;
  *x = fraction * (lanes)scale;
}

INLINED void silu(lanes *x) {
  lanes e = -*x;
  exponential(&e);
  *x = *x / (1 + e);
}

FOR_SEVERAL_PROCESSORS
void dseg_silu(const float *x, float *y, size_t count) {
  for (size_t i = 0; i < count; i += dseg_lanes) {
    size_t some = count - i;
    lanes value;
    if (some < dseg_lanes) {
      load_some(&value, x + i, some);
      silu(&value);
      memcpy(y + i, &value, some * sizeof(float));
    } else {
      load(&value, x + i);
      silu(&value);
      store(y + i, &value);
    }
  }
}

INLINED void normalize(const float *x, const float *mean, const float *factor, const float *offset, int applies_silu,
                       float *y, size_t pixels, size_t channels, size_t stride) {
  size_t whole = channels / dseg_lanes * dseg_lanes, some = channels - whole;
  for (size_t pixel = 0; pixel < pixels; pixel++) {
    lanes value, m, f, o;
    for (size_t c = 0; c < whole; c += dseg_lanes) {
      load(&value, x + c);
      load(&m, mean + c);
      load(&f, factor + c);
      load(&o, offset + c);
      // The mean is subtracted first: folded into the offset it would cost the digits of x - mean.
      value = (value - m) * f + o;
      if (applies_silu) silu(&value);
      store(y + c, &value);
    }
    if (some > 0) {
      load_some(&value, x + whole, some);
      load_some(&m, mean + whole, some);
      load_some(&f, factor + whole, some);
      load_some(&o, offset + whole, some);
      value = (value - m) * f + o;
      if (applies_silu) silu(&value);
      memcpy(y + whole, &value, some * sizeof(float));
    }
    x += channels;
    y += stride;
  }
}

FOR_SEVERAL_PROCESSORS
void dseg_normalize(const float *x, const float *mean, const float *factor, const float *offset, int applies_silu,
                    float *y, size_t pixels, size_t channels, size_t stride) {
  // Two loops, each without the question.
  if (applies_silu) {
    normalize(x, mean, factor, offset, 1, y, pixels, channels, stride);
  } else {
    normalize(x, mean, factor, offset, 0, y, pixels, channels, stride);
  }
}
