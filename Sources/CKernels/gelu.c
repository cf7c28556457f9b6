#include "exponential.h"

// Vectors are handed on by address: by value, their place would depend on the processor.

INLINED void polynomial(const lanes *x, const float *coefficients, int count, lanes *result) {
  lanes sum = {0};
  sum += coefficients[0];
  for (int i = 1; i < count; i++) sum = sum * *x + coefficients[i];
  *result = sum;
}

INLINED void choose(const int_lanes *condition, const lanes *yes, lanes *no_and_result) {
  *no_and_result = (lanes)(((int_lanes)*yes & *condition) | ((int_lanes)*no_and_result & ~*condition));
}

/// `exp(-x² / 2)`, and the normal distribution function of x as `½ erfc(-x / √2)`, so that small values keep their digits.
/// Cephes' polynomials for erf on [0, 1] and erfc on [1, 2] and beyond (Moshier, `ndtrf`).
INLINED void normal_distribution(const lanes *x, lanes *distribution, lanes *density) {
  static const float erf_below_1[] = {7.853861353153693e-5f,  -8.010193625184903e-4f, 5.188327685732524e-3f,
                                      -2.685381193529856e-2f, 1.128358514861418e-1f,  -3.761262582423300e-1f,
                                      1.128379165726710f};
  static const float erfc_below_2[] = {2.326819970068386e-2f,  -1.387039388740657e-1f, 3.687424674597105e-1f,
                                       -5.824733027278666e-1f, 6.210004621745983e-1f,  -4.944515323274145e-1f,
                                       3.404879937665872e-1f,  -2.741127028184656e-1f, 5.638259427386472e-1f};
  static const float erfc_above_2[] = {-1.047766399936249e+1f, 1.297719955372516e+1f,  -7.495518717768503f,
                                       2.921019019210786f,     -1.015265279202700f,    4.218463358204948e-1f,
                                       -2.820767439740514e-1f, 5.641895067754075e-1f};
  lanes one = {0}, small, middle, tail;
  one += 1;
  lanes u = __builtin_elementwise_abs(*x) * 0.70710678f;
  lanes square = u * u;
  lanes exponent = -square;
  exponential(&exponent);
  lanes inverse = one / __builtin_elementwise_max(u, one);
  lanes y = inverse * inverse;
  polynomial(&y, erfc_below_2, 9, &middle);
  polynomial(&y, erfc_above_2, 8, &tail);
  int_lanes is_below_2 = u < 2, is_below_1 = u < 1, is_negative = *x < 0;
  choose(&is_below_2, &middle, &tail);
  tail *= exponent * inverse;
  polynomial(&square, erf_below_1, 7, &small);
  small = one - u * small;
  choose(&is_below_1, &small, &tail);
  tail *= 0.5f;
  *distribution = one - tail;
  choose(&is_negative, &tail, distribution);
  *density = exponent;
}

INLINED void gelu(lanes *x) {
  lanes distribution, density;
  normal_distribution(x, &distribution, &density);
  *x *= distribution;
}

INLINED void gelu_slope(lanes *x) {
  lanes distribution, density;
  normal_distribution(x, &distribution, &density);
  *x = distribution + *x * density * 0.39894228f;
}

FOR_SEVERAL_PROCESSORS
void dseg_gelu(const float *x, float *y, size_t count) {
  for (size_t i = 0; i < count; i += dseg_lanes) {
    size_t some = count - i < dseg_lanes ? count - i : dseg_lanes;
    lanes value;
    load_some(&value, x + i, some);
    gelu(&value);
    store_some(y + i, &value, some);
  }
}

FOR_SEVERAL_PROCESSORS
void dseg_gelu_gradient(const float *x, const float *gradient, float *y, size_t count) {
  for (size_t i = 0; i < count; i += dseg_lanes) {
    size_t some = count - i < dseg_lanes ? count - i : dseg_lanes;
    lanes value, slope;
    load_some(&value, x + i, some);
    load_some(&slope, gradient + i, some);
    gelu_slope(&value);
    value *= slope;
    store_some(y + i, &value, some);
  }
}

FOR_SEVERAL_PROCESSORS
void dseg_geglu(const float *x, float *y, size_t rows, size_t width) {
  for (size_t row = 0; row < rows; row++, x += 2 * width, y += width) {
    for (size_t i = 0; i < width; i += dseg_lanes) {
      size_t some = width - i < dseg_lanes ? width - i : dseg_lanes;
      lanes value, gate;
      load_some(&value, x + i, some);
      load_some(&gate, x + width + i, some);
      gelu(&gate);
      value *= gate;
      store_some(y + i, &value, some);
    }
  }
}

FOR_SEVERAL_PROCESSORS
void dseg_geglu_gradient(const float *x, const float *gradient, float *y, size_t rows, size_t width) {
  for (size_t row = 0; row < rows; row++, x += 2 * width, y += 2 * width, gradient += width) {
    for (size_t i = 0; i < width; i += dseg_lanes) {
      size_t some = width - i < dseg_lanes ? width - i : dseg_lanes;
      lanes value, gate, slope, activated;
      load_some(&value, x + i, some);
      load_some(&gate, x + width + i, some);
      load_some(&slope, gradient + i, some);
      activated = gate;
      gelu(&activated);
      activated *= slope;
      gelu_slope(&gate);
      gate *= slope * value;
      store_some(y + i, &activated, some);
      store_some(y + width + i, &gate, some);
    }
  }
}
