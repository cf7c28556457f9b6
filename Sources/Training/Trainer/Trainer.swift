import Base
import Checkpoints
import Layers
import TensorCore

/// Trains a network: micro-batches, gradients, limited norm, Adam, moving averages (`train_util.py` of guided-diffusion).
public struct Trainer<Goal: Objective>: Sendable {
  public var objective: Goal
  public let options: TrainerOptions
  public private(set) var state: TrainingState
  private let communicator: any Communicator

  /// - Throws: `DataError` when the options or the steps done cannot be, or the parameters are not those of the network.
  public init(
    objective: Goal, options: TrainerOptions, state: TrainingState,
    communicator: any Communicator = SingleProcess()
  ) throws(DataError) {
    try options.validate()
    guard TrainingState.steps.contains(state.step) else {
      throw DataError(
        .invalidArgument, file: "training state", item: "steps done", expected: "\(TrainingState.steps)",
        found: "\(state.step)")
    }
    self.objective = objective
    self.options = options
    self.state = state
    self.communicator = communicator
    _ = try objective.model(state.parameters)
  }

  /// Goes on from a state that was written before.
  /// - Parameters:
  ///   - objective: as it was before the first step
  ///   - options: how it is trained
  ///   - path: a file that `write` made
  /// - Throws: `DataError` as the other form, and as `TrainingState(contentsOf:shapes:memory:)`.
  public init(
    objective: Goal, options: TrainerOptions, contentsOf path: String
  ) throws(DataError) {
    var objective = objective
    let state = try TrainingState(
      contentsOf: path, shapes: objective.parameterShapes()
    ) { (reader) throws(DataError) in try objective.restore(from: reader) }
    try self.init(objective: objective, options: options, state: state)
  }

  /// Writes all that it takes to go on. The file appears under its name only when it is complete.
  /// - Parameters:
  ///   - path: the file to write, `.safetensors`
  ///   - metadata: more to write beside it
  /// - Throws: `DataError` when it cannot be written.
  public func write(to path: String, metadata: [String: String] = [:]) throws(DataError) {
    try state.write(to: path, memory: objective.memory, metadata: metadata)
  }

  /// The network with the averaged weights.
  public var averagedModel: Goal.Model {
    // The names and shapes were those of the network when the trainer was made.
    try! objective.model(state.averages)
  }

  /// Generator of a step.
  private var stepRandom: Philox {
    Philox(seed: options.seed).split(.trainingSteps).split(UInt64(state.step))
  }

  /// One step over a batch.
  /// - Throws: `DataError` of kind `.diverged` for a loss or gradient that is not finite, or when an item cannot be read or
  ///   a process is gone; the state stays as it was.
  public mutating func step() throws(DataError) -> TrainingReport {
    let batch = try objective.batch(options.batch, step: state.step, random: stepRandom)
    var sum = LossSum()
    var gradients = gradients(on: batch, into: &sum)
    try communicator.sum(&gradients)
    let norm = squaredNorm(gradients).squareRoot()
    let loss = sum.loss / Double(options.batch)
    guard loss.isFinite, norm.isFinite else {
      throw DataError(
        .diverged, file: "training", item: "step \(state.step + 1)",
        expected: "a finite loss and gradient", found: "loss \(loss), gradient norm \(norm)")
    }
    update(gradients, norm: norm)
    objective.note(losses: sum.losses, of: batch)
    return TrainingReport(
      step: state.step, loss: loss, terms: sum.terms.mapValues { $0 / Double(options.batch) },
      gradientNorm: norm)
  }

  private struct LossSum {
    var loss = 0.0
    var losses: [Float] = []
    var terms: [String: Double] = [:]

    mutating func add(_ part: TrainingLoss) {
      losses += part.losses
      loss += part.losses.reduce(0) { $0 + Double($1) }
      terms.merge(part.terms, uniquingKeysWith: +)
    }
  }

  /// Gradients of the mean of the weighted losses of a step. The network is released before the weights change, so that
  /// they can be changed in place.
  private func gradients(on batch: Goal.Batch, into sum: inout LossSum) -> [Tensor] {
    let model = try! objective.model(state.parameters)
    let size = options.microBatch ?? options.batch
    var gradients: [Tensor] = []
    for (number, start) in stride(from: 0, to: options.batch, by: size).enumerated() {
      let part = batch.part(start..<min(options.batch, start + size))
      let found = self.gradients(of: model, on: part, number: number, into: &sum)
      if gradients.isEmpty {
        gradients = found
      } else {
        for index in gradients.indices { gradients[index].add(found[index]) }
      }
    }
    return gradients
  }

  private func gradients(
    of model: Goal.Model, on batch: Goal.Batch, number: Int, into sum: inout LossSum
  ) -> [Tensor] {
    let tape = Tape(random: stepRandom.split(UInt64(1 + options.batch + number)))
    let loss = objective.loss(
      of: model, on: batch,
      pass: TrainingPass(tape: tape, dropout: options.dropout, recomputesBlocks: options.recomputesBlocks))
    sum.add(loss)
    let scales = loss.weights.map { $0 / Float(options.batch) }
    let gradients = tape.gradients(at: loss.output, loss.outputGradient.scalingSamples(by: scales))
    return state.parameters.map { parameter in
      guard let gradient = gradients[parameter.tensor] else {
        preconditionFailure(
          "no gradient reached the parameter \(parameter.name) \(parameter.tensor.shape): it is not used, or a layer "
            + "holds a copy of it")
      }
      return gradient
    }
  }

  private mutating func update(_ gradients: [Tensor], norm: Double) {
    var optimizer = options.optimizer
    optimizer.learningRate = options.learningRate(step: state.step)
    var scale: Float = 1
    if let largest = options.largestGradientNorm, norm > largest { scale = Float(largest / (norm + 1e-6)) }
    for index in gradients.indices {
      optimizer.weightDecay = decays(state.parameters[index]) ? options.optimizer.weightDecay : 0
      let gradient = scale == 1 ? gradients[index] : gradients[index] * scale
      optimizer.update(
        &state.parameters[index].tensor, gradient: gradient, moments: &state.moments[index])
      options.average.update(
        &state.averages[index].tensor, with: state.parameters[index].tensor, number: state.step)
    }
    state.step += 1
  }

  private func decays(_ parameter: NamedTensor) -> Bool {
    objective.decays(parameter.name, shape: parameter.tensor.shape)
  }
}
