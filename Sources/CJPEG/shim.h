#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jpeglib.h>
#include <jerror.h>

// libjpeg reports errors by a call that must not return, here a longjmp, which Swift cannot cross.
// Each function below is one whole use of libjpeg: it sets the jump itself, and frees what it made
// before it returns.
//
// TurboJPEG's interface does not do: it keeps the text of one warning, or stops at the first, and
// files of many cameras have warnings that cost no pixel.

/// What libjpeg warned of that costs no pixel, as bits of a set.
typedef enum {
  /// Parameters of the scan that a sequential JPEG does not use have not the values of the standard.
  DSEG_JPEG_ODD_SCAN_PARAMETERS = 1,
  /// Bytes between two markers before the first scan belong to neither.
  DSEG_JPEG_STRAY_BYTES = 2,
  /// A JFIF version that is not 1.
  DSEG_JPEG_UNKNOWN_JFIF = 4,
  /// An Adobe marker with a colour transform that is not known: taken as YCbCr or YCCK.
  DSEG_JPEG_UNKNOWN_ADOBE = 8,
  /// There is more data between the last scan and the end than the picture took.
  DSEG_JPEG_LEFT_OVER_BYTES = 16,
} dseg_jpeg_warning;

/// What a JPEG file says of itself, and what became of it.
typedef struct {
  uint32_t width;
  uint32_t height;
  /// 4 for CMYK and YCCK, which are decoded to CMYK; else 3, red, green and blue.
  int channels;
  /// Whether the data is packed by arithmetic coding, which does not notice when it runs out.
  int is_arithmetic;
  /// A set of `dseg_jpeg_warning`.
  uint32_t warnings;
  /// Bytes up to and with the end marker, when the picture was decoded.
  size_t consumed;
  /// Why a file cannot be read, in libjpeg's words.
  char message[JMSG_LENGTH_MAX];
  /// Whether the file is of a kind that libjpeg does not read, rather than damaged.
  int is_unsupported;
} dseg_jpeg_result;

typedef struct {
  struct jpeg_error_mgr errors;
  struct jpeg_progress_mgr progress;
  jmp_buf failed;
  dseg_jpeg_result *result;
  /// Components of the scans so far, one bit each.
  uint32_t components;
  /// Whether the header is read and scans follow.
  int is_in_scans;
} dseg_jpeg_state;

static inline void dseg_jpeg_fail(j_common_ptr codec) {
  dseg_jpeg_state *state = (dseg_jpeg_state *)codec->err;
  switch (codec->err->msg_code) {
    case JERR_BAD_PRECISION:
    case JERR_SOF_UNSUPPORTED:
    case JERR_ARITH_NOTIMPL:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_IMAGE_TOO_BIG:
    case JERR_COMPONENT_COUNT:
      state->result->is_unsupported = 1;
      break;
    default: break;
  }
  codec->err->format_message(codec, state->result->message);
  longjmp(state->failed, 1);
}

static inline void dseg_jpeg_fail_with(j_common_ptr codec, const char *text) {
  dseg_jpeg_state *state = (dseg_jpeg_state *)codec->err;
  snprintf(state->result->message, sizeof state->result->message, "%s", text);
  longjmp(state->failed, 1);
}

/// Warnings have the level -1, traces have others.
static inline void dseg_jpeg_warn(j_common_ptr codec, int level) {
  if (level >= 0) return;
  dseg_jpeg_state *state = (dseg_jpeg_state *)codec->err;
  switch (codec->err->msg_code) {
    case JWRN_NOT_SEQUENTIAL: state->result->warnings |= DSEG_JPEG_ODD_SCAN_PARAMETERS; return;
    case JWRN_JFIF_MAJOR: state->result->warnings |= DSEG_JPEG_UNKNOWN_JFIF; return;
    case JWRN_ADOBE_XFORM: state->result->warnings |= DSEG_JPEG_UNKNOWN_ADOBE; return;
    case JWRN_EXTRANEOUS_DATA:
      if (!state->is_in_scans) {
        state->result->warnings |= DSEG_JPEG_STRAY_BYTES;
        return;
      }
      // Before a restart or another scan these are bits of the picture that the decoder lost its place
      // in; before the end some cameras pad.
      if (codec->err->msg_parm.i[1] == JPEG_EOI) {
        state->result->warnings |= DSEG_JPEG_LEFT_OVER_BYTES;
        return;
      }
      break;
    default: break;
  }
  // Everything else says that bits of the picture are missing, or are not what was written.
  dseg_jpeg_fail(codec);
}

static inline void dseg_jpeg_ignore_output(j_common_ptr codec) { (void)codec; }

/// Called for every row of blocks while the scans of a file of several are read.
static inline void dseg_jpeg_watch(j_common_ptr codec) {
  if (!codec->is_decompressor) return;
  j_decompress_ptr decoder = (j_decompress_ptr)codec;
  dseg_jpeg_state *state = (dseg_jpeg_state *)codec->err;
  for (int i = 0; i < decoder->comps_in_scan; i++)
    state->components |= 1u << decoder->cur_comp_info[i]->component_index;
  // Thousands of empty scans would keep the decoder busy.
  if (decoder->input_scan_number > 500) dseg_jpeg_fail_with(codec, "more than 500 scans");
}

/// Reads `count` bytes of a JPEG file: its header, and when `pixels` is not null its picture too.
///
/// `pixels` holds `pixel_count` bytes, which must be width * height * channels. Decoded with the
/// accurate integer transform and smooth upsampling of chroma; grey is repeated, CMYK stays as it is
/// stored. Returns 1, or 0 with the reason in `result`. Truncated or corrupt data is a reason, even
/// where libjpeg would make up the rest.
static inline __attribute__((noinline)) int dseg_jpeg_read(
    const uint8_t *bytes, size_t count, uint8_t *pixels, size_t pixel_count, dseg_jpeg_result *result) {
  struct jpeg_decompress_struct decoder;
  dseg_jpeg_state state;
  memset(result, 0, sizeof *result);
  memset(&state, 0, sizeof state);
  memset(&decoder, 0, sizeof decoder);
  state.result = result;
  decoder.err = jpeg_std_error(&state.errors);
  state.errors.error_exit = dseg_jpeg_fail;
  state.errors.emit_message = dseg_jpeg_warn;
  state.errors.output_message = dseg_jpeg_ignore_output;
  state.progress.progress_monitor = dseg_jpeg_watch;
  if (setjmp(state.failed)) {
    jpeg_destroy_decompress(&decoder);
    return 0;
  }
  jpeg_create_decompress(&decoder);
  decoder.progress = &state.progress;
  jpeg_mem_src(&decoder, (unsigned char *)bytes, (unsigned long)count);
  jpeg_read_header(&decoder, TRUE);
  int is_cmyk = decoder.jpeg_color_space == JCS_CMYK || decoder.jpeg_color_space == JCS_YCCK;
  result->width = decoder.image_width;
  result->height = decoder.image_height;
  result->channels = is_cmyk ? 4 : 3;
  result->is_arithmetic = decoder.arith_code;

  if (pixels) {
    decoder.out_color_space = is_cmyk ? JCS_CMYK : JCS_RGB;
    decoder.dct_method = JDCT_ISLOW;
    decoder.do_fancy_upsampling = TRUE;
    size_t stride = (size_t)result->width * (size_t)result->channels;
    if (pixel_count != stride * result->height)
      dseg_jpeg_fail_with((j_common_ptr)&decoder, "samples of an unexpected size");
    state.is_in_scans = 1;
    jpeg_start_decompress(&decoder);
    while (decoder.output_scanline < decoder.output_height) {
      JSAMPROW rows[16];
      JDIMENSION left = decoder.output_height - decoder.output_scanline;
      JDIMENSION now = left < 16 ? left : 16;
      for (JDIMENSION i = 0; i < now; i++)
        rows[i] = pixels + stride * (decoder.output_scanline + i);
      jpeg_read_scanlines(&decoder, rows, now);
    }
    // A file may end in order and lack a scan; libjpeg makes its component grey.
    if (jpeg_has_multiple_scans(&decoder)) {
      for (int i = 0; i < decoder.num_components; i++) {
        int is_seen = state.components >> i & 1;
        if (is_seen && decoder.progressive_mode && decoder.coef_bits)
          is_seen = decoder.coef_bits[i][0] >= 0;
        if (!is_seen)
          dseg_jpeg_fail_with((j_common_ptr)&decoder, "a component of the picture is in no scan");
      }
    }
    jpeg_finish_decompress(&decoder);
    result->consumed = count - decoder.src->bytes_in_buffer;
  }
  jpeg_destroy_decompress(&decoder);
  return 1;
}

/// Writes a JPEG file of `width` * `height` red, green and blue samples, chroma as fine as the rest.
///
/// Returns 1 and a `file` to be freed with `free`, or 0 with the reason in `result`.
static inline __attribute__((noinline)) int dseg_jpeg_write(
    const uint8_t *pixels, uint32_t width, uint32_t height, int quality, unsigned char **file,
    unsigned long *file_size, dseg_jpeg_result *result) {
  struct jpeg_compress_struct encoder;
  dseg_jpeg_state state;
  memset(result, 0, sizeof *result);
  memset(&state, 0, sizeof state);
  memset(&encoder, 0, sizeof encoder);
  state.result = result;
  encoder.err = jpeg_std_error(&state.errors);
  state.errors.error_exit = dseg_jpeg_fail;
  state.errors.output_message = dseg_jpeg_ignore_output;
  *file = NULL;
  *file_size = 0;
  if (setjmp(state.failed)) {
    jpeg_destroy_compress(&encoder);
    // What stands there may be freed already: libjpeg sets it again only at the end.
    *file = NULL;
    return 0;
  }
  jpeg_create_compress(&encoder);
  jpeg_mem_dest(&encoder, file, file_size);
  encoder.image_width = width;
  encoder.image_height = height;
  encoder.input_components = 3;
  encoder.in_color_space = JCS_RGB;
  jpeg_set_defaults(&encoder);
  encoder.dct_method = JDCT_ISLOW;
  jpeg_set_quality(&encoder, quality, TRUE);
  for (int i = 0; i < encoder.num_components; i++) {
    encoder.comp_info[i].h_samp_factor = 1;
    encoder.comp_info[i].v_samp_factor = 1;
  }
  jpeg_start_compress(&encoder, TRUE);
  while (encoder.next_scanline < height) {
    JSAMPROW row = (JSAMPROW)(pixels + (size_t)3 * width * encoder.next_scanline);
    jpeg_write_scanlines(&encoder, &row, 1);
  }
  jpeg_finish_compress(&encoder);
  jpeg_destroy_compress(&encoder);
  return 1;
}
