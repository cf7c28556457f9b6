import Base
import Checkpoints
import TensorCore
import Training

/// A diffusion model in training at one moment: its network, and the losses that the choice of timesteps remembers.
@dynamicMemberLookup
public struct DiffusionTrainingState: Sendable {
  public var network: TrainingState
  /// Losses that the choice of timesteps remembers.
  public var timesteps: TimestepSampler

  init(network: TrainingState, timesteps: TimestepSampler) {
    self.network = network
    self.timesteps = timesteps
  }

  public subscript<Value>(dynamicMember path: WritableKeyPath<TrainingState, Value>) -> Value {
    get { network[keyPath: path] }
    set { network[keyPath: path] = newValue }
  }

  /// Before the first step.
  /// - Throws: `DataError` when the configuration cannot be.
  public init(
    _ configuration: UNetConfiguration, options: DiffusionTrainingOptions, diffusionSteps: Int
  ) throws(DataError) {
    let random = Philox(seed: options.seed).split(.initialWeights)
    let parameters = try UNet.initialParameters(configuration, random: random)
    self.init(parameters: parameters, options: options, diffusionSteps: diffusionSteps)
  }

  /// Weights from elsewhere, before the first step.
  public init(parameters: [NamedTensor], options: DiffusionTrainingOptions, diffusionSteps: Int) {
    network = TrainingState(parameters: parameters)
    timesteps = TimestepSampler(options.timesteps, steps: diffusionSteps)
  }

  /// Writes all of it. The file appears under its name only when it is complete.
  /// - Parameters:
  ///   - path: the file to write, `.safetensors`
  ///   - metadata: more to write beside it
  /// - Throws: `DataError` when it cannot be written.
  public func write(to path: String, metadata: [String: String] = [:]) throws(DataError) {
    try network.write(to: path, memory: timesteps.memory, metadata: metadata)
  }

  /// Reads a state that was written before.
  /// - Parameters:
  ///   - path: the file
  ///   - shapes: names and shapes of the network's parameters
  ///   - options: of the training; the losses by time step are read where they decide which steps are drawn
  ///   - diffusionSteps: T, the number of steps of the process
  /// - Throws: `DataError` as `TrainingState(contentsOf:shapes:memory:)`.
  public init(
    contentsOf path: String, shapes: [(name: String, shape: [Int])], options: DiffusionTrainingOptions,
    diffusionSteps: Int
  ) throws(DataError) {
    var timesteps = TimestepSampler(options.timesteps, steps: diffusionSteps)
    network = try TrainingState(contentsOf: path, shapes: shapes) { (reader) throws(DataError) in
      if options.timesteps == .lossSecondMoment {
        timesteps = try TimestepSampler(options.timesteps, steps: diffusionSteps, from: reader)
      }
    }
    self.timesteps = timesteps
  }
}

extension TimestepSampler {
  /// Losses by step, and how many there are.
  fileprivate var memory: [NamedTensor] {
    if history.isEmpty { return [] }
    let length = Self.historyLength
    let losses = history.flatMap { $0 + [Float](repeating: 0, count: length - $0.count) }
    return [
      NamedTensor(name: "timesteps.losses", tensor: Tensor(losses, shape: [steps, length])),
      NamedTensor(
        name: "timesteps.counts", tensor: Tensor(history.map { Float($0.count) }, shape: [steps])),
    ]
  }

  fileprivate init(
    _ sampling: TimestepSampling, steps: Int, from reader: StateReader
  ) throws(DataError) {
    let length = Self.historyLength
    let lossTensor = try reader.tensor(
      "timesteps.losses", shape: [steps, length], "finite numbers", \.isFinite)
    let countTensor = try reader.tensor(
      "timesteps.counts", shape: [steps], "whole numbers from 0 to \(length)"
    ) { $0 >= 0 && $0 <= Float(length) && $0 == $0.rounded() }
    try reader.finish()
    let (losses, counts) = (lossTensor.elements, countTensor.elements)
    self.init(
      sampling, steps: steps,
      history: counts.enumerated().map { step, count in
        Array(losses[step * length..<step * length + Int(count)])
      })
  }
}
