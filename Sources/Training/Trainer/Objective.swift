import Base
import Checkpoints
import Layers
import TensorCore

/// What a network is trained for: draws batches and says how far off the network is on them.
public protocol Objective: Sendable {
  /// The network in training.
  associatedtype Model: Sendable
  associatedtype Batch: TrainingBatch

  /// Names and shapes of the network's parameters, in their order.
  /// - Throws: `DataError` when there can be no such network.
  func parameterShapes() throws(DataError) -> [(name: String, shape: [Int])]

  /// Whether the optimizer's decay holds for a parameter.
  /// - Parameters:
  ///   - name: of the parameter
  ///   - shape: of the parameter
  func decays(_ name: String, shape: [Int]) -> Bool

  /// The network with these parameters.
  /// - Throws: `DataError` when their names or shapes are not those of the network.
  func model(_ parameters: [NamedTensor]) throws(DataError) -> Model

  /// Draws what one step sees. The same step and generator give the same batch.
  /// - Parameters:
  ///   - count: items
  ///   - step: steps done before
  ///   - random: of this step; its splits from `1 + count` on belong to the trainer
  /// - Throws: `DataError` when an item cannot be read.
  mutating func batch(_ count: Int, step: Int, random: Philox) throws(DataError) -> Batch

  /// The losses of some items, with what their gradients need on the tape of the pass.
  func loss(of model: Model, on batch: Batch, pass: TrainingPass) -> TrainingLoss

  /// Tells the losses of a step, before weights, after it was made.
  mutating func note(losses: [Float], of batch: Batch)

  /// What a training needs to go on, beside the network.
  var memory: [NamedTensor] { get }

  /// Takes over what an objective of the same kind remembered.
  /// - Throws: `DataError` when it is missing from the file or cannot be.
  mutating func restore(from reader: StateReader) throws(DataError)
}

extension Objective {
  public func decays(_ name: String, shape: [Int]) -> Bool { true }
  public mutating func note(losses: [Float], of batch: Batch) {}
  public var memory: [NamedTensor] { [] }
  public mutating func restore(from reader: StateReader) throws(DataError) {}
}

/// Items that a step sees together.
public protocol TrainingBatch: Sendable {
  /// Some of the items.
  func part(_ range: Range<Int>) -> Self
}

/// The losses of some items and where their gradients begin.
public struct TrainingLoss {
  /// The tensor of the forward pass that the losses were computed from, its first dimension the items.
  public var output: Tensor
  /// Gradient at `output` of each item's loss, before weights.
  public var outputGradient: Tensor
  /// Loss of each item, before weights.
  public var losses: [Float]
  /// Weight of each item's loss.
  public var weights: [Float]
  /// Parts of the loss by name, summed over the items.
  public var terms: [String: Double]

  public init(
    output: Tensor, outputGradient: Tensor, losses: [Float], weights: [Float], terms: [String: Double] = [:]
  ) {
    self.output = output
    self.outputGradient = outputGradient
    self.losses = losses
    self.weights = weights
    self.terms = terms
  }
}
