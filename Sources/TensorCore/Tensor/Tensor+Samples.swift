// x: [N, …]

extension Tensor {
  /// Some of the samples of a batch: `[N, …]` to `[range.count, …]`.
  package func samples(_ range: Range<Int>) -> Tensor {
    precondition(rank >= 1 && range.upperBound <= shape[0], "samples \(range) of \(shape)")
    let size = shape[0] > 0 ? count / shape[0] : 0
    return Tensor(shape: [range.count] + shape.dropFirst()) { y in
      withPointers(self) { x in y.update(from: x + range.lowerBound * size, count: range.count * size) }
    }
  }

  /// The same in memory of its own.
  package var copied: Tensor {
    Tensor(unsafeUninitializedShape: shape) { y in
      withUnsafeBufferPointer { x in _ = y.initialize(from: x) }
    }
  }

  /// Every sample times a number of its own.
  package func scalingSamples(by factors: [Float]) -> Tensor {
    precondition(rank >= 1 && factors.count == shape[0], "\(factors.count) factors of \(shape)")
    let size = shape[0] > 0 ? count / shape[0] : 0
    return Tensor(shape: shape) { y in
      withPointers(self) { x in
        parallelFor(factors.count) { n in
          for i in n * size..<(n + 1) * size { y[i] = x[i] * factors[n] }
        }
      }
    }
  }
}

/// The sum of the squares of all elements of all tensors, in double precision and in an order that never changes.
package func squaredNorm(_ tensors: [Tensor]) -> Double {
  var sums = [Double](repeating: 0, count: tensors.count)
  sums.withUnsafeMutableBufferPointer { sums in
    // Each tensor has a place of its own.
    nonisolated(unsafe) let places = sums
    parallelFor(tensors.count) { index in
      places[index] = tensors[index].withUnsafeBufferPointer { x in
        let raw = UnsafeRawBufferPointer(x)
        var (total, start) = (0.0, 0)
        while start + 8 <= x.count {
          // As many squares as single precision adds without harm.
          let end = min(x.count / 8 * 8, start + 1024)
          var lanes = SIMD8<Float>()
          while start < end {
            let values = raw.loadUnaligned(fromByteOffset: 4 * start, as: SIMD8<Float>.self)
            lanes += values * values
            start += 8
          }
          total += (0..<8).reduce(0) { $0 + Double(lanes[$1]) }
        }
        for i in start..<x.count { total += Double(x[i]) * Double(x[i]) }
        return total
      }
    }
  }
  return sums.reduce(0, +)
}
