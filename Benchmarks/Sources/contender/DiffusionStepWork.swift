import Base
import Checkpoints
import DiffusionSegmentation
import Foundation
import TensorCore
import Training
import Workloads

/// Training steps of a diffusion model.
///
/// For comparison it begins again from the checkpoint and does a few steps.
struct DiffusionStepWork: PreparedWork {
  private struct Inputs: Decodable {
    var network: String
    var checkpoint: String
    /// A batch, `[N, 3, H, W]` in [-1, 1].
    var pictures: String
    var learningRate: Double
    var gradientNorm: Double
    var averageDecay: Double
    /// How many steps are compared.
    var comparedSteps: Int

    func training() throws -> DiffusionTraining {
      guard let network = Network(rawValue: network) else {
        throw DataError(
          .invalidArgument, file: "network", expected: "\(Network.allCases)", found: self.network)
      }
      let state = try StateDictionary(contentsOf: checkpoint)
      return try DiffusionTraining(
        network, parameters: state.tensors.map { NamedTensor(name: $0.name, tensor: $0.array.tensor()) },
        pictures: Tensor(npy: pictures), learningRate: learningRate, largestGradientNorm: gradientNorm,
        averageDecay: averageDecay)
    }
  }
  private let inputs: Inputs
  private var training: DiffusionTraining

  init(inputs: Data) throws {
    self.inputs = try JSONDecoder().decode(Inputs.self, from: inputs)
    training = try self.inputs.training()
  }

  func run(iterations: Int) throws -> [Double] {
    try (0..<iterations).map { _ in
      let start = ContinuousClock.now
      _ = try training.step()
      return (ContinuousClock.now - start) / .seconds(1)
    }
  }

  /// The weights before and after, `initial.safetensors` and `trained.safetensors`; their averages after,
  /// `averages.safetensors`; the gradients of the first step, `gradients.safetensors`; the loss and the gradient's
  /// norm of each step, `losses.npy` and `norms.npy`; what was drawn for each step, `batches.safetensors`.
  mutating func writeOutput(to folder: String) throws {
    training = try inputs.training()
    try write(training.trainer.state.parameters, to: "\(folder)/initial.safetensors")
    var reports: [TrainingReport] = []
    var batches = SafetensorsWriter()
    for step in 0..<inputs.comparedSteps {
      let batch = training.batch(ofStep: step)
      batches.append("xStart.\(step)", batch.xStart)
      batches.append("noise.\(step)", batch.noise)
      batches.append("t.\(step)", Tensor(batch.t.map { Float($0) }, shape: [batch.t.count]))
      reports.append(try training.step())
      if step == 0 { try write(training.gradientsOfFirstStep, to: "\(folder)/gradients.safetensors") }
    }
    try batches.write(to: "\(folder)/batches.safetensors")
    for (name, numbers) in [("losses", reports.map(\.loss)), ("norms", reports.map(\.gradientNorm))] {
      try NpyFile.write(NumericArray(numbers, shape: [numbers.count]), to: "\(folder)/\(name).npy")
    }
    try write(training.trainer.state.parameters, to: "\(folder)/trained.safetensors")
    try write(training.trainer.state.averages, to: "\(folder)/averages.safetensors")
  }

  private func write(_ tensors: [NamedTensor], to path: String) throws(DataError) {
    var writer = SafetensorsWriter()
    for tensor in tensors { writer.append(tensor.name, tensor.tensor) }
    try writer.write(to: path)
  }
}
