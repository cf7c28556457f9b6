import DiffusionSegmentation
import TensorCore

/// A general matrix product, `x · weightᵀ`.
public struct MatrixProduct: Sendable {
  /// `[m, k]`
  public let x: Tensor
  /// `[n, k]`
  public let weight: Tensor

  public init(x: Tensor, weight: Tensor) {
    self.x = x
    self.weight = weight
  }

  /// Random matrices.
  public init(m: Int, n: Int, k: Int, seed: UInt64 = 1) {
    var random = Philox(seed: seed).split(4)
    self.init(x: random.normal(shape: [m, k]), weight: random.normal(shape: [n, k]))
  }

  /// `[m, n]`
  public func callAsFunction() -> Tensor { linear(x, weight: weight) }
}
