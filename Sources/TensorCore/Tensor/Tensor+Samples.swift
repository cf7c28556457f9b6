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

  /// The sum of the squares of all elements, in double precision and in an order that never changes.
  package var sumOfSquares: Double {
    withUnsafeBufferPointer { x in
      var total = 0.0
      for start in stride(from: 0, to: x.count, by: 4096) {
        var lanes = SIMD8<Double>()
        let end = min(x.count, start + 4096)
        for i in start..<end { lanes[i & 7] += Double(x[i]) * Double(x[i]) }
        total += lanes.sum()
      }
      return total
    }
  }
}
