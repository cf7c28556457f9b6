import Base
import CPNG

// Writing goes through libpng's simplified interface, which catches its own errors.
extension PNG {
  /// A file of red, green and blue samples, 8 bits each; `path` is only for messages.
  static func encode(_ image: Image, path: String) throws(DataError) -> [UInt8] {
    try encode(
      image.pixels, width: image.width, height: image.height, format: PNG_FORMAT_RGB, colors: [], path: path)
  }

  /// An indexed file with the colours of `palette`, or a grey one without.
  ///
  /// An indexed file must have a colour for every label in it, so a palette too short is filled up
  /// with black.
  static func encode(_ mask: LabelMask, palette: Palette?, path: String) throws(DataError) -> [UInt8] {
    guard let palette else {
      return try encode(
        mask.labels, width: mask.width, height: mask.height, format: UInt32(PNG_FORMAT_GRAY), colors: [],
        path: path)
    }
    let entries = max(Int(mask.labels.max() ?? 0) + 1, palette.colors.count)
    let colors = palette.colors + Array(repeating: .black, count: entries - palette.colors.count)
    return try encode(
      mask.labels, width: mask.width, height: mask.height, format: PNG_FORMAT_RGB | PNG_FORMAT_FLAG_COLORMAP,
      colors: colors, path: path)
  }

  /// A grey file of 16 bits. It says that its samples are linear.
  static func encode(_ image: DeepGreyImage, path: String) throws(DataError) -> [UInt8] {
    try encode(
      image.pixels, width: image.width, height: image.height, format: PNG_FORMAT_LINEAR_Y, colors: [],
      path: path)
  }

  private static func encode<Sample: BitwiseCopyable>(
    _ samples: [Sample], width: Int, height: Int, format: UInt32, colors: [RGB], path: String
  ) throws(DataError) -> [UInt8] {
    var control = png_image()
    control.version = UInt32(PNG_IMAGE_VERSION)
    control.width = UInt32(width)
    control.height = UInt32(height)
    control.format = format
    control.colormap_entries = UInt32(colors.count)
    defer { png_image_free(&control) }
    let colormap = colors.flatMap { [$0.red, $0.green, $0.blue] }
    // PNG_IMAGE_PNG_SIZE_MAX: the filter bytes, the most that deflate adds, and the chunks.
    let rawBytes = samples.count * MemoryLayout<Sample>.stride + height
    var size: png_alloc_size_t = rawBytes + (rawBytes >> 12) + (rawBytes >> 14) + (rawBytes >> 25) + 8192
    var isWritten = false
    let file = [UInt8](unsafeUninitializedCapacity: size) { buffer, filled in
      isWritten = png_image_write_to_memory(&control, buffer.baseAddress, &size, 0, samples, 0, colormap) != 0
      filled = isWritten ? size : 0
    }
    guard isWritten else {
      let text = withUnsafeBytes(of: control.message) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      throw DataError(.writeFailed, file: path, found: text)
    }
    return file
  }
}
