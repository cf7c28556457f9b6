import TensorCore

/// What a network is given when it is trained: where to record, and how it differs from evaluation.
public struct TrainingPass {
  public let tape: Tape
  /// Probability of a number to be dropped in a residual block.
  public var dropout: Float
  /// Whether the activations inside residual blocks are computed again in the backward pass, rather than kept.
  public var recomputesBlocks: Bool
  /// Whether the gradient of what the network is given is wanted beside those of its parameters.
  public var wantsInputGradient: Bool

  public init(
    tape: Tape, dropout: Float = 0, recomputesBlocks: Bool = false, wantsInputGradient: Bool = false
  ) {
    self.tape = tape
    self.dropout = dropout
    self.recomputesBlocks = recomputesBlocks
    self.wantsInputGradient = wantsInputGradient
  }

  /// A part of the network that may be computed twice.
  package func block(_ body: @escaping (Tape) -> Tensor) -> Tensor {
    recomputesBlocks ? tape.recomputing(body) : body(tape)
  }
}
