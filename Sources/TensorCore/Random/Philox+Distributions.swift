import Foundation

extension Philox {
  /// A number in [0, 1) with 24 random bits.
  public mutating func uniform() -> Float {
    Float(nextWord() >> 8) * 0x1p-24
  }

  /// A pair of independent standard normal numbers (Box and Muller 1958).
  public mutating func normalPair() -> (Float, Float) {
    // (word + 1/2) / 2^32 lies inside (0, 1), so the logarithm is finite.
    let radius = (-2 * log((Double(nextWord()) + 0.5) * 0x1p-32)).squareRoot()
    let angle = 2 * Double.pi * (Double(nextWord()) * 0x1p-32)
    return (Float(radius * cos(angle)), Float(radius * sin(angle)))
  }

  /// A tensor of numbers in [0, 1).
  public mutating func uniform(shape: [Int]) -> Tensor {
    Tensor(unsafeUninitializedShape: shape) { elements in
      for index in elements.indices { elements[index] = uniform() }
    }
  }

  /// A tensor of standard normal numbers.
  public mutating func normal(shape: [Int]) -> Tensor {
    Tensor(unsafeUninitializedShape: shape) { elements in
      if let base = elements.baseAddress { fillNormal(base, count: elements.count) }
    }
  }
}

extension Philox {
  /// Standard normal numbers.
  package mutating func fillNormal(_ target: UnsafeMutablePointer<Float>, count: Int) {
    var index = 0
    while index < count {
      let (first, second) = normalPair()
      target[index] = first
      if index + 1 < count { target[index + 1] = second }
      index += 2
    }
  }
}

/// Standard normal numbers for each item, from the item's generator: `[N, …]`.
/// - Parameters:
///   - shape: of an item
///   - random: a generator for each item, which goes on
package func normal(shape: [Int], of random: inout [Philox]) -> Tensor {
  let (size, count) = (shape.reduce(1, *), random.count)
  return Tensor(shape: [count] + shape) { noise in
    random.withUnsafeMutableBufferPointer { random in
      nonisolated(unsafe) let random = random
      parallelFor(count) { random[$0].fillNormal(noise + $0 * size, count: size) }
    }
  }
}
