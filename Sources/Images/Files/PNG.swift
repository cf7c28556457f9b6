import Base
import CPNG

/// Reading PNG files: all bit depths, colour types and interlaced files. Anything that damages the
/// picture is an error, with libpng's word for the cause; flaws that cost no pixel make a notice.
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
  /// - Throws: `DataError`; of kind `.unsupported` also for channels that there are not.
  static func image(
    _ bytes: UnsafeRawBufferPointer, reading: PictureReading, path: String, notices: Notices
  ) throws(DataError) -> Image {
    let header = try header(bytes, path: path)
    let isGrey = header.color_type & PNG_COLOR_MASK_COLOR == 0
    try reading.checkChannels(of: isGrey ? 1 : 3, path: path)
    guard header.bit_depth < 16 else {
      return try deepImage(bytes, isGrey: isGrey, reading: reading, path: path, notices: notices)
    }
    let (decoded, pixels) = try decode(bytes, path: path, samples: DSEG_PNG_RGB)
    let image = Image(width: Int(decoded.width), height: Int(decoded.height), pixels: pixels)
    try addNotices(of: decoded, image, bytes, path: path, to: notices)
    return try image.read(reading, path: path, notices: notices)
  }

  private static func deepImage(
    _ bytes: UnsafeRawBufferPointer, isGrey: Bool, reading: PictureReading, path: String, notices: Notices
  ) throws(DataError) -> Image {
    let (header, bigEndian) = try decode(bytes, path: path, samples: DSEG_PNG_DEEP)
    var samples = bigEndian
    samples.withUnsafeMutableBytes { samples in
      let values = samples.assumingMemoryBound(to: UInt16.self)
      for index in values.indices { values[index] = UInt16(bigEndian: values[index]) }
    }
    let source = DecodedSamples(
      width: Int(header.width), height: Int(header.height), kind: .unsigned(bits: 16), bytes: samples,
      count: isGrey ? 1 : 3, chosen: reading.channels)
    let image = try Image(source, range: reading.range, path: path, notices: notices)
    try addNotices(of: header, image, bytes, path: path, to: notices)
    return image
  }

  /// The colours of an indexed file, nil for the other colour types.
  static func palette(_ bytes: UnsafeRawBufferPointer, path: String) throws(DataError) -> Palette? {
    palette(of: try header(bytes, path: path))
  }

  static func palette(of header: dseg_png_header) -> Palette? {
    guard header.palette_count > 0 else { return nil }
    return withUnsafeBytes(of: header.palette) { samples in
      Palette(
        colors: (0..<Int(header.palette_count)).map { entry in
          RGB(samples[3 * entry], samples[3 * entry + 1], samples[3 * entry + 2])
        })
    }
  }

  /// The header, and the samples `[height, width, 3]` for `DSEG_PNG_RGB`; for `DSEG_PNG_RAW`
  /// `[height, width]`, two bytes each of a 16-bit file, the high one first, and `[height, width, 1 or 3]` likewise for
  /// `DSEG_PNG_DEEP`.
  static func decode(
    _ bytes: UnsafeRawBufferPointer, path: String, samples: dseg_png_samples
  ) throws(DataError) -> (dseg_png_header, [UInt8]) {
    var header = try header(bytes, path: path)
    let isColored = samples == DSEG_PNG_DEEP && header.color_type & PNG_COLOR_MASK_COLOR != 0
    let channels = samples == DSEG_PNG_RGB || isColored ? 3 : 1
    let sampleBytes = samples == DSEG_PNG_RGB ? 3 : channels * (header.bit_depth == 16 ? 2 : 1)
    let count = Int(header.width) * Int(header.height) * sampleBytes
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
    guard isRead == 0 else { return }
    guard !PNGChunks(bytes).isAppleVariant else {
      throw DataError(
        .unsupported, file: path, expected: "a PNG file of the standard",
        found: "Apple's variant for apps (CgBI): convert it with pngcrush -revert-iphone-optimizations")
    }
    let text = withUnsafeBytes(of: message.text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    throw DataError(.malformed, file: path, expected: "a sound PNG file", found: text)
  }
}
