import Base

extension NumericArray {
  /// Appends the elements in row-major order, little-endian.
  func write(to file: borrowing AtomicFile) throws(DataError) {
    try withPackedBytes { (bytes) throws(DataError) in try file.write(bytes) }
  }

  /// The packed elements as bytes.
  package func withPackedBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    switch elementType.size {
    case 1:
      try withPackedElements(of: UInt8.self) { (elements) throws(Failure) in
        try body(UnsafeRawBufferPointer(elements))
      }
    case 2:
      try withPackedElements(of: UInt16.self) { (elements) throws(Failure) in
        try body(UnsafeRawBufferPointer(elements))
      }
    case 4:
      try withPackedElements(of: UInt32.self) { (elements) throws(Failure) in
        try body(UnsafeRawBufferPointer(elements))
      }
    default:
      try withPackedElements(of: UInt64.self) { (elements) throws(Failure) in
        try body(UnsafeRawBufferPointer(elements))
      }
    }
  }
}
