#include "lanes.h"

FOR_SEVERAL_PROCESSORS
void dseg_moments(const float *x, size_t pixels, size_t channels, float *restrict center, float *restrict rest,
                  float *restrict square) {
  size_t bytes = channels * sizeof(float);
  memset(center, 0, bytes);
  memset(rest, 0, bytes);
  memset(square, 0, bytes);
  // Four pixels at a time: the sums are loaded and stored a quarter as often.
  size_t quads = pixels / 4 * 4;
  const float *p = x;
  for (size_t pixel = 0; pixel < quads; pixel += 4, p += 4 * channels) {
    const float *p1 = p + channels, *p2 = p1 + channels, *p3 = p2 + channels;
    for (size_t c = 0; c < channels; c++) center[c] += (p[c] + p1[c]) + (p2[c] + p3[c]);
  }
  for (size_t pixel = quads; pixel < pixels; pixel++, p += channels) {
    for (size_t c = 0; c < channels; c++) center[c] += p[c];
  }
  float share = 1 / (float)pixels;
  for (size_t c = 0; c < channels; c++) center[c] *= share;
  p = x;
  for (size_t pixel = 0; pixel < quads; pixel += 4, p += 4 * channels) {
    const float *p1 = p + channels, *p2 = p1 + channels, *p3 = p2 + channels;
    for (size_t c = 0; c < channels; c++) {
      float d0 = p[c] - center[c], d1 = p1[c] - center[c], d2 = p2[c] - center[c], d3 = p3[c] - center[c];
      rest[c] += (d0 + d1) + (d2 + d3);
      square[c] += (d0 * d0 + d1 * d1) + (d2 * d2 + d3 * d3);
    }
  }
  for (size_t pixel = quads; pixel < pixels; pixel++, p += channels) {
    for (size_t c = 0; c < channels; c++) {
      float d = p[c] - center[c];
      rest[c] += d;
      square[c] += d * d;
    }
  }
}
