import Base
import CPNG

extension PNG {
  /// What became of a file that pictures and masks share.
  static func addNotices(
    of header: dseg_png_header, _ chunks: PNGChunks, _ bytes: UnsafeRawBufferPointer, path: String,
    to notices: Notices
  ) {
    func has(_ warning: dseg_png_warning) -> Bool { header.warnings & warning.rawValue != 0 }
    if has(DSEG_PNG_BAD_ANCILLARY_CHECKSUM) {
      notices.add(
        .suspicious, file: path, "a part beside the picture has a wrong checksum; all pixels are there")
    }
    if has(DSEG_PNG_EXTRA_DATA) {
      notices.add(
        .suspicious, file: path, "more compressed data than the picture needs; all pixels are there")
    }
    if has(DSEG_PNG_OTHER_WARNING) {
      notices.add(.suspicious, file: path, "libpng warns of a part beside the picture; all pixels are there")
    }
    if chunks.isAnimated { notices.add(.leftOut, file: path, "all but the first picture of an animation") }
    if bytes.dropFirst(Int(header.consumed)).contains(where: { $0 != 0 }) {
      notices.add(.leftOut, file: path, "the bytes after the end of the picture")
    }
    if header.color_type & PNG_COLOR_MASK_ALPHA != 0
      && header.smallest_alpha < (header.bit_depth == 16 ? 65_535 : 255)
    {
      addTransparency(path, notices)
    }
  }

  /// What became of a picture.
  static func addNotices(
    of header: dseg_png_header, _ image: Image, _ bytes: UnsafeRawBufferPointer, path: String,
    to notices: Notices
  ) throws(DataError) {
    let chunks = PNGChunks(bytes)
    addNotices(of: header, chunks, bytes, path: path, to: notices)
    if let transparency = chunks.transparency,
      try isTransparent(transparency, header, image, bytes, path: path)
    {
      addTransparency(path, notices)
    }
  }

  static func addTransparency(_ path: String, _ notices: Notices) {
    notices.add(.changed, file: path, "transparency dropped")
  }

  /// Whether a pixel has a palette entry that is not opaque, or the colour that stands for transparent.
  private static func isTransparent(
    _ transparency: Slice<UnsafeRawBufferPointer>, _ header: dseg_png_header, _ image: Image,
    _ bytes: UnsafeRawBufferPointer, path: String
  ) throws(DataError) -> Bool {
    let values = Array(transparency)
    switch header.color_type {
    case PNG_COLOR_TYPE_PALETTE:
      guard values.contains(where: { $0 < 255 }) else { return false }
      let (_, entries) = try decode(bytes, path: path, samples: DSEG_PNG_RAW)
      return entries.contains { Int($0) < values.count && values[Int($0)] < 255 }
    case PNG_COLOR_TYPE_GRAY where values.count == 2 && header.bit_depth <= 8:
      let (_, samples) = try decode(bytes, path: path, samples: DSEG_PNG_RAW)
      return samples.contains(values[1])
    case PNG_COLOR_TYPE_RGB where values.count == 6 && header.bit_depth == 8:
      let pixels = image.pixels
      return stride(from: 0, to: pixels.count, by: 3).contains {
        pixels[$0] == values[1] && pixels[$0 + 1] == values[3] && pixels[$0 + 2] == values[5]
      }
    // The colour of 16 bits is not known any more.
    case PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_RGB: return header.bit_depth == 16
    default: return false
    }
  }
}
