#pragma once
#include <stddef.h>
#include <stdint.h>

// Inner loops for which wider vectors than those of the oldest x86-64 are worth having: Swift has no way to
// compile a function for several processors and to choose between the versions at run time. Versions with
// fused multiply-adds round differently in the last place.

/// Numbers that the loops below take at a time.
enum { dseg_lanes = 16 };

/// `y = (x - mean) · factor + offset` for each of `channels` channels of `pixels` pixels, then SiLU if asked for.
/// Pixels of x are `channels` apart, those of y `stride`.
void dseg_normalize(const float *_Nonnull x, const float *_Nonnull mean, const float *_Nonnull factor,
                    const float *_Nonnull offset, int applies_silu, float *_Nonnull y, size_t pixels,
                    size_t channels, size_t stride);

/// `y = x / (1 + exp(-x))`.
void dseg_silu(const float *_Nonnull x, float *_Nonnull y, size_t count);

/// The gradient before SiLU, `y`, from the one after it: `y = gradient · s(x) (1 + x (1 - s(x)))`, s the sigmoid.
void dseg_silu_gradient(const float *_Nonnull x, const float *_Nonnull gradient, float *_Nonnull y, size_t count);

/// A piece of the input of a normalisation, and of the gradient at its output.
struct dseg_normalize_sums {
  /// `[pixels, channels]`
  const float *_Nonnull x;
  const float *_Nonnull mean;
  const float *_Nonnull factor;
  const float *_Nonnull offset;
  /// `[pixels, channels]`, pixels `stride` apart. Where SiLU followed, replaced by the gradient before it.
  float *_Nonnull gradient;
  size_t stride;
  /// Sums over the pixels of the gradient, and of its products with `x - mean`.
  float *_Nonnull sum;
  float *_Nonnull product;
  size_t pixels;
  size_t channels;
};

void dseg_normalize_gradient_sums(struct dseg_normalize_sums sums, int applied_silu);

/// `y = gradient · factor + (x - mean) · slope + offset` for each channel. Pixels of the gradient are `stride` apart.
void dseg_normalize_gradient(const float *_Nonnull x, const float *_Nonnull gradient, size_t stride,
                             const float *_Nonnull mean, const float *_Nonnull factor, const float *_Nonnull slope,
                             const float *_Nonnull offset, float *_Nonnull y, size_t pixels, size_t channels);

/// `y = x Φ(x)`, Φ the normal distribution function.
void dseg_gelu(const float *_Nonnull x, float *_Nonnull y, size_t count);

/// The gradient before a GELU, `y`, from the one after it.
void dseg_gelu_gradient(const float *_Nonnull x, const float *_Nonnull gradient, float *_Nonnull y, size_t count);

/// `y = a gelu(b)` for each row `[a, b]` of x, `[rows, 2 · width]`.
void dseg_geglu(const float *_Nonnull x, float *_Nonnull y, size_t rows, size_t width);

/// The gradient before a GEGLU, `[rows, 2 · width]`, from the one after it, `[rows, width]`.
void dseg_geglu_gradient(const float *_Nonnull x, const float *_Nonnull gradient, float *_Nonnull y, size_t rows,
                         size_t width);

/// `y = (x - mean) / sqrt(variance + eps) · weight + bias` with the statistics of each row.
void dseg_layer_norm(const float *_Nonnull x, const float *_Nonnull weight, const float *_Nonnull bias, float eps,
                     float *_Nonnull y, size_t rows, size_t width);

/// Some rows of a layer normalisation, and of the gradient at its output.
struct dseg_layer_norm_parts {
  /// `[rows, width]`
  const float *_Nonnull x;
  /// `[rows, width]`
  const float *_Nonnull gradient;
  const float *_Nonnull weight;
  float eps;
  /// The gradient at x, `[rows, width]`.
  float *_Nonnull y;
  /// The gradients at weight and bias, added to.
  float *_Nonnull weight_sum;
  float *_Nonnull bias_sum;
  size_t rows;
  size_t width;
};

void dseg_layer_norm_gradient(struct dseg_layer_norm_parts parts);

/// `x = exp(x) / Σ exp(x)`, without overflow.
void dseg_softmax(float *_Nonnull x, size_t count);

/// The gradient before a softmax with output y, from the one after it: `y (gradient - Σ gradient · y)`.
void dseg_softmax_gradient(const float *_Nonnull y, const float *_Nonnull gradient, float *_Nonnull result,
                           size_t count);

/// For each of `channels` channels of `pixels` pixels: a number near the mean, `center`, and the sums of the distances
/// from it, `rest`, and of their squares, `square`.
void dseg_moments(const float *_Nonnull x, size_t pixels, size_t channels, float *_Nonnull center,
                  float *_Nonnull rest, float *_Nonnull square);

/// Weights of the four neighbours between which a position lies, by columns and by rows.
struct dseg_corners {
  float left, right, above, below;
};

/// `y = (top_left · left + top_right · right) · above + (bottom_left · left + bottom_right · right) · below`
void dseg_interpolate(struct dseg_corners by, const float *_Nonnull top_left, const float *_Nonnull top_right,
                      const float *_Nonnull bottom_left, const float *_Nonnull bottom_right, float *_Nonnull y,
                      size_t count);

/// The same of finite halves, IEEE 754 binary16, plus `offsets`.
void dseg_interpolate_halves(struct dseg_corners by, const uint16_t *_Nonnull top_left,
                             const uint16_t *_Nonnull top_right, const uint16_t *_Nonnull bottom_left,
                             const uint16_t *_Nonnull bottom_right, const float *_Nonnull offsets, float *_Nonnull y,
                             size_t count);

/// Asks for memory that will soon be read.
void dseg_prefetch(const void *_Nonnull start, size_t bytes);

/// What one step of Adam needs besides the weights, in the notation of `AdamStep`.
struct dseg_adam {
  float beta1, rest1, beta2, rest2, eps, step_size, inverse_root, shrink, added_decay;
};

/// One step of Adam for `count` weights `w` that lie together, with their gradients and moments.
void dseg_adam_step(struct dseg_adam step, float *_Nonnull w, const float *_Nonnull gradient,
                    float *_Nonnull mean, float *_Nonnull square, size_t count);

/// Where some tiles of a row of a Winograd convolution come from: `outSize + 2` rows of pixels with `channels`
/// channels, a multiple of `dseg_lanes`.
struct dseg_tile_input {
  const float *_Nonnull band;
  /// From row to row of pixels.
  size_t row_size;
  size_t channels;
  size_t tiles;
};

/// `Bᵀ d B` of every tile, to `[frequency][tile][channel]` with `slot` numbers from frequency to frequency.
void dseg_winograd2_input(struct dseg_tile_input input, float *_Nonnull v, size_t slot);
void dseg_winograd4_input(struct dseg_tile_input input, float *_Nonnull v, size_t slot);

/// `A g Aᵀ` of every tile of a gradient at the output, in the same order; the band has no rows or pixels around the tiles.
void dseg_winograd4_gradient(struct dseg_tile_input input, float *_Nonnull v, size_t slot);

/// Where some tiles of a row go: `channels` channels of the pixels of some rows.
struct dseg_tile_output {
  float *_Nonnull y;
  /// Added, of the shape of y.
  const float *_Nullable residual;
  /// Added to every pixel.
  const float *_Nonnull bias;
  size_t channels;
  /// From pixel to pixel.
  size_t pixel_size;
  /// From row to row of pixels.
  size_t row_size;
  /// Pixels of a row, and rows, that exist of all tiles.
  size_t width;
  size_t height;
  /// Numbers from tile to tile of the transformed tiles, at least the channels rounded up to whole lanes.
  size_t stride;
  /// Whether negative numbers become 0 at the end.
  int applies_relu;
};

/// `Aᵀ m A` of every tile, from `[frequency][tile][channel]`.
void dseg_winograd2_output(const float *_Nonnull m, size_t slot, struct dseg_tile_output output);
void dseg_winograd4_output(const float *_Nonnull m, size_t slot, struct dseg_tile_output output);

/// 3×3 kernels of up to `dseg_lanes` outputs and as many channels, `[output][channel][3][3]`.
struct dseg_kernels {
  const float *_Nonnull weight;
  /// From output to output.
  size_t stride;
  size_t outputs;
  size_t channels;
};

/// Where they go: `dseg_lanes` outputs side by side, for `dseg_lanes` channels; zeros for what is not there.
struct dseg_transformed_kernels {
  /// Aligned to 64 bytes, as are all steps.
  float *_Nonnull u;
  /// From frequency to frequency.
  size_t frequency;
  /// From channel to channel.
  size_t channel;
  /// Whether they go past the caches, where they are too many to stay: three times as fast then.
  int streams;
};

/// `G g Gᵀ` of every kernel.
void dseg_winograd2_kernels(struct dseg_kernels kernels, struct dseg_transformed_kernels transformed);
void dseg_winograd4_kernels(struct dseg_kernels kernels, struct dseg_transformed_kernels transformed);

/// Columns of a panel.
enum { dseg_panel_width = 32 };

/// Whether this processor can run `dseg_panel_product`.
int dseg_has_panel_product(void);

/// `y (+)= x u`, where u is stored in panels of columns, so that nothing need be packed first.
struct dseg_product {
  /// `[rows, depth]`
  const float *_Nonnull x;
  size_t x_stride;
  /// `[columns / dseg_panel_width, depth, dseg_panel_width]`
  const float *_Nonnull u;
  /// From panel to panel.
  size_t panel_stride;
  /// `[rows, columns]`
  float *_Nonnull y;
  size_t y_stride;
  size_t rows;
  size_t depth;
  /// A multiple of `dseg_panel_width`.
  size_t columns;
  /// Whether y is added to.
  int adds;
};

void dseg_panel_product(struct dseg_product product);

/// `y (+)= xᵀ u`, on processors that have `dseg_panel_product`.
struct dseg_transposed_product {
  /// `[depth, rows]`
  const float *_Nonnull x;
  size_t x_stride;
  /// `[depth, columns]`
  const float *_Nonnull u;
  size_t u_stride;
  /// `[rows, columns]`
  float *_Nonnull y;
  size_t y_stride;
  size_t depth;
  /// A multiple of 8.
  size_t rows;
  /// A multiple of `dseg_panel_width`.
  size_t columns;
  /// Whether y is added to.
  int adds;
};

void dseg_transposed_product(struct dseg_transposed_product product);
