import TensorCore

/// How a diffusion model is trained. The defaults are those of guided-diffusion's `image_train.py`, with fewer
/// pictures a step.
public struct DiffusionTrainingOptions: Sendable, Equatable {
  /// Pictures of a step.
  public var batch = 16
  /// Pictures whose activations exist at a time; nil for all of a step.
  public var microBatch: Int?
  public var loss = DiffusionLoss.mse
  public var timesteps = TimestepSampling.uniform
  /// Of every weight alike; AdamW with the decay that it has.
  public var optimizer = Adam(learningRate: 1e-4, decay: .decoupled)
  /// Steps over which the learning rate rises from 0.
  public var warmUpSteps = 0
  /// Largest norm of all gradients together; longer ones are shortened. Nil for no limit.
  public var largestGradientNorm: Double?
  /// Of the weights, which is what pictures are made and segmented with.
  public var average = ExponentialAverage(decay: 0.9999)
  /// Probability of a number to be dropped in a residual block.
  public var dropout: Float = 0
  /// Whether every other picture is mirrored.
  public var flips = true
  /// Whether pictures are turned by a random number of right angles.
  public var quarterTurns = false
  /// Whether the activations inside residual blocks are computed twice, for less memory.
  public var recomputesBlocks = false
  /// Of everything that is random.
  public var seed: UInt64 = 0

  public init() {}

  /// The learning rate of a step, from 0.
  package func learningRate(step: Int) -> Double {
    let share = warmUpSteps > 0 ? min(1, Double(step + 1) / Double(warmUpSteps)) : 1
    return optimizer.learningRate * share
  }
}

extension DiffusionTrainingOptions {
  /// - Throws: `DataError` that names the setting that cannot be.
  public func validate() throws(DataError) {
    func check(_ holds: Bool, _ name: String, _ expected: String, _ found: Any) throws(DataError) {
      if !holds { throw DataError(.invalidArgument, file: name, expected: expected, found: "\(found)") }
    }
    try check(batch > 0 && batch <= 1 << 16, "batch", "1 to 65,536", batch)
    if let microBatch {
      try check(
        microBatch > 0 && microBatch <= batch, "micro-batch", "1 to the batch of \(batch)", microBatch)
    }
    let rate = optimizer.learningRate
    try check(rate > 0 && rate.isFinite, "learning rate", "a number above 0", rate)
    let decay = optimizer.weightDecay
    try check(decay >= 0 && decay.isFinite, "weight decay", "a number from 0", decay)
    try check(warmUpSteps >= 0, "warm-up steps", "0 or more", warmUpSteps)
    if let norm = largestGradientNorm { try check(norm > 0, "gradient norm", "a number above 0", norm) }
    try check(average.decay >= 0 && average.decay < 1, "EMA rate", "0 to below 1", average.decay)
    try check(dropout >= 0 && dropout < 1, "dropout", "0 to below 1", dropout)
  }
}
