#include "lanes.h"

// d: an input tile   m: a transformed tile   y: an output tile; one line of each, `step` apart.
// F(4×4): points 0, ±5/8, ±3/2 and infinity. F(2×2): 0, 1, -1 and infinity. See `WinogradTile.swift`.

#define A 0.625f
#define B 1.5f
#define AA 0.390625f
#define BB 2.25f
#define AABB 0.87890625f
#define AA_PLUS_BB 2.640625f

INLINED void input4(const lanes *d, lanes *t, size_t step) {
  lanes d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step], d5 = d[5 * step];
  lanes even_a = d4 - d2 * BB, odd_a = (d3 - d1 * BB) * A;
  lanes even_b = d4 - d2 * AA, odd_b = (d3 - d1 * AA) * B;
  t[0] = d0 * AABB - d2 * AA_PLUS_BB + d4;
  t[step] = even_a + odd_a;
  t[2 * step] = even_a - odd_a;
  t[3 * step] = even_b + odd_b;
  t[4 * step] = even_b - odd_b;
  t[5 * step] = d1 * AABB - d3 * AA_PLUS_BB + d5;
}

INLINED void output4(const lanes *m, lanes *y, size_t step) {
  lanes even_a = m[step] + m[2 * step], odd_a = (m[step] - m[2 * step]) * A;
  lanes even_b = m[3 * step] + m[4 * step], odd_b = (m[3 * step] - m[4 * step]) * B;
  lanes m0 = m[0], m5 = m[5 * step];
  y[0] = m0 + even_a + even_b;
  y[step] = odd_a + odd_b;
  y[2 * step] = even_a * AA + even_b * BB;
  y[3 * step] = odd_a * AA + odd_b * BB + m5;
}

/// The transpose of `output4`.
INLINED void gradient4(const lanes *y, lanes *t, size_t step) {
  lanes y0 = y[0], y1 = y[step], y2 = y[2 * step], y3 = y[3 * step];
  lanes even_a = y0 + y2 * AA, odd_a = (y1 + y3 * AA) * A;
  lanes even_b = y0 + y2 * BB, odd_b = (y1 + y3 * BB) * B;
  t[0] = y0;
  t[step] = even_a + odd_a;
  t[2 * step] = even_a - odd_a;
  t[3 * step] = even_b + odd_b;
  t[4 * step] = even_b - odd_b;
  t[5 * step] = y3;
}

INLINED void input2(const lanes *d, lanes *t, size_t step) {
  lanes d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step];
  t[0] = d0 - d2;
  t[step] = d1 + d2;
  t[2 * step] = d2 - d1;
  t[3 * step] = d3 - d1;
}

INLINED void output2(const lanes *m, lanes *y, size_t step) {
  lanes m0 = m[0], m1 = m[step], m2 = m[2 * step], m3 = m[3 * step];
  y[0] = m0 + m1 + m2;
  y[step] = m1 - m2 + m3;
}

typedef void transform(const lanes *, lanes *, size_t);

INLINED void input(struct dseg_tile_input in, float *v, size_t slot, size_t size, transform line) {
  for (size_t tile = 0; tile < in.tiles; tile++) {
    const float *corner = in.band + tile * (size - 2) * in.channels;
    for (size_t c = 0; c < in.channels; c += dseg_lanes) {
      lanes values[36];
      for (size_t row = 0; row < size; row++) {
        for (size_t column = 0; column < size; column++) {
          load(&values[row * size + column], corner + row * in.row_size + column * in.channels + c);
        }
      }
      for (size_t column = 0; column < size; column++) line(values + column, values + column, size);
      for (size_t row = 0; row < size; row++) line(values + row * size, values + row * size, 1);
      for (size_t f = 0; f < size * size; f++) store(v + f * slot + tile * in.channels + c, &values[f]);
    }
  }
}

FOR_SEVERAL_PROCESSORS
void dseg_winograd4_gradient(struct dseg_tile_input in, float *v, size_t slot) {
  enum { side = 4, size = 6 };
  for (size_t tile = 0; tile < in.tiles; tile++) {
    const float *corner = in.band + tile * side * in.channels;
    for (size_t c = 0; c < in.channels; c += dseg_lanes) {
      lanes values[size * size];
      for (size_t row = 0; row < side; row++) {
        for (size_t column = 0; column < side; column++) {
          load(&values[row * size + column], corner + row * in.row_size + column * in.channels + c);
        }
      }
      for (size_t column = 0; column < side; column++) gradient4(values + column, values + column, size);
      for (size_t row = 0; row < size; row++) gradient4(values + row * size, values + row * size, 1);
      for (size_t f = 0; f < size * size; f++) store(v + f * slot + tile * in.channels + c, &values[f]);
    }
  }
}

INLINED void output(const float *m, size_t slot, struct dseg_tile_output out, size_t size, transform line) {
  size_t side = size - 2;
  size_t height = out.height < side ? out.height : side;
  for (size_t left = 0; left < out.width; left += side, m += out.stride) {
    size_t width = out.width - left < side ? out.width - left : side;
    for (size_t c = 0; c < out.channels; c += dseg_lanes) {
      size_t some = out.channels - c < dseg_lanes ? out.channels - c : dseg_lanes;
      lanes values[36], bias, residual, zero = {0};
      for (size_t f = 0; f < size * size; f++) load(&values[f], m + f * slot + c);
      for (size_t column = 0; column < size; column++) line(values + column, values + column, size);
      for (size_t row = 0; row < side; row++) line(values + row * size, values + row * size, 1);
      if (some == dseg_lanes) load(&bias, out.bias + c);
      else load_some(&bias, out.bias + c, some);
      for (size_t row = 0; row < height; row++) {
        for (size_t column = 0; column < width; column++) {
          size_t place = row * out.row_size + (left + column) * out.pixel_size + c;
          lanes value = values[row * size + column] + bias;
          if (out.residual) {
            if (some == dseg_lanes) load(&residual, out.residual + place);
            else load_some(&residual, out.residual + place, some);
            value += residual;
          }
          // A NaN stays one.
          if (out.applies_relu) value = (lanes)((int_lanes)value & ~(int_lanes)(value < zero));
          if (some == dseg_lanes) store(out.y + place, &value);
          else memcpy(out.y + place, &value, some * sizeof(float));
        }
      }
    }
  }
}

FOR_SEVERAL_PROCESSORS
void dseg_winograd2_input(struct dseg_tile_input in, float *v, size_t slot) { input(in, v, slot, 4, input2); }

FOR_SEVERAL_PROCESSORS
void dseg_winograd4_input(struct dseg_tile_input in, float *v, size_t slot) { input(in, v, slot, 6, input4); }

FOR_SEVERAL_PROCESSORS
void dseg_winograd2_output(const float *m, size_t slot, struct dseg_tile_output out) {
  output(m, slot, out, 4, output2);
}

FOR_SEVERAL_PROCESSORS
void dseg_winograd4_output(const float *m, size_t slot, struct dseg_tile_output out) {
  output(m, slot, out, 6, output4);
}
