import CPNG
import TensorCore

/// Reading PNG files: all bit depths, colour types and interlaced files. Anything damaged is an
/// error (checksums are those of the format), with libpng's word for the cause.
enum PNG {
  /// The header of a file, checked against what its bytes can hold before memory is taken.
  static func header(_ bytes: UnsafeRawBufferPointer, path: String) throws(DataError) -> dseg_png_header {
    var header = dseg_png_header()
    try read(bytes, path: path, header: &header, pixels: nil, samples: DSEG_PNG_RAW)
    let (width, height) = (Int(header.width), Int(header.height))
    guard isAcceptableSize(width: width, height: height) else {
      throw DataError(
        .unsupported, file: path, item: "size", expected: "at most \(Image.maximumPixelCount) pixels",
        found: "\(width) x \(height)")
    }
    // Deflate packs at most 258 bytes into 2 bits, so a short file cannot hold a large picture.
    let channels = [0: 1, 2: 3, 3: 1, 4: 2, 6: 4][header.color_type] ?? 1
    let packedBytes = width * height * channels * Int(header.bit_depth) / 8
    guard packedBytes / 1032 <= bytes.count else {
      throw DataError(
        .malformed, file: path, item: "size", expected: "the data of \(width) x \(height) pixels",
        found: "a file of \(bytes.count) bytes")
    }
    return header
  }

  /// Decodes to red, green and blue.
  static func image(_ bytes: UnsafeRawBufferPointer, path: String) throws(DataError) -> Image {
    let (header, pixels) = try decode(bytes, path: path, samples: DSEG_PNG_RGB, channels: 3)
    return Image(width: Int(header.width), height: Int(header.height), pixels: pixels)
  }

  /// Decodes an indexed or grey file of at most 8 bits to its samples as stored.
  static func mask(_ bytes: UnsafeRawBufferPointer, path: String) throws(DataError) -> LabelMask {
    let header = try header(bytes, path: path)
    guard header.color_type == PNG_COLOR_TYPE_PALETTE || header.color_type & PNG_COLOR_MASK_COLOR == 0 else {
      throw DataError(
        .unsupported, file: path, item: "colour type", expected: "labels: an indexed or grey PNG",
        found: "red, green and blue samples")
    }
    guard header.bit_depth <= 8 else {
      throw DataError(
        .unsupported, file: path, item: "bit depth", expected: "labels of at most 8 bits",
        found: "\(header.bit_depth) bits")
    }
    let (_, labels) = try decode(bytes, path: path, samples: DSEG_PNG_RAW, channels: 1)
    return LabelMask(width: Int(header.width), height: Int(header.height), labels: labels)
  }

  /// The colours of an indexed file, nil for the other colour types.
  static func palette(_ bytes: UnsafeRawBufferPointer, path: String) throws(DataError) -> Palette? {
    let header = try header(bytes, path: path)
    guard header.palette_count > 0 else { return nil }
    return withUnsafeBytes(of: header.palette) { samples in
      Palette(
        colors: (0..<Int(header.palette_count)).map { entry in
          RGB(samples[3 * entry], samples[3 * entry + 1], samples[3 * entry + 2])
        })
    }
  }

  private static func decode(
    _ bytes: UnsafeRawBufferPointer, path: String, samples: dseg_png_samples, channels: Int
  ) throws(DataError) -> (dseg_png_header, [UInt8]) {
    var header = try header(bytes, path: path)
    let count = Int(header.width) * Int(header.height) * channels
    var failure: DataError?
    let pixels = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      do throws(DataError) {
        try read(bytes, path: path, header: &header, pixels: buffer, samples: samples)
        filled = count
      } catch { failure = error }
    }
    if let failure { throw failure }
    return (header, pixels)
  }

  private static func read(
    _ bytes: UnsafeRawBufferPointer, path: String, header: inout dseg_png_header,
    pixels: UnsafeMutableBufferPointer<UInt8>?, samples: dseg_png_samples
  ) throws(DataError) {
    var message = dseg_png_message()
    let isRead = dseg_png_read(
      bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count, &header, pixels?.baseAddress,
      pixels?.count ?? 0,
      samples, &message)
    guard isRead != 0 else {
      let text = withUnsafeBytes(of: message.text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      throw DataError(.malformed, file: path, expected: "a sound PNG file", found: text)
    }
  }
}
