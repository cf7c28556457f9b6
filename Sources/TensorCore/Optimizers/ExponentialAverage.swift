/// An exponential moving average of weights: `average ← decay · average + (1 - decay) · weight`.
public struct ExponentialAverage: Sendable, Equatable {
  /// Share of the old average that is kept in a step, below 1.
  public var decay: Double
  /// Whether early steps forget faster: with n updates done, the decay is at most `(1 + n) / (10 + n)`.
  public var warmsUp: Bool

  /// - Precondition: the decay is at least 0 and below 1.
  public init(decay: Double = 0.9999, warmsUp: Bool = false) {
    precondition(decay >= 0 && decay < 1, "an average with decay \(decay)")
    self.decay = decay
    self.warmsUp = warmsUp
  }

  /// The decay of an update.
  /// - Parameter number: 0 or 1 for the first, as one counts
  public func decay(update number: Int) -> Double {
    warmsUp ? min(decay, Double(1 + number) / Double(10 + number)) : decay
  }

  /// One update.
  public func update(_ average: inout Tensor, with weight: Tensor, number: Int) {
    precondition(average.shape == weight.shape, "average \(average.shape) of weights \(weight.shape)")
    let decay = decay(update: number)
    let (kept, new) = (Float(decay), Float(1 - decay))
    let count = average.count
    average.withMutablePointer { average in
      withPointers(weight) { weight in
        parallelFor(count, inBlocksOf: elementwiseBlock) { range in
          for i in range { average[i] = average[i] * kept + weight[i] * new }
        }
      }
    }
  }
}
