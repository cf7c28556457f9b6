import Base

/// Result of a training step.
public struct TrainingReport: Sendable {
  /// Steps done, this one included.
  public var step: Int
  /// Mean over the batch, without weights.
  public var loss: Double
  /// Parts of the loss by name, means over the batch.
  public var terms: [String: Double]
  /// Norm of all gradients together, before it was limited.
  public var gradientNorm: Double
}

/// Why a training step was not made. The state is that before the step.
public enum TrainingError: Error, Sendable, CustomStringConvertible {
  /// A loss or gradient that is not finite; `step` steps were done before it.
  case diverged(step: Int, loss: Double, gradientNorm: Double)
  /// An item that cannot be read, or a process that is gone.
  case data(DataError)

  public var description: String {
    switch self {
    case .diverged(let step, let loss, let gradientNorm):
      "training diverged in step \(step + 1): loss \(loss), gradient norm \(gradientNorm)"
    case .data(let error): "\(error)"
    }
  }
}
