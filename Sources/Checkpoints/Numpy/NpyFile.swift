import Base

/// One array in NumPy's `.npy` format.
public struct NpyFile: Sendable {
  public let array: NumericArray
  /// Whether the elements lie in Fortran's order in the file. `array` gives them in row-major order
  /// either way.
  public let isFortranOrder: Bool

  /// Maps a file; the elements are read when they are asked for.
  /// - Throws: `DataError` when there is no such file, it is damaged, or its elements are not numbers
  ///   (objects, text, records, dates, complex numbers).
  public init(contentsOf path: String) throws(DataError) {
    let file = try MappedFile(path: path)
    try self.init(ByteRegion(file), source: (path, ""))
  }

  init(_ region: ByteRegion, source: (file: String, item: String)) throws(DataError) {
    let (header, start) = try region.withBytes { (bytes) throws(DataError) in
      var reader = ByteReader(bytes)
      return (try NpyHeader(&reader, source: source), reader.position)
    }
    guard let data = region.slice(offset: start, count: region.count - start),
      let count = ArrayLayout.elementCount(of: header.shape)
    else {
      throw DataError(
        .malformed, file: source.file, item: source.item, expected: "a shape whose elements can be counted",
        found: "\(header.shape)")
    }
    guard count <= data.count / header.elementType.size else {
      throw DataError(
        .malformed, file: source.file, item: source.item,
        expected: "elements for the shape \(header.shape) of \(header.elementType)",
        found: "\(data.count) bytes")
    }
    isFortranOrder = header.isFortranOrder
    array = try NumericArray(
      header.elementType, shape: header.shape,
      strides: header.isFortranOrder ? ArrayLayout.columnMajorStrides(of: header.shape) : nil,
      isBigEndian: header.isBigEndian, in: data, source: source)
  }

  /// Writes an array, which appears under its name only when it is complete.
  /// - Throws: `DataError` of kind `.cannotCreate` or `.writeFailed`, or `.invalidArgument` for
  ///   bfloat16, which the format does not have.
  public static func write(_ array: NumericArray, to path: String) throws(DataError) {
    let header = try header(for: array, file: path, item: "")
    let file = try AtomicFile(path: path)
    try file.write(header)
    try array.write(to: file)
    try file.commit()
  }

  static func header(for array: NumericArray, file: String, item: String) throws(DataError) -> [UInt8] {
    guard let code = array.elementType.numpyCode else {
      throw DataError(
        .invalidArgument, file: file, item: item, expected: "an element type that NumPy has",
        found: "\(array.elementType)")
    }
    return NpyHeader.bytes(code: code, elementType: array.elementType, shape: array.shape)
  }
}
