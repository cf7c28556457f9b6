#include "lanes.h"
#include <math.h>

INLINED float sum_of(const lanes *value) {
  float sum = 0;
  for (int lane = 0; lane < dseg_lanes; lane++) sum += (*value)[lane];
  return sum;
}

/// Mean and inverse deviation of a row; two passes, so that a mean far from 0 costs no digits.
INLINED void row_statistics(const float *x, size_t width, float eps, float *mean, float *inverse) {
  lanes sums = {0}, value;
  size_t whole = width / dseg_lanes * dseg_lanes;
  for (size_t i = 0; i < whole; i += dseg_lanes) {
    load(&value, x + i);
    sums += value;
  }
  float sum = sum_of(&sums);
  for (size_t i = whole; i < width; i++) sum += x[i];
  float center = sum / width;
  for (int lane = 0; lane < dseg_lanes; lane++) sums[lane] = 0;
  for (size_t i = 0; i < whole; i += dseg_lanes) {
    load(&value, x + i);
    value -= center;
    sums += value * value;
  }
  sum = sum_of(&sums);
  for (size_t i = whole; i < width; i++) sum += (x[i] - center) * (x[i] - center);
  *mean = center;
  *inverse = 1 / sqrtf(sum / width + eps);
}

FOR_SEVERAL_PROCESSORS
void dseg_layer_norm(const float *x, const float *weight, const float *bias, float eps, float *y, size_t rows,
                     size_t width) {
  for (size_t row = 0; row < rows; row++, x += width, y += width) {
    float mean, inverse;
    row_statistics(x, width, eps, &mean, &inverse);
    for (size_t i = 0; i < width; i++) y[i] = (x[i] - mean) * inverse * weight[i] + bias[i];
  }
}

FOR_SEVERAL_PROCESSORS
void dseg_layer_norm_gradient(struct dseg_layer_norm_parts p) {
  for (size_t row = 0; row < p.rows; row++, p.x += p.width, p.gradient += p.width, p.y += p.width) {
    float mean, inverse;
    row_statistics(p.x, p.width, p.eps, &mean, &inverse);
    lanes sums = {0}, products = {0}, x, g, w;
    for (size_t i = 0; i < p.width; i += dseg_lanes) {
      size_t some = p.width - i < dseg_lanes ? p.width - i : dseg_lanes;
      load_some(&x, p.x + i, some);
      load_some(&g, p.gradient + i, some);
      load_some(&w, p.weight + i, some);
      sums += g * w;
      // Lanes beyond the width have a gradient of 0.
      products += g * w * (x - mean) * inverse;
    }
    float sum = sum_of(&sums) / p.width, product = sum_of(&products) / p.width;
    for (size_t i = 0; i < p.width; i++) {
      float normalized = (p.x[i] - mean) * inverse;
      p.y[i] = inverse * (p.gradient[i] * p.weight[i] - sum - normalized * product);
      p.weight_sum[i] += p.gradient[i] * normalized;
      p.bias_sum[i] += p.gradient[i];
    }
  }
}
