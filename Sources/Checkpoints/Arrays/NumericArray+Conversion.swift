import TensorCore

extension NumericArray {
  /// The elements as float32, rounded to nearest.
  ///
  /// Packed float32 elements are not copied: the tensor reads them from the mapped file. An array made from a tensor
  /// gives that tensor back.
  public func tensor() -> Tensor {
    if let box = region.owner as? TensorBox, elementType == .float32, isPacked, count == box.tensor.count {
      return box.tensor.reshaped(shape)
    }
    guard elementType == .float32 else {
      return Tensor(unsafeUninitializedShape: shape) { convert(into: $0) }
    }
    if isPacked, isAligned {
      return region.withBytes { bytes in
        let floats = UnsafeBufferPointer(
          start: bytes.baseAddress?.assumingMemoryBound(to: Float.self), count: count)
        return Tensor(borrowing: floats, owner: region.owner, shape: shape)
      }
    }
    return Tensor(unsafeUninitializedShape: shape) { pack(into: UnsafeMutableRawBufferPointer($0)) }
  }

  /// The elements as doubles in row-major order: exact, but for 64-bit integers beyond 2^53.
  public func doubles() -> [Double] { array { convert(into: $0) } }

  /// The elements as 64-bit integers in row-major order. Unsigned ones wrap around; real numbers lose
  /// their fraction, and become `Int64.min` where they do not fit or are NaN.
  public func int64s() -> [Int64] { array { convert(into: $0) } }

  /// The elements as bytes in row-major order, wrapped around like NumPy's `astype(uint8)`: -1 becomes
  /// 255 and 256 becomes 0.
  public func uint8s() -> [UInt8] { array { convert(into: $0) } }

  private func array<Element>(_ fill: (UnsafeMutableBufferPointer<Element>) -> Void) -> [Element] {
    Array(unsafeUninitializedCapacity: count) { buffer, initialized in
      fill(UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
      initialized = count
    }
  }

  private func convert<Target: ConversionTarget>(into output: UnsafeMutableBufferPointer<Target>) {
    switch elementType {
    case .bool: convert(from: StoredBool.self, into: output)
    case .uint8: convert(from: UInt8.self, into: output)
    case .int8: convert(from: Int8.self, into: output)
    case .uint16: convert(from: UInt16.self, into: output)
    case .int16: convert(from: Int16.self, into: output)
    case .uint32: convert(from: UInt32.self, into: output)
    case .int32: convert(from: Int32.self, into: output)
    case .uint64: convert(from: UInt64.self, into: output)
    case .int64: convert(from: Int64.self, into: output)
    case .float16: convert(from: StoredFloat16.self, into: output)
    case .bfloat16: convert(from: StoredBFloat16.self, into: output)
    case .float32: convert(from: Float.self, into: output)
    case .float64: convert(from: Double.self, into: output)
    }
  }

  private func convert<Source: StoredElement, Target: ConversionTarget>(
    from source: Source.Type, into output: UnsafeMutableBufferPointer<Target>
  ) {
    withPackedElements(of: source) { input in
      for index in 0..<input.count { output[index] = Target(stored: input[index]) }
    }
  }
}

/// What elements of files are converted to.
private protocol ConversionTarget {
  init<Element: StoredElement>(stored element: Element)
}

extension Float: ConversionTarget {
  fileprivate init<Element: StoredElement>(stored element: Element) { self = element.float }
}

extension Double: ConversionTarget {
  fileprivate init<Element: StoredElement>(stored element: Element) { self = element.double }
}

extension Int64: ConversionTarget {
  fileprivate init<Element: StoredElement>(stored element: Element) { self = element.int64 }
}

extension UInt8: ConversionTarget {
  fileprivate init<Element: StoredElement>(stored element: Element) { self = element.uint8 }
}
