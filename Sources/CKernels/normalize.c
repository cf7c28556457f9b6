#include "exponential.h"

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
