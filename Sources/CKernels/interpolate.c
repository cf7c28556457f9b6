#include "lanes.h"

// Without fused multiply-adds: the values are those of a bilinear upsampling of the whole map, to the bit.
#pragma clang fp contract(off)

typedef uint16_t half_lanes __attribute__((vector_size(2 * dseg_lanes), aligned(2), may_alias));
typedef uint32_t word_lanes __attribute__((vector_size(4 * dseg_lanes)));

INLINED float blend(struct dseg_corners by, float top_left, float top_right, float bottom_left, float bottom_right) {
  float upper = top_left * by.left + top_right * by.right;
  float lower = bottom_left * by.left + bottom_right * by.right;
  return upper * by.above + lower * by.below;
}

FOR_SEVERAL_PROCESSORS
void dseg_interpolate(struct dseg_corners by, const float *restrict top_left, const float *restrict top_right,
                      const float *restrict bottom_left, const float *restrict bottom_right, float *restrict y,
                      size_t count) {
  for (size_t c = 0; c < count; c++) y[c] = blend(by, top_left[c], top_right[c], bottom_left[c], bottom_right[c]);
}

/// Finite halves times 2^-112: their fields moved into their places in a float.
INLINED void scaled(lanes *to, const uint16_t *from) {
  half_lanes halves = *(const half_lanes *)from;
  word_lanes words = __builtin_convertvector(halves, word_lanes) << 16;
  // The shift keeps the sign where it is.
  int_lanes fields = ((int_lanes)words >> 3) & (int32_t)0x8FFFE000;
  *to = (lanes)fields;
}

FOR_SEVERAL_PROCESSORS
void dseg_interpolate_halves(struct dseg_corners by, const uint16_t *top_left, const uint16_t *top_right,
                             const uint16_t *bottom_left, const uint16_t *bottom_right, const float *offsets,
                             float *y, size_t count) {
  // The weights carry the factor that `scaled` leaves out: powers of two change no rounding.
  by.left *= 0x1p112f;
  by.right *= 0x1p112f;
  for (size_t c = 0; c < count; c += dseg_lanes) {
    size_t some = count - c < dseg_lanes ? count - c : dseg_lanes;
    uint16_t rest[4][dseg_lanes];
    const uint16_t *corners[4] = {top_left + c, top_right + c, bottom_left + c, bottom_right + c};
    if (some < dseg_lanes) {
      memset(rest, 0, sizeof rest);
      for (size_t i = 0; i < 4; i++) corners[i] = memcpy(rest[i], corners[i], some * sizeof(uint16_t));
    }
    lanes corner[4], offset;
    for (size_t i = 0; i < 4; i++) scaled(&corner[i], corners[i]);
    load_some(&offset, offsets + c, some);
    lanes upper = corner[0] * by.left + corner[1] * by.right;
    lanes lower = corner[2] * by.left + corner[3] * by.right;
    // The weights sum to 1, so the offset can be added at the end.
    lanes value = upper * by.above + lower * by.below + offset;
    store_some(y + c, &value, some);
  }
}

void dseg_prefetch(const void *start, size_t bytes) {
  const size_t line = 64;
  for (const char *p = start, *end = p + bytes; p < end; p += line) __builtin_prefetch(p);
}
