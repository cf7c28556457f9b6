import Base
import TensorCore

/// How a network is trained, whatever it is trained for.
public struct TrainerOptions: Sendable, Equatable {
  /// Items of a step.
  public var batch = 16
  /// Items whose activations exist at a time; nil for all of a step.
  public var microBatch: Int?
  /// Its decay holds for the parameters that the objective names.
  public var optimizer = Adam(learningRate: 1e-4, decay: .decoupled)
  /// Steps over which the learning rate rises from 0.
  public var warmUpSteps = 0
  /// Steps after which the learning rate has fallen to 0 along half a cosine, the warm-up among them; nil for a rate that
  /// stays.
  public var cosineSteps: Int?
  /// Largest norm of all gradients together; longer ones are scaled down. Nil for no limit.
  public var largestGradientNorm: Double?
  /// Moving average of the weights.
  public var average = ExponentialAverage(decay: 0.9999)
  /// Probability of an element to be dropped, in networks with dropout.
  public var dropout: Float = 0
  /// Whether activations inside blocks are computed again in the backward pass, for less memory.
  public var recomputesBlocks = false
  /// Seed of everything that is drawn.
  public var seed: UInt64 = 0

  public init() {}

  /// The learning rate of a step, from 0.
  public func learningRate(step: Int) -> Double {
    if let cosineSteps {
      let schedule = WarmUpCosine(
        peak: optimizer.learningRate, warmUp: Double(warmUpSteps), length: Double(cosineSteps))
      return step < cosineSteps ? schedule.rate(at: Double(step)) : 0
    }
    let share = warmUpSteps > 0 ? min(1, Double(step + 1) / Double(warmUpSteps)) : 1
    return optimizer.learningRate * share
  }

  /// - Throws: `DataError` naming the setting that cannot be.
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
    if let cosineSteps {
      try check(
        cosineSteps > warmUpSteps, "cosine steps", "more than the warm-up of \(warmUpSteps)", cosineSteps)
    }
    if let norm = largestGradientNorm { try check(norm > 0, "gradient norm", "a number above 0", norm) }
    try check(average.decay >= 0 && average.decay < 1, "EMA rate", "0 to below 1", average.decay)
    try check(dropout >= 0 && dropout < 1, "dropout", "0 to below 1", dropout)
  }
}
