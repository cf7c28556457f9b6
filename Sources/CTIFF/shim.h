#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>
#include <tiffvers.h>

// libtiff prints errors and warnings unless somebody takes them. From 4.5 on every file has handlers of its own, which
// keep the words here. Before, handlers are those of the whole process and cannot tell its files apart, so they are
// switched off there: errors are known by what functions return, and their words are lost.
#if defined(TIFFLIB_VERSION) && TIFFLIB_VERSION >= 20221213 && !defined(DSEG_TIFF_SILENT)
#define DSEG_TIFF_HAS_HANDLERS 1
#else
#define DSEG_TIFF_HAS_HANDLERS 0
#endif

/// An open file of bytes in memory, which must stay there until it is closed.
typedef struct {
  const uint8_t *bytes;
  uint64_t count;
  uint64_t position;
  TIFF *tiff;
  /// The first error since the last call, in libtiff's words; empty for none or when they are lost.
  char error[256];
  /// The first warning of a tag that is known.
  char warning[256];
  /// Whether samples are being decoded, when some warnings mean that samples are made up.
  int is_decoding;
  int has_made_up_samples;
} dseg_tiff_file;

/// What a directory says of its picture, as libtiff takes it.
typedef struct {
  uint32_t width;
  uint32_t height;
  uint16_t bits;
  /// One of SAMPLEFORMAT_*.
  uint16_t sample_format;
  uint16_t samples_per_pixel;
  /// PLANARCONFIG_CONTIG or PLANARCONFIG_SEPARATE.
  uint16_t planar_configuration;
  uint16_t compression;
  /// Whether this libtiff decodes the compression.
  int is_configured;
  /// One of PHOTOMETRIC_*.
  uint16_t photometric;
  int has_photometric;
  /// Whether samples are those of another colour space than they are decoded to, as JPEG has them.
  int decodes_to_rgb;
  uint16_t orientation;
  uint16_t ink_set;
  uint16_t extra_samples[8];
  uint16_t extra_sample_count;
  int is_tiled;
  /// Size of a tile, or the width of the picture and the rows of a strip.
  uint32_t chunk_width;
  uint32_t chunk_height;
  uint64_t chunk_count;
  /// Bytes of a decoded strip or tile, and of a row of the picture, of one plane where planes are apart.
  uint64_t chunk_size;
  uint64_t row_size;
  float x_resolution;
  float y_resolution;
  uint16_t resolution_unit;
  int has_profile;
  /// Inside the file's directory; valid until another is chosen. Null for none.
  const char *description;
  const uint16_t *red;
  const uint16_t *green;
  const uint16_t *blue;
} dseg_tiff_page;

static inline tmsize_t dseg_tiff_take(thandle_t handle, void *target, tmsize_t count) {
  dseg_tiff_file *file = (dseg_tiff_file *)handle;
  if (count <= 0 || file->position >= file->count) return 0;
  uint64_t left = file->count - file->position;
  uint64_t now = (uint64_t)count < left ? (uint64_t)count : left;
  memcpy(target, file->bytes + file->position, (size_t)now);
  file->position += now;
  return (tmsize_t)now;
}

static inline tmsize_t dseg_tiff_refuse(thandle_t handle, void *source, tmsize_t count) {
  (void)handle, (void)source, (void)count;
  return 0;
}

static inline toff_t dseg_tiff_seek(thandle_t handle, toff_t offset, int whence) {
  dseg_tiff_file *file = (dseg_tiff_file *)handle;
  uint64_t base = whence == SEEK_CUR ? file->position : whence == SEEK_END ? file->count : 0;
  file->position = base + offset;
  return file->position;
}

static inline int dseg_tiff_leave(thandle_t handle) {
  (void)handle;
  return 0;
}

static inline toff_t dseg_tiff_measure(thandle_t handle) { return ((dseg_tiff_file *)handle)->count; }

#if DSEG_TIFF_HAS_HANDLERS
static inline int dseg_tiff_fail(
    TIFF *tiff, void *user, const char *module, const char *format, va_list arguments) {
  (void)tiff, (void)module;
  dseg_tiff_file *file = (dseg_tiff_file *)user;
  if (!file->error[0]) vsnprintf(file->error, sizeof file->error, format, arguments);
  return 1;
}

static inline int dseg_tiff_warn(
    TIFF *tiff, void *user, const char *module, const char *format, va_list arguments) {
  (void)tiff;
  dseg_tiff_file *file = (dseg_tiff_file *)user;
  char text[256];
  vsnprintf(text, sizeof text, format, arguments);
  if (file->is_decoding) {
    // libjpeg and the fax decoders go on with grey or white where data is missing.
    int is_jpeg = module && !strncmp(module, "JPEG", 4) &&
                  (!strncmp(text, "Premature", 9) || !strncmp(text, "Inconsistent", 12) ||
                   (!strncmp(text, "Corrupt", 7) && !strstr(text, "before marker 0xd9")));
    int is_fax = module && !strncmp(module, "Fax", 3);
    if (is_jpeg || is_fax) {
      file->has_made_up_samples = 1;
      if (!file->error[0]) memcpy(file->error, text, sizeof text);
    }
    return 1;
  }
  // Every program has tags of its own.
  if (!file->warning[0] && strncmp(text, "Unknown field", 13)) memcpy(file->warning, text, sizeof text);
  return 1;
}
#endif

static inline void dseg_tiff_close(dseg_tiff_file *file) {
  if (!file) return;
  if (file->tiff) TIFFClose(file->tiff);
  free(file);
}

/// Opens a file without reading a directory. Null when there is no memory; a file whose `tiff` is null when its header
/// is damaged. To be closed in either case.
static inline dseg_tiff_file *dseg_tiff_open(const uint8_t *bytes, uint64_t count, uint64_t most_memory) {
  dseg_tiff_file *file = (dseg_tiff_file *)calloc(1, sizeof *file);
  if (!file) return NULL;
  file->bytes = bytes;
  file->count = count;
  // h: no directory yet; C: strips without compression may be read in parts; m: not mapped, so that strips are read in
  // parts.
  const char *mode = "rhCm";
#if DSEG_TIFF_HAS_HANDLERS
  TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
  if (!options) return file;
  TIFFOpenOptionsSetMaxSingleMemAlloc(options, (tmsize_t)most_memory);
  TIFFOpenOptionsSetErrorHandlerExtR(options, dseg_tiff_fail, file);
  TIFFOpenOptionsSetWarningHandlerExtR(options, dseg_tiff_warn, file);
  file->tiff = TIFFClientOpenExt(
      "picture", mode, (thandle_t)file, dseg_tiff_take, dseg_tiff_refuse, dseg_tiff_seek, dseg_tiff_leave,
      dseg_tiff_measure, NULL, NULL, options);
  TIFFOpenOptionsFree(options);
#else
  (void)most_memory;
  TIFFSetErrorHandler(NULL);
  TIFFSetErrorHandlerExt(NULL);
  TIFFSetWarningHandler(NULL);
  TIFFSetWarningHandlerExt(NULL);
  file->tiff = TIFFClientOpen(
      "picture", mode, (thandle_t)file, dseg_tiff_take, dseg_tiff_refuse, dseg_tiff_seek, dseg_tiff_leave,
      dseg_tiff_measure, NULL, NULL);
#endif
  return file;
}

/// Reads the directory at an offset and what it says. Returns 1, or 0 with the reason in `error`.
static inline int dseg_tiff_select(dseg_tiff_file *file, uint64_t offset, dseg_tiff_page *page) {
  TIFF *tiff = file->tiff;
  memset(page, 0, sizeof *page);
  file->error[0] = 0;
  if (!TIFFSetSubDirectory(tiff, offset)) return 0;
  if (!TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &page->width) ||
      !TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &page->height)) {
    snprintf(file->error, sizeof file->error, "a directory without width and height");
    return 0;
  }
  TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &page->bits);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &page->sample_format);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &page->samples_per_pixel);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &page->planar_configuration);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &page->compression);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &page->orientation);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_INKSET, &page->ink_set);
  page->has_photometric = TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &page->photometric);
  page->is_configured = TIFFIsCODECConfigured(page->compression);
  if (page->has_photometric && page->photometric == PHOTOMETRIC_YCBCR &&
      page->compression == COMPRESSION_JPEG && page->planar_configuration == PLANARCONFIG_CONTIG) {
    page->decodes_to_rgb = TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
  }
  uint16_t count = 0, *types = NULL;
  if (TIFFGetFieldDefaulted(tiff, TIFFTAG_EXTRASAMPLES, &count, &types) && types) {
    page->extra_sample_count = count;
    for (int i = 0; i < count && i < 8; i++) page->extra_samples[i] = types[i];
  }
  page->is_tiled = TIFFIsTiled(tiff);
  if (page->is_tiled) {
    TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &page->chunk_width);
    TIFFGetField(tiff, TIFFTAG_TILELENGTH, &page->chunk_height);
    page->chunk_count = TIFFNumberOfTiles(tiff);
    page->chunk_size = TIFFTileSize64(tiff);
  } else {
    page->chunk_width = page->width;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &page->chunk_height);
    if (page->chunk_height > page->height) page->chunk_height = page->height;
    page->chunk_count = TIFFNumberOfStrips(tiff);
    page->chunk_size = page->chunk_height > 0 ? TIFFVStripSize64(tiff, page->chunk_height) : 0;
  }
  // A list that is missing reads as zeros.
  for (uint64_t i = 0; i < page->chunk_count; i++) {
    if (TIFFGetStrileOffset(tiff, (uint32_t)i) < 8) {
      snprintf(file->error, sizeof file->error, "a strip or tile without a place");
      return 0;
    }
  }
  page->row_size = TIFFScanlineSize64(tiff);
  TIFFGetField(tiff, TIFFTAG_XRESOLUTION, &page->x_resolution);
  TIFFGetField(tiff, TIFFTAG_YRESOLUTION, &page->y_resolution);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_RESOLUTIONUNIT, &page->resolution_unit);
  char *description = NULL;
  if (TIFFGetField(tiff, TIFFTAG_IMAGEDESCRIPTION, &description)) page->description = description;
  uint32_t profile_size = 0;
  void *profile = NULL;
  page->has_profile = TIFFGetField(tiff, TIFFTAG_ICCPROFILE, &profile_size, &profile);
  uint16_t *red = NULL, *green = NULL, *blue = NULL;
  if (page->bits <= 16 && TIFFGetField(tiff, TIFFTAG_COLORMAP, &red, &green, &blue)) {
    page->red = red;
    page->green = green;
    page->blue = blue;
  }
  return 1;
}

static inline int dseg_tiff_finish(dseg_tiff_file *file, int is_read) {
  file->is_decoding = 0;
  return is_read && !file->has_made_up_samples;
}

static inline void dseg_tiff_start(dseg_tiff_file *file) {
  file->error[0] = 0;
  file->is_decoding = 1;
  file->has_made_up_samples = 0;
}

/// Decodes a row of a picture in strips, which must follow the one that was decoded before. `target` holds `row_size`
/// bytes. Returns 1, or 0 with the reason in `error`.
static inline int dseg_tiff_read_row(dseg_tiff_file *file, uint32_t row, void *target) {
  dseg_tiff_start(file);
  return dseg_tiff_finish(file, TIFFReadScanline(file->tiff, target, row, 0) > 0);
}

/// Decodes a strip or tile of `count` bytes.
static inline int dseg_tiff_read_chunk(dseg_tiff_file *file, uint32_t index, void *target, uint64_t count) {
  dseg_tiff_start(file);
  tmsize_t found = TIFFIsTiled(file->tiff)
                       ? TIFFReadEncodedTile(file->tiff, index, target, (tmsize_t)count)
                       : TIFFReadEncodedStrip(file->tiff, index, target, (tmsize_t)count);
  if (found >= 0 && (uint64_t)found != count && !file->error[0])
    snprintf(file->error, sizeof file->error, "a strip or tile holds too little");
  return dseg_tiff_finish(file, found >= 0 && (uint64_t)found == count);
}

/// Whether libtiff makes red, green and blue of the page's colours.
static inline int dseg_tiff_makes_rgba(dseg_tiff_file *file) {
  char message[1024] = "";
  if (TIFFRGBAImageOK(file->tiff, message)) return 1;
  snprintf(file->error, sizeof file->error, "%.200s", message);
  return 0;
}

/// Decodes the strip or tile whose left top pixel is (`x`, `y`) to pixels of red, green, blue and alpha in the order of
/// the bits from below, the last row first.
static inline int dseg_tiff_read_rgba(dseg_tiff_file *file, uint32_t x, uint32_t y, uint32_t *target) {
  dseg_tiff_start(file);
  // libtiff turns some orientations and not others.
  TIFFSetField(file->tiff, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
#if DSEG_TIFF_HAS_HANDLERS
  int is_read = TIFFIsTiled(file->tiff) ? TIFFReadRGBATileExt(file->tiff, x, y, target, 1)
                                        : TIFFReadRGBAStripExt(file->tiff, y, target, 1);
#else
  int is_read = TIFFIsTiled(file->tiff) ? TIFFReadRGBATile(file->tiff, x, y, target)
                                        : TIFFReadRGBAStrip(file->tiff, y, target);
#endif
  return dseg_tiff_finish(file, is_read);
}
