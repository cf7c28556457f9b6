import Base
import CTIFF

/// What a page of a TIFF file says of itself, checked before memory is taken for it.
struct TIFFPage {
  /// How samples become colours.
  enum Colors: Equatable {
    /// Every sample is a channel; the first `colors` are those that are shown unless others are chosen.
    case samples(colors: Int)
    case palette([RGB])
    case cmyk
    /// libtiff makes 8-bit red, green and blue of them.
    case converted
  }

  let width: Int
  let height: Int
  let kind: SampleKind
  /// Bits of a sample in the file.
  let bits: Int
  let samplesPerPixel: Int
  let hasPlanes: Bool
  let colors: Colors
  let isInverted: Bool
  let isTiled: Bool
  let chunkWidth: Int
  let chunkHeight: Int
  let chunkSize: Int
  /// Bytes of a row, of one plane where planes are apart.
  let rowSize: Int
  let orientation: StoredOrientation
  /// The sample that says how opaque a pixel is.
  let alpha: Int?
  let isPremultiplied: Bool
  let pixelSize: PixelSize?

  /// The longest side that is read, in rows at least: 2^20 pixels.
  static let longestSide = 1 << 20
  /// Bytes of the largest strip or tile that is read at once.
  static let largestChunk = 1 << 29

  /// - Throws: `DataError` of kind `.malformed` for what contradicts itself or the size of the file, and `.unsupported`
  ///   for what is not read.
  init(
    _ page: dseg_tiff_page, byteCount: Int, makesColors: Bool, path: String, notices: Notices
  ) throws(DataError) {
    func failure(_ kind: DataError.Kind, _ item: String, _ expected: String, _ found: String) -> DataError {
      DataError(kind, file: path, item: item, expected: expected, found: found)
    }
    width = Int(page.width)
    height = Int(page.height)
    guard width > 0, height > 0 else { throw failure(.malformed, "size", "pixels", "\(width) x \(height)") }
    guard max(width, height) <= Self.longestSide else {
      throw failure(
        .unsupported, "size", "sides of at most \(Self.longestSide) pixels", "\(width) x \(height)")
    }
    guard page.compression != UInt16(COMPRESSION_OJPEG) else {
      throw failure(.unsupported, "compression", "one that is still in use", "JPEG of before 1995 (6)")
    }
    guard page.is_configured != 0 else {
      throw failure(
        .unsupported, "compression", "none, LZW, Deflate, PackBits, JPEG or another that libtiff decodes",
        "number \(page.compression)")
    }
    bits = Int(page.bits)
    samplesPerPixel = Int(page.samples_per_pixel)
    guard (1...65_535).contains(samplesPerPixel) else {
      throw failure(.malformed, "samples", "at least one a pixel", "\(samplesPerPixel)")
    }
    var photometric = Int32(page.photometric)
    if page.has_photometric == 0 {
      photometric = samplesPerPixel < 3 ? PHOTOMETRIC_MINISBLACK : PHOTOMETRIC_RGB
      notices.add(
        .guessed, file: path,
        "it does not say what its samples mean; taken as \(samplesPerPixel < 3 ? "grey" : "red, green and blue")"
      )
    }
    hasPlanes = page.planar_configuration == UInt16(PLANARCONFIG_SEPARATE) && samplesPerPixel > 1
    let extra = Self.extraSamples(page)
    let stored = samplesPerPixel - extra.count
    switch photometric {
    case PHOTOMETRIC_MINISWHITE, PHOTOMETRIC_MINISBLACK, PHOTOMETRIC_MASK: colors = .samples(colors: 1)
    case PHOTOMETRIC_RGB:
      guard samplesPerPixel >= 3 else {
        throw failure(.malformed, "samples", "3 a pixel of red, green and blue", "\(samplesPerPixel)")
      }
      colors = .samples(colors: 3)
    case PHOTOMETRIC_PALETTE:
      guard let palette = Self.palette(page) else {
        throw failure(.malformed, "palette", "colours for \(bits) bits", "none")
      }
      colors = .palette(palette)
    case PHOTOMETRIC_SEPARATED:
      guard page.ink_set == UInt16(INKSET_CMYK), samplesPerPixel >= 4 else {
        throw failure(.unsupported, "inks", "cyan, magenta, yellow and black", "\(stored) others")
      }
      colors = .cmyk
    case PHOTOMETRIC_YCBCR where page.decodes_to_rgb != 0: colors = .samples(colors: 3)
    case PHOTOMETRIC_YCBCR, PHOTOMETRIC_CIELAB, PHOTOMETRIC_ICCLAB, PHOTOMETRIC_LOGL, PHOTOMETRIC_LOGLUV:
      guard makesColors else {
        throw failure(
          .unsupported, "colours", "grey, RGB, a palette, CMYK, or YCbCr or L*a*b* of 8 bits",
          "another kind (\(photometric))")
      }
      colors = .converted
    default:
      throw failure(
        .unsupported, "colours", "grey, RGB, a palette, CMYK, YCbCr or L*a*b*",
        photometric == 32_803 || photometric == 34_892
          ? "the raw data of a camera: develop it first" : "another kind (\(photometric))")
    }
    isInverted = photometric == PHOTOMETRIC_MINISWHITE
    if colors == .converted {
      kind = .unsigned(bits: 8)
    } else {
      guard let kind = Self.kind(bits: bits, format: Int32(page.sample_format)) else {
        throw failure(
          .unsupported, "samples", "whole numbers of 1 to 16 or 32 bits, or floats of 16, 32 or 64",
          "\(bits) bits of sample format \(page.sample_format)")
      }
      self.kind = kind
    }
    switch colors {
    case .palette, .cmyk:
      guard case .unsigned = kind else {
        throw failure(.unsupported, "samples", "whole numbers for a palette or inks", kind.name)
      }
    default: break
    }
    isTiled = page.is_tiled != 0
    (chunkWidth, chunkHeight) = (Int(page.chunk_width), Int(page.chunk_height))
    guard chunkWidth > 0, chunkHeight > 0 else {
      throw failure(.malformed, "tiles", "a size", "\(chunkWidth) x \(chunkHeight)")
    }
    (chunkSize, rowSize) = try Self.sizes(
      page, width: width, height: height, hasPlanes: hasPlanes, colors: colors, bits: bits, path: path)
    try Self.checkContent(page, rowSize: rowSize, hasPlanes: hasPlanes, byteCount: byteCount, path: path)
    alpha = extra.firstIndex { $0 == EXTRASAMPLE_ASSOCALPHA || $0 == EXTRASAMPLE_UNASSALPHA }.map {
      $0 + stored
    }
    isPremultiplied = extra.contains(UInt16(EXTRASAMPLE_ASSOCALPHA))
    orientation = Self.orientation(Int(page.orientation))
    pixelSize = PixelSize(page)
  }

  private static func extraSamples(_ page: dseg_tiff_page) -> [UInt16] {
    withUnsafeBytes(of: page.extra_samples) { bytes in
      Array(bytes.assumingMemoryBound(to: UInt16.self).prefix(min(Int(page.extra_sample_count), 8)))
    } + Array(repeating: 0, count: max(0, Int(page.extra_sample_count) - 8))
  }

  private static func orientation(_ value: Int) -> StoredOrientation {
    (1...8).contains(value)
      ? StoredOrientation(value: value, source: "TIFF")
      : StoredOrientation(damage: "its orientation is none of 1 to 8; taken as upright")
  }

  private static func kind(bits: Int, format: Int32) -> SampleKind? {
    switch (format, bits) {
    case (SAMPLEFORMAT_UINT, 1...16), (SAMPLEFORMAT_VOID, 1...16): .unsigned(bits: bits)
    case (SAMPLEFORMAT_UINT, 32), (SAMPLEFORMAT_VOID, 32): .unsigned32
    case (SAMPLEFORMAT_INT, 8): .signed8
    case (SAMPLEFORMAT_INT, 16): .signed16
    case (SAMPLEFORMAT_INT, 32): .signed32
    case (SAMPLEFORMAT_IEEEFP, 16): .float16
    case (SAMPLEFORMAT_IEEEFP, 32): .float32
    case (SAMPLEFORMAT_IEEEFP, 64): .float64
    default: nil
    }
  }

  /// The colours of a palette of 16-bit numbers. Some programs write 8-bit ones, which libtiff tells by their being
  /// below 256, all of them.
  private static func palette(_ page: dseg_tiff_page) -> [RGB]? {
    guard let red = page.red, let green = page.green, let blue = page.blue, (1...16).contains(page.bits)
    else {
      return nil
    }
    let count = 1 << Int(page.bits)
    let isWide = (0..<count).contains { max(red[$0], green[$0], blue[$0]) > 255 }
    func byte(_ value: UInt16) -> UInt8 { UInt8(isWide ? value >> 8 : value) }
    return (0..<count).map { RGB(byte(red[$0]), byte(green[$0]), byte(blue[$0])) }
  }

  /// Bytes of a strip or tile and of a row, that libtiff's must agree with.
  private static func sizes(
    _ page: dseg_tiff_page, width: Int, height: Int, hasPlanes: Bool, colors: Colors, bits: Int, path: String
  ) throws(DataError) -> (chunk: Int, row: Int) {
    let samples = hasPlanes ? 1 : Int(page.samples_per_pixel)
    let rowSize = (width * samples * bits + 7) / 8
    let chunkRow = (Int(page.chunk_width) * samples * bits + 7) / 8
    let (chunkSize, overflow) = chunkRow.multipliedReportingOverflow(by: Int(page.chunk_height))
    // Rows of strips are read one by one, unless planes lie apart.
    let isWhole = page.is_tiled != 0 || hasPlanes || colors == .converted
    // Of converted colours libtiff makes four bytes a pixel; of others a row of tiles is unpacked to as many bytes a
    // sample as it takes, of four samples at most.
    let (chunkPixels, chunkOverflow) = Int(page.chunk_width).multipliedReportingOverflow(
      by: Int(page.chunk_height))
    let bandBytes = min(Int(page.chunk_height), height) * width * 4 * max(1, bits / 8)
    let isFitting =
      !overflow && !chunkOverflow && chunkSize <= largestChunk && bandBytes <= 4 * largestChunk
      && (colors != .converted || chunkPixels <= largestChunk / 8)
    guard isFitting || !isWhole, rowSize <= largestChunk else {
      throw DataError(
        .unsupported, file: path, item: "tiles", expected: "strips or tiles of at most \(largestChunk) bytes",
        found: "\(page.chunk_width) x \(page.chunk_height) pixels of \(samples) x \(bits) bits")
    }
    guard colors == .converted || (page.chunk_size == chunkSize && page.row_size == rowSize) else {
      throw DataError(
        .malformed, file: path, item: "tiles", expected: "strips or tiles of \(chunkSize) bytes",
        found: "\(page.chunk_size) bytes")
    }
    return (chunkSize, rowSize)
  }

  /// What the file could hold at best. Others than these pack any number of equal pixels into nothing.
  private static func checkContent(
    _ page: dseg_tiff_page, rowSize: Int, hasPlanes: Bool, byteCount: Int, path: String
  ) throws(DataError) {
    let ratios: [Int32: Int] = [
      COMPRESSION_NONE: 1, COMPRESSION_LZW: 4096, COMPRESSION_PACKBITS: 64, COMPRESSION_DEFLATE: 1032,
      COMPRESSION_ADOBE_DEFLATE: 1032, COMPRESSION_JPEG: 4096,
    ]
    guard let ratio = ratios[Int32(page.compression)] else { return }
    // Chroma may be stored once for many pixels.
    let needed =
      page.photometric == UInt16(PHOTOMETRIC_YCBCR)
      ? Int(page.width) * Int(page.height)
      : rowSize * Int(page.height) * (hasPlanes ? Int(page.samples_per_pixel) : 1)
    guard needed / ratio <= byteCount else {
      throw DataError(
        .malformed, file: path, item: "size", expected: "the data of \(page.width) x \(page.height) pixels",
        found: "a file of \(byteCount) bytes")
    }
  }
}
