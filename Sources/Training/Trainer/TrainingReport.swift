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
