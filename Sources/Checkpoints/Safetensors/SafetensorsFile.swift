import Base

/// The tensors of a safetensors file, in the order of its header. The file is mapped; nothing but the
/// header is read.
public struct SafetensorsFile: Sendable {
  public let path: String
  public let tensors: [NamedArray]
  /// The strings under `__metadata__`.
  public let metadata: [String: String]

  /// The format's own limit.
  static let largestHeader = 100_000_000
  /// The header stands behind its length.
  static let lengthSize = 8

  /// - Throws: `DataError` when there is no such file or its header is not in order: longer than
  ///   100 MB, names twice, byte ranges that overlap, leave gaps, reach outside the file or do not fit
  ///   their shapes.
  public init(contentsOf path: String) throws(DataError) {
    try self.init(MappedFile(path: path))
  }

  init(_ file: MappedFile) throws(DataError) {
    path = file.path
    let region = ByteRegion(file)
    let header = try region.withBytes { (bytes) throws(DataError) in
      var reader = ByteReader(bytes)
      guard let length = reader.read(UInt64.self) else {
        throw DataError(
          .malformed, file: file.path, expected: "a safetensors file", found: "only \(bytes.count) bytes")
      }
      guard length <= Self.largestHeader, let text = reader.read(count: Int(length)) else {
        throw DataError(
          .malformed, file: file.path, item: "header",
          expected: "a length of at most \(min(Self.largestHeader, reader.remaining)) bytes",
          found: "\(length)")
      }
      return (text: try SafetensorsHeader(json: text, file: file.path), end: reader.position)
    }
    guard let data = region.slice(offset: header.end, count: region.count - header.end) else {
      throw DataError(.malformed, file: file.path, item: "header", found: "a length beyond the file")
    }
    metadata = header.text.metadata
    try Self.checkRanges(header.text.entries, dataSize: data.count, file: file.path)
    var tensors: [NamedArray] = []
    tensors.reserveCapacity(header.text.entries.count)
    for entry in header.text.entries {
      tensors.append(NamedArray(name: entry.name, array: try Self.array(entry, in: data, file: file.path)))
    }
    self.tensors = tensors
  }

  /// The byte ranges must follow each other from the first byte to the last.
  private static func checkRanges(
    _ entries: [SafetensorsHeader.Entry], dataSize: Int, file: String
  ) throws(DataError) {
    var end = 0
    for entry in entries.sorted(by: {
      ($0.bytes.lowerBound, $0.bytes.upperBound) < ($1.bytes.lowerBound, $1.bytes.upperBound)
    }) {
      guard entry.bytes.lowerBound == end else {
        throw DataError(
          .malformed, file: file, item: entry.name,
          expected: "data from byte \(end) on, where those of another tensor end",
          found: "data from byte \(entry.bytes.lowerBound) on")
      }
      end = entry.bytes.upperBound
    }
    guard end == dataSize else {
      throw DataError(
        .malformed, file: file, expected: "\(end) bytes of data after the header", found: "\(dataSize)")
    }
  }

  private static func array(
    _ entry: SafetensorsHeader.Entry, in data: ByteRegion, file: String
  ) throws(DataError) -> NumericArray {
    let byteCount = ArrayLayout.elementCount(of: entry.shape)?.multipliedReportingOverflow(
      by: entry.elementType.size)
    guard let byteCount, !byteCount.overflow, byteCount.partialValue == entry.bytes.count,
      let bytes = data.slice(offset: entry.bytes.lowerBound, count: entry.bytes.count)
    else {
      throw DataError(
        .malformed, file: file, item: entry.name, expected: "bytes for \(entry.elementType) \(entry.shape)",
        found: "\(entry.bytes.count) bytes")
    }
    return try NumericArray(entry.elementType, shape: entry.shape, in: bytes, source: (file, entry.name))
  }
}
