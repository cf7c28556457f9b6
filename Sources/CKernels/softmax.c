#include "exponential.h"
#include <math.h>

/// Sums of so many numbers are kept in single precision.
enum { piece = 4096 };

INLINED float largest(const float *x, size_t count) {
  lanes most = {0}, value;
  most -= INFINITY;
  size_t i = 0;
  for (; i + dseg_lanes <= count; i += dseg_lanes) {
    load(&value, x + i);
    most = __builtin_elementwise_max(most, value);
  }
  float result = -INFINITY;
  for (int lane = 0; lane < dseg_lanes; lane++) result = most[lane] > result ? most[lane] : result;
  for (; i < count; i++) result = x[i] > result ? x[i] : result;
  return result;
}

FOR_SEVERAL_PROCESSORS
void dseg_softmax(float *x, size_t count) {
  float most = largest(x, count);
  double total = 0;
  for (size_t start = 0; start < count; start += piece) {
    size_t end = start + piece < count ? start + piece : count;
    lanes sums = {0}, value;
    for (size_t i = start; i < end; i += dseg_lanes) {
      size_t some = end - i < dseg_lanes ? end - i : dseg_lanes;
      if (some == dseg_lanes) load(&value, x + i);
      else load_some(&value, x + i, some);
      value -= most;
      exponential(&value);
      for (size_t lane = some; lane < dseg_lanes; lane++) value[lane] = 0;
      sums += value;
      if (some == dseg_lanes) store(x + i, &value);
      else memcpy(x + i, &value, some * sizeof(float));
    }
    for (int lane = 0; lane < dseg_lanes; lane++) total += sums[lane];
  }
  float scale = (float)(1 / total);
  for (size_t i = 0; i < count; i++) x[i] *= scale;
}

FOR_SEVERAL_PROCESSORS
void dseg_softmax_gradient(const float *y, const float *gradient, float *result, size_t count) {
  double total = 0;
  for (size_t start = 0; start < count; start += piece) {
    size_t end = start + piece < count ? start + piece : count;
    lanes sums = {0}, value, weight;
    for (size_t i = start; i < end; i += dseg_lanes) {
      size_t some = end - i < dseg_lanes ? end - i : dseg_lanes;
      load_some(&value, gradient + i, some);
      load_some(&weight, y + i, some);
      sums += value * weight;
    }
    for (int lane = 0; lane < dseg_lanes; lane++) total += sums[lane];
  }
  float mean = (float)total;
  for (size_t i = 0; i < count; i++) result[i] = y[i] * (gradient[i] - mean);
}
