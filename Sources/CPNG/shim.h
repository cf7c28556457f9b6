#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <png.h>

// libpng reports errors by longjmp, which Swift cannot cross. Each function below is one whole
// use of libpng: it sets the jump itself, and frees what it made before it returns.

/// What a PNG file says of itself.
typedef struct {
  uint32_t width;
  uint32_t height;
  /// Bits a sample: 1, 2, 4, 8 or 16.
  int bit_depth;
  /// One of PNG_COLOR_TYPE_*.
  int color_type;
  /// Colours in the palette; 0 unless the file is indexed.
  int palette_count;
  uint8_t palette[3 * 256];
  /// A set of `dseg_png_warning`.
  uint32_t warnings;
  /// Bytes read; when the picture was decoded, up to and with the chunk IEND.
  size_t consumed;
  /// The largest sample of a 16-bit picture that was decoded, alpha apart; 0 for other depths.
  uint32_t largest;
  /// The smallest alpha of a picture that was decoded, 255 (or 65535 of 16 bits) without any.
  uint32_t smallest_alpha;
  /// Whether samples of 16 bits are to stay so.
  int keeps_16;
} dseg_png_header;

/// What libpng warned of that costs no pixel, as bits of a set.
typedef enum {
  /// The checksum of a chunk that is not needed does not match.
  DSEG_PNG_BAD_ANCILLARY_CHECKSUM = 1,
  /// There is compressed data beyond the picture's.
  DSEG_PNG_EXTRA_DATA = 2,
  /// Anything else.
  DSEG_PNG_OTHER_WARNING = 4,
} dseg_png_warning;

/// The samples to decode to, one byte each unless said otherwise.
typedef enum {
  /// Red, green, blue. Palettes are looked up, grey is repeated, alpha is dropped, 16 bits are
  /// scaled by 1/257 and rounded, fewer than 8 bits of grey are spread over 0...255.
  DSEG_PNG_RGB,
  /// The samples of an indexed or grey file as they are stored, not scaled; alpha is dropped. Two
  /// bytes each, the high one first, where the file has 16 bits.
  DSEG_PNG_RAW,
  /// The samples of a grey or coloured file of 16 bits as they are stored, two bytes each, the high one
  /// first; alpha is dropped.
  DSEG_PNG_DEEP,
} dseg_png_samples;

/// Why a file cannot be read, in libpng's words.
typedef struct {
  char text[128];
  uint32_t warnings;
} dseg_png_message;

typedef struct {
  const uint8_t *next;
  size_t left;
} dseg_png_source;

static inline void dseg_png_fail(png_structp png, png_const_charp text) {
  dseg_png_message *message = (dseg_png_message *)png_get_error_ptr(png);
  snprintf(message->text, sizeof message->text, "%s", text);
  png_longjmp(png, 1);
}

static inline void dseg_png_warn(png_structp png, png_const_charp text) {
  dseg_png_message *message = (dseg_png_message *)png_get_error_ptr(png);
  message->warnings |= strstr(text, "CRC error")         ? DSEG_PNG_BAD_ANCILLARY_CHECKSUM
                       : strstr(text, "xtra compressed") ? DSEG_PNG_EXTRA_DATA
                       : strstr(text, "oo much")         ? DSEG_PNG_EXTRA_DATA
                                                         : DSEG_PNG_OTHER_WARNING;
}

/// The last step of decoding a row: drops alpha and scales 16 bits to 8 where samples of one byte are
/// wanted, and remembers the extremes of both. libpng could do either, but then nobody knows them.
static inline void dseg_png_reduce(png_structp png, png_row_infop row, png_bytep data) {
  dseg_png_header *header = (dseg_png_header *)png_get_user_transform_ptr(png);
  int has_alpha = (row->color_type & PNG_COLOR_MASK_ALPHA) != 0;
  int colors = row->channels - has_alpha;
  const uint8_t *in = data;
  uint8_t *out = data;
  for (uint32_t x = 0; x < row->width; x++) {
    if (row->bit_depth == 16) {
      for (int i = 0; i < colors; i++, in += 2) {
        uint32_t sample = (uint32_t)in[0] << 8 | in[1];
        if (sample > header->largest) header->largest = sample;
        if (header->keeps_16) {
          *out++ = in[0];
          *out++ = in[1];
        } else {
          // sample / 257, rounded.
          *out++ = (uint8_t)((sample * 255 + 32895) >> 16);
        }
      }
      if (has_alpha) {
        uint32_t alpha = (uint32_t)in[0] << 8 | in[1];
        if (alpha < header->smallest_alpha) header->smallest_alpha = alpha;
        in += 2;
      }
    } else {
      for (int i = 0; i < colors; i++) *out++ = *in++;
      if (has_alpha) {
        if (*in < header->smallest_alpha) header->smallest_alpha = *in;
        in++;
      }
    }
  }
}

static inline void dseg_png_take(png_structp png, png_bytep out, size_t count) {
  dseg_png_source *source = (dseg_png_source *)png_get_io_ptr(png);
  if (count > source->left) png_error(png, "the file ends too early");
  memcpy(out, source->next, count);
  source->next += count;
  source->left -= count;
}

/// Reads `count` bytes of a PNG file: its header, and when `pixels` is not null its picture too.
///
/// `pixels` holds `pixel_count` bytes, which must be width * height * (3 for RGB, 1 for RAW, 2 for RAW
/// of 16 bits, 2 or 6 for DEEP). All chunks but IHDR, PLTE, IDAT and IEND are skipped unread, so no gamma or profile is
/// applied. Returns 1, or 0 with the reason in `message`.
static inline __attribute__((noinline)) int dseg_png_read(
    const uint8_t *bytes, size_t count, dseg_png_header *header, uint8_t *pixels,
    size_t pixel_count, dseg_png_samples samples, dseg_png_message *message) {
  dseg_png_source source = {bytes, count};
  message->text[0] = 0;
  message->warnings = 0;
  png_structp png = png_create_read_struct(
      PNG_LIBPNG_VER_STRING, message, dseg_png_fail, dseg_png_warn);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  if (!info) {
    snprintf(message->text, sizeof message->text, "libpng cannot be started");
    png_destroy_read_struct(&png, NULL, NULL);
    return 0;
  }
  if (setjmp(png_jmpbuf(png))) {
    png_destroy_read_struct(&png, &info, NULL);
    return 0;
  }
  png_set_read_fn(png, &source, dseg_png_take);
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, (png_const_bytep) "tRNS", 1);
  png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_WARN_DISCARD);
  // Some writers name a smaller window than their data needs; other readers take the largest, too.
  png_set_option(png, PNG_MAXIMUM_INFLATE_WINDOW, PNG_OPTION_ON);
  // An index beyond the palette is black in pictures (libpng's and Pillow's way) and still a label.
  png_set_check_for_invalid_index(png, 0);
  png_read_info(png, info);

  header->width = png_get_image_width(png, info);
  header->height = png_get_image_height(png, info);
  header->bit_depth = png_get_bit_depth(png, info);
  header->color_type = png_get_color_type(png, info);
  header->palette_count = 0;
  header->largest = 0;
  header->smallest_alpha = header->bit_depth == 16 ? 65535 : 255;
  png_colorp palette = NULL;
  int palette_count = 0;
  if (header->color_type == PNG_COLOR_TYPE_PALETTE &&
      png_get_PLTE(png, info, &palette, &palette_count) && palette_count <= 256) {
    header->palette_count = palette_count;
    for (int i = 0; i < palette_count; i++) {
      header->palette[3 * i] = palette[i].red;
      header->palette[3 * i + 1] = palette[i].green;
      header->palette[3 * i + 2] = palette[i].blue;
    }
  }

  if (pixels) {
    int channels = samples == DSEG_PNG_RGB ? 3 : samples == DSEG_PNG_RAW ? 1 :
                   header->color_type & PNG_COLOR_MASK_COLOR ? 3 : 1;
    int is_wide = header->bit_depth == 16 && samples != DSEG_PNG_RGB;
    size_t sample_bytes = (size_t)channels * (is_wide ? 2 : 1);
    header->keeps_16 = is_wide;
    if (samples == DSEG_PNG_RGB) {
      if (header->color_type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
      if (!(header->color_type & PNG_COLOR_MASK_COLOR)) {
        png_set_expand_gray_1_2_4_to_8(png);
        png_set_gray_to_rgb(png);
      }
    } else {
      png_set_packing(png);
    }
    if (header->bit_depth == 16 || header->color_type & PNG_COLOR_MASK_ALPHA) {
      png_set_read_user_transform_fn(png, dseg_png_reduce);
      png_set_user_transform_info(png, header, is_wide ? 16 : 8, channels);
    }
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    size_t stride = sample_bytes * header->width;
    if (png_get_rowbytes(png, info) != stride || pixel_count != stride * header->height)
      png_error(png, "samples of an unexpected size");
    for (int pass = 0; pass < passes; pass++)
      for (uint32_t y = 0; y < header->height; y++)
        png_read_row(png, pixels + y * stride, NULL);
    png_read_end(png, NULL);
  }
  png_destroy_read_struct(&png, &info, NULL);
  header->warnings = message->warnings;
  header->consumed = count - source.left;
  return 1;
}
