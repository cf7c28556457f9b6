extension NumericArray {
  /// Copies the elements, row-major and in this machine's byte order, to `destination`.
  /// - Precondition: `destination` has room for `count` elements and is aligned to their size.
  func pack(into destination: UnsafeMutableRawBufferPointer) {
    precondition(destination.count >= count * elementType.size)
    guard count > 0, let output = destination.baseAddress else { return }
    region.withBytes { bytes in
      guard let input = bytes.baseAddress else { return }
      switch elementType.size {
      case 1: gather(UInt8.self, from: input, to: output)
      case 2: gather(UInt16.self, from: input, to: output)
      case 4: gather(UInt32.self, from: input, to: output)
      default: gather(UInt64.self, from: input, to: output)
      }
    }
  }

  /// Packed elements, valid during the call: those of the file where they can be used as they lie,
  /// otherwise a copy.
  func withPackedElements<Element: BitwiseCopyable, Result, Failure: Error>(
    of type: Element.Type, _ body: (UnsafeBufferPointer<Element>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    precondition(MemoryLayout<Element>.stride == elementType.size)
    guard count > 0 else { return try body(UnsafeBufferPointer(start: nil, count: 0)) }
    if isPacked, isAligned {
      return try region.withBytes { (bytes) throws(Failure) in
        try body(UnsafeBufferPointer(start: bytes.baseAddress?.assumingMemoryBound(to: type), count: count))
      }
    }
    let copy = UnsafeMutableBufferPointer<Element>.allocate(capacity: count)
    defer { copy.deallocate() }
    pack(into: UnsafeMutableRawBufferPointer(copy))
    return try body(UnsafeBufferPointer(copy))
  }

  /// The first element lies at a multiple of the element size.
  var isAligned: Bool {
    region.withBytes { UInt(bitPattern: $0.baseAddress) % UInt(elementType.size) == 0 }
  }

  private func gather<Word: FixedWidthInteger & BitwiseCopyable>(
    _ type: Word.Type, from input: UnsafeRawPointer, to output: UnsafeMutableRawPointer
  ) {
    let size = MemoryLayout<Word>.size
    let (lengths, steps) = ArrayLayout.simplified(shape: shape, strides: strides)
    let destination = output.assumingMemoryBound(to: Word.self)
    // The last dimension is the inner loop, the others count like an odometer.
    let length = lengths.last ?? 1
    let step = steps.last ?? 1
    var index = [Int](repeating: 0, count: max(lengths.count - 1, 0))
    var source = input
    var written = 0
    while true {
      if step == 1 {
        (output + written * size).copyMemory(from: source, byteCount: length * size)
      } else {
        for position in 0..<length {
          destination[written + position] = source.loadUnaligned(
            fromByteOffset: position * step * size, as: Word.self)
        }
      }
      written += length
      var axis = index.count - 1
      while axis >= 0 {
        index[axis] += 1
        source += steps[axis] * size
        if index[axis] < lengths[axis] { break }
        source -= lengths[axis] * steps[axis] * size
        index[axis] = 0
        axis -= 1
      }
      if axis < 0 { break }
    }
    if isByteSwapped {
      for position in 0..<count { destination[position] = destination[position].byteSwapped }
    }
  }
}
