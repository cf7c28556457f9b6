extension Tensor {
  /// How many elements are infinite or no number at all.
  public var nonFiniteCount: Int {
    let (count, piece) = (self.count, 1 << 18)
    let pieces = (count + piece - 1) / piece
    guard pieces > 0 else { return 0 }
    var found = [Int](repeating: 0, count: pieces)
    withUnsafeBufferPointer { floats in
      found.withUnsafeMutableBufferPointer { found in
        // Each piece writes to a place of its own.
        nonisolated(unsafe) let (floats, found) = (floats, found)
        parallelFor(pieces) { index in
          let part = floats[index * piece..<min(count, (index + 1) * piece)]
          var sum: UInt32 = 0
          for value in part where value.bitPattern & 0x7F80_0000 == 0x7F80_0000 { sum &+= 1 }
          found[index] = Int(sum)
        }
      }
    }
    return found.reduce(0, +)
  }
}
