#pragma once
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
