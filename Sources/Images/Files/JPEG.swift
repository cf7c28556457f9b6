import Base
import CJPEG
import Foundation

/// Reading and writing JPEG files with the accurate integer transform and smooth chroma upsampling,
/// the defaults of libjpeg and so of the programs that prepared the training data.
enum JPEG {
  /// Decodes to red, green and blue. Grey is repeated; CMYK and YCCK are taken as Adobe writes them,
  /// inverted, and converted without a profile. So does Pillow, sample for sample.
  ///
  /// Flaws that cost no pixel make a notice.
  /// - Throws: `DataError`; a truncated or corrupt stream is one even where libjpeg would make up the
  ///   rest.
  static func image(_ bytes: UnsafeRawBufferPointer, path: String, notices: Notices) throws(DataError)
    -> Image
  {
    var result = try read(bytes, into: nil, path: path)
    let (width, height, channels) = (Int(result.width), Int(result.height), Int(result.channels))
    guard isAcceptableSize(width: width, height: height) else {
      throw DataError(
        .unsupported, file: path, item: "size", expected: "at most \(Image.maximumPixelCount) pixels",
        found: "\(width) x \(height)")
    }
    // Other coding takes at least a bit for each block, and the decoder notices when they run out.
    guard result.is_arithmetic == 0 || width * height / 4096 <= bytes.count else {
      throw DataError(
        .malformed, file: path, item: "size", expected: "the data of \(width) x \(height) pixels",
        found: "a file of \(bytes.count) bytes")
    }
    let count = width * height * channels
    var failure: DataError?
    let samples = [UInt8](unsafeUninitializedCapacity: count) { samples, filled in
      do throws(DataError) {
        result = try read(bytes, into: samples, path: path)
        filled = count
      } catch { failure = error }
    }
    if let failure { throw failure }
    addNotices(of: result, bytes, path: path, to: notices)
    return Image(
      width: width, height: height, pixels: channels == 4 ? CMYK.rgb(inverted: samples) : samples)
  }

  /// Columns and rows of the file's pixels, from its header.
  static func size(_ bytes: UnsafeRawBufferPointer, path: String) throws(DataError) -> (Int, Int) {
    let result = try read(bytes, into: nil, path: path)
    return (Int(result.width), Int(result.height))
  }

  private static func read(
    _ bytes: UnsafeRawBufferPointer, into samples: UnsafeMutableBufferPointer<UInt8>?, path: String
  ) throws(DataError) -> dseg_jpeg_result {
    var result = dseg_jpeg_result()
    let isRead = dseg_jpeg_read(
      bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count, samples?.baseAddress, samples?.count ?? 0,
      &result)
    guard isRead != 0 else {
      throw DataError(
        result.is_unsupported != 0 ? .unsupported : .malformed, file: path, expected: "a sound JPEG file",
        found: text(of: result))
    }
    return result
  }

  private static func text(of result: dseg_jpeg_result) -> String {
    withUnsafeBytes(of: result.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }

  private static func addNotices(
    of result: dseg_jpeg_result, _ bytes: UnsafeRawBufferPointer, path: String, to notices: Notices
  ) {
    func has(_ warning: dseg_jpeg_warning) -> Bool { result.warnings & warning.rawValue != 0 }
    if has(DSEG_JPEG_ODD_SCAN_PARAMETERS) {
      notices.add(
        .suspicious, file: path, "its scan header is not that of the standard; all pixels are there")
    }
    if has(DSEG_JPEG_STRAY_BYTES) {
      notices.add(.suspicious, file: path, "stray bytes between its parts were skipped; all pixels are there")
    }
    if has(DSEG_JPEG_LEFT_OVER_BYTES) {
      notices.add(
        .suspicious, file: path, "more data than its pixels need: padding of the camera, or it is damaged")
    }
    if has(DSEG_JPEG_UNKNOWN_JFIF) {
      notices.add(.suspicious, file: path, "unknown JFIF version; all pixels are there")
    }
    if has(DSEG_JPEG_UNKNOWN_ADOBE) {
      notices.add(.guessed, file: path, "unknown colour transform in its Adobe marker; taken as YCbCr")
    }
    if result.channels == 4 {
      notices.add(.guessed, file: path, "CMYK converted to red, green and blue without a colour profile")
    }
    // Phones write more pictures after the first, and say so.
    let rest = bytes.dropFirst(Int(result.consumed))
    if rest.contains(where: { $0 != 0 }) && !JPEGSegments(bytes).announcesMorePictures {
      notices.add(.leftOut, file: path, "the bytes after the end of the picture")
    }
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
    var result = dseg_jpeg_result()
    var file: UnsafeMutablePointer<UInt8>?
    var size: UInt = 0
    let isWritten = dseg_jpeg_write(
      image.pixels, UInt32(image.width), UInt32(image.height), Int32(quality), &file, &size, &result)
    defer { free(file) }
    guard isWritten != 0, let file else {
      throw DataError(.writeFailed, file: path, found: text(of: result))
    }
    return Array(UnsafeBufferPointer(start: file, count: Int(size)))
  }
}
