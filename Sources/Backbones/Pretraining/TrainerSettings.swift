import Features
import TensorCore
import Training

extension PretrainingSettings {
  /// Rows for batch, optimizer and averages, with the defaults of the kind.
  static func trainerRows() -> [TableOption<Self>] {
    let usual = Self().trainer
    let adam = usual.optimizer
    return [
      TableOption("batch", "Pictures of a step. (default: \(usual.batch))", \.trainer.batch),
      TableOption(
        "micro-batch", "Pictures whose activations are in memory at a time. (default: all of a step)",
        \.trainer.microBatch),
      TableOption(
        "learning-rate", "Learning rate of AdamW. (default: \(adam.learningRate))",
        \.trainer.optimizer.learningRate),
      TableOption(
        "weight-decay", "Weight decay of AdamW. (default: \(adam.weightDecay))",
        \.trainer.optimizer.weightDecay),
      TableOption(
        "warm-up", "Steps over which the learning rate rises. (default: \(usual.warmUpSteps))",
        \.trainer.warmUpSteps),
      TableOption(
        "cosine-steps",
        "Steps after which the learning rate has fallen to 0 along half a cosine. (default: it stays)",
        \.trainer.cosineSteps),
      TableOption(
        "gradient-norm", "Largest norm of all gradients together. (default: no limit)", expected: "number",
        get: { $0.trainer.largestGradientNorm.map { "\($0)" } },
        set: { settings, text in
          guard let norm = Double(text) else { return false }
          settings.trainer.largestGradientNorm = norm
          return true
        }),
      TableOption(
        "ema-rate",
        "Share of the moving average of the weights that is kept in a step. (default: \(usual.average.decay))",
        expected: "0 to below 1", get: { "\($0.trainer.average.decay)" },
        set: { settings, text in
          guard let decay = Double(text), decay >= 0, decay < 1 else { return false }
          settings.trainer.average.decay = decay
          return true
        }),
      TableOption(
        "ema-warm-up",
        "Whether less of the averages of the first steps is kept. (default: \(usual.average.warmsUp))",
        \.trainer.average.warmsUp),
    ]
  }

  /// Rows of networks that can drop numbers and compute blocks twice.
  static func blockRows() -> [TableOption<Self>] {
    [
      TableOption(
        "dropout", "Probability of a number to be dropped in a residual block. (default: 0)",
        expected: "0 to below 1", get: { "\($0.trainer.dropout)" },
        set: { settings, text in
          guard let share = Float(text) else { return false }
          settings.trainer.dropout = share
          return true
        }),
      TableOption(
        "recompute",
        "Whether the inside of residual blocks is computed twice, for less memory. (default: false)",
        isRecorded: false, \.trainer.recomputesBlocks),
    ]
  }
}
