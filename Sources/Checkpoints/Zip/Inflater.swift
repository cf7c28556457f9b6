import Base
import CZlib

/// Decompression of the deflate method of zip files.
enum Inflater {
  /// A byte of deflated data makes at most 1,032 bytes (RFC 1951: 258 bytes for two bits).
  private static let largestRatio = 1032

  /// Inflates to exactly `size` bytes; more or fewer are an error, and no more are ever made room for.
  /// - Parameter isBeginning: whether more data may follow the `size` bytes, which are not looked at then
  /// - Throws: `DataError` when the data are damaged or do not have that size.
  static func inflate(
    _ source: ByteRegion, size: Int, isBeginning: Bool = false, file: String, item: String
  ) throws(DataError) -> ByteRegion {
    // The quotient keeps a declared size of 2^60 from asking for memory.
    guard size >= 0, size / largestRatio <= source.count else {
      throw DataError(
        .malformed, file: file, item: item,
        expected: "at most \(largestRatio) times its \(source.count) compressed bytes",
        found: "a declared size of \(size)")
    }
    var outcome = Outcome(status: Z_OK, isComplete: false, isFull: false)
    let inflated = OwnedBytes(count: size) { output in
      outcome = source.withBytes { run(from: $0, into: output) }
    }
    guard let inflated else {
      throw DataError(.unsupported, file: file, item: item, found: "\(size) bytes do not fit into memory")
    }
    guard outcome.isComplete || (isBeginning && outcome.isFull) else {
      throw DataError(
        .malformed, file: file, item: item, expected: "deflated data of \(size) bytes",
        found: outcome.status == Z_OK || outcome.status == Z_BUF_ERROR || outcome.status == Z_STREAM_END
          ? "data of another size" : "damaged data (zlib status \(outcome.status))")
    }
    return inflated.region
  }

  private struct Outcome {
    var status: Int32
    /// The data and the room for them end together.
    var isComplete: Bool
    /// There is no room left.
    var isFull: Bool
  }

  private static func run(
    from input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) -> Outcome {
    var stream = z_stream()
    // A negative window size means no zlib header and trailer.
    let status = inflateInit2_(&stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard status == Z_OK else { return Outcome(status: status, isComplete: false, isFull: false) }
    defer { inflateEnd(&stream) }
    var consumed = 0
    var produced = 0
    while true {
      let inputPart = min(input.count - consumed, Int(UInt32.max))
      let outputPart = min(output.count - produced, Int(UInt32.max))
      stream.next_in = input.baseAddress.map {
        UnsafeMutablePointer(mutating: ($0 + consumed).assumingMemoryBound(to: UInt8.self))
      }
      stream.avail_in = UInt32(inputPart)
      stream.next_out = output.baseAddress.map { ($0 + produced).assumingMemoryBound(to: UInt8.self) }
      stream.avail_out = UInt32(outputPart)
      let status = CZlib.inflate(&stream, Z_NO_FLUSH)
      let read = inputPart - Int(stream.avail_in)
      let written = outputPart - Int(stream.avail_out)
      consumed += read
      produced += written
      if status == Z_STREAM_END {
        return Outcome(
          status: status, isComplete: produced == output.count && consumed == input.count,
          isFull: produced == output.count)
      }
      guard status == Z_OK, read + written > 0 else {
        return Outcome(status: status, isComplete: false, isFull: produced == output.count)
      }
    }
  }
}
