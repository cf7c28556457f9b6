import Foundation

/// A learning rate that rises along a line from 0, then falls along half a cosine (`lr_sched.py` of facebookresearch/mae).
public struct WarmUpCosine: Sendable, Equatable {
  /// At the end of the warm-up.
  public var peak: Double
  /// At the end.
  public var lowest: Double
  /// Length of the warm-up, in epochs.
  public var warmUp: Double
  /// Length of all, in epochs.
  public var length: Double

  public init(peak: Double, lowest: Double = 0, warmUp: Double, length: Double) {
    (self.peak, self.lowest, self.warmUp, self.length) = (peak, lowest, warmUp, length)
  }

  /// The rate at a time in epochs, fractions included.
  public func rate(at epoch: Double) -> Double {
    if epoch < warmUp { return peak * epoch / warmUp }
    let share = length > warmUp ? (epoch - warmUp) / (length - warmUp) : 1
    return lowest + (peak - lowest) * 0.5 * (1 + cos(.pi * share))
  }
}
