import CTurboJPEG
import TensorCore

/// Reading and writing JPEG files with the accurate integer transform and smooth chroma upsampling,
/// the defaults of libjpeg and so of the programs that prepared the training data.
///
/// An EXIF orientation is not applied, as in the reference: turn such pictures first.
enum JPEG {
  /// Decodes to red, green and blue. Grey is repeated; CMYK and YCCK are taken as Adobe writes them,
  /// inverted, and converted without a profile.
  /// - Throws: `DataError`; a truncated or corrupt stream is one even where TurboJPEG would make up
  ///   the rest.
  static func image(_ bytes: UnsafeRawBufferPointer, path: String) throws(DataError) -> Image {
    let decoder = try Codec(tjInitDecompress(), path: path)
    let data = bytes.bindMemory(to: UInt8.self).baseAddress
    let size = UInt(bytes.count)
    var (width, height, subsampling, colorspace) = (Int32(0), Int32(0), Int32(-1), Int32(-1))
    let status = tjDecompressHeader3(decoder.handle, data, size, &width, &height, &subsampling, &colorspace)
    // It also fails for subsamplings it has no name for; those decode all the same. And it succeeds
    // without a size where the file ends before its picture begins.
    guard width > 0, height > 0, colorspace >= 0 else {
      throw status == 0 ? decoder.failure("no picture in the file") : decoder.failure()
    }
    guard isAcceptableSize(width: Int(width), height: Int(height)) else {
      throw DataError(
        .unsupported, file: path, item: "size", expected: "at most \(Image.maximumPixelCount) pixels",
        found: "\(width) x \(height)")
    }
    let isCMYK = [TJCS_CMYK.rawValue, TJCS_YCCK.rawValue].contains(UInt32(colorspace))
    let channels = isCMYK ? 4 : 3
    let format = isCMYK ? TJPF_CMYK : TJPF_RGB
    let count = Int(width) * Int(height) * channels
    func decode(_ extraFlags: Int32) -> [UInt8] {
      // A scan limit stops files whose thousands of empty scans would keep the decoder busy.
      let flags = TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS | extraFlags
      return [UInt8](unsafeUninitializedCapacity: count) { samples, filled in
        let status = tjDecompress2(
          decoder.handle, data, size, samples.baseAddress, width, 0, height, Int32(format.rawValue), flags)
        filled = status == 0 || (extraFlags == 0 && decoder.onlyMetJunkAtEnd) ? count : 0
      }
    }
    // Stopping at the first warning spares the work of making up what a truncated file lacks.
    var samples = decode(TJFLAG_STOPONWARNING)
    if samples.isEmpty && decoder.onlyMetJunkAtEnd { samples = decode(0) }
    guard !samples.isEmpty else { throw decoder.failure() }
    return Image(
      width: Int(width), height: Int(height), pixels: isCMYK ? rgb(fromInvertedCMYK: samples) : samples)
  }

  /// Encodes without chroma subsampling; `path` is only for messages.
  /// - Parameter quality: 1...100.
  /// - Throws: `DataError` of kind `.invalidArgument` for another quality, `.unsupported` for a side
  ///   above 65500, the most that the format's libraries take.
  static func encode(_ image: Image, quality: Int, path: String) throws(DataError) -> [UInt8] {
    guard (1...100).contains(quality) else {
      throw DataError(
        .invalidArgument, file: path, item: "quality", expected: "1 to 100", found: "\(quality)")
    }
    guard max(image.width, image.height) <= 65_500 else {
      throw DataError(
        .unsupported, file: path, item: "size", expected: "sides of at most 65500 pixels in a JPEG file",
        found: "\(image.width) x \(image.height)")
    }
    let encoder = try Codec(tjInitCompress(), path: path)
    let (width, height) = (Int32(image.width), Int32(image.height))
    let subsampling = Int32(TJSAMP_444.rawValue)
    var size = tjBufSize(width, height, subsampling)
    let file = [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, filled in
      var target = buffer.baseAddress
      let status = tjCompress2(
        encoder.handle, image.pixels, width, 0, height, Int32(TJPF_RGB.rawValue), &target, &size, subsampling,
        Int32(quality), TJFLAG_ACCURATEDCT | TJFLAG_NOREALLOC)
      filled = status == 0 ? Int(size) : 0
    }
    guard !file.isEmpty else { throw DataError(.writeFailed, file: path, found: encoder.message) }
    return file
  }

  /// R = (255 - K) - C (255 - K) / 255, rounded, and so on, of inverted samples: there 255 - K and
  /// 255 - C are what the file holds.
  private static func rgb(fromInvertedCMYK samples: [UInt8]) -> [UInt8] {
    let count = samples.count / 4
    return [UInt8](unsafeUninitializedCapacity: 3 * count) { rgb, filled in
      for pixel in 0..<count {
        let light = UInt32(samples[4 * pixel + 3])
        for channel in 0..<3 {
          let ink = 255 - UInt32(samples[4 * pixel + channel])
          // Division by 255 with rounding, for products of two bytes.
          let product = ink * light + 128
          let absorbed = (product + (product >> 8)) >> 8
          rgb.initializeElement(at: 3 * pixel + channel, to: UInt8(light - absorbed))
        }
      }
      filled = 3 * count
    }
  }

  /// A TurboJPEG instance, destroyed with this value.
  private struct Codec: ~Copyable {
    let handle: tjhandle
    let path: String

    init(_ handle: tjhandle?, path: String) throws(DataError) {
      guard let handle else {
        throw DataError(.unsupported, file: path, found: "TurboJPEG cannot be started")
      }
      self.handle = handle
      self.path = path
    }

    deinit { tjDestroy(handle) }

    var message: String { String(cString: tjGetErrorStr2(handle)) }

    /// Bytes between the last scan and the end marker, which some cameras leave, harm no pixel. They
    /// would not be the first warning if anything else had been wrong.
    var onlyMetJunkAtEnd: Bool {
      tjGetErrorCode(handle) == TJERR_WARNING.rawValue
        && message.hasSuffix("extraneous bytes before marker 0xd9")
    }

    /// The error of the last call, or for the given reason.
    func failure(_ reason: String? = nil) -> DataError {
      DataError(.malformed, file: path, expected: "a sound JPEG file", found: reason ?? message)
    }
  }
}
