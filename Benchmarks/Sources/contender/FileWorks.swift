import Checkpoints
import DiffusionCore
import DiffusionSegmentation
import Foundation
import TensorCore
import Workloads

/// Reading every number of a checkpoint.
struct ReadingWork: RepeatedWork {
  private struct Inputs: Decodable { var checkpoint: String }
  private let reading: CheckpointReading
  var last: [(name: String, sum: Double)]?

  init(inputs: Data) throws {
    reading = CheckpointReading(path: try JSONDecoder().decode(Inputs.self, from: inputs).checkpoint)
  }

  func runOnce() throws -> [(name: String, sum: Double)] { try reading() }

  /// The sums in the order of the names.
  func write(_ output: [(name: String, sum: Double)], to folder: String) throws {
    let sums = output.sorted { $0.name < $1.name }.map(\.sum)
    try NpyFile.write(NumericArray(sums, shape: [sums.count]), to: "\(folder)/output.npy")
  }
}

/// A network made from its checkpoint and its first forward, of a small picture: weights are brought into the order
/// that convolutions read when they are first needed.
struct LoadingWork: RepeatedWork {
  private struct Inputs: Decodable {
    var checkpoint: String
    /// `[N, 3, H, W]`
    var x: String
    var timesteps: [Float]
  }
  private let inputs: Inputs
  private let x: Tensor
  var last: Tensor?

  init(inputs: Data) throws {
    self.inputs = try JSONDecoder().decode(Inputs.self, from: inputs)
    x = try Tensor(npy: self.inputs.x)
  }

  func runOnce() throws -> Tensor {
    let backbone = try DiffusionBackbone(checkpoint: inputs.checkpoint)
    return Forward(network: backbone.network, x: x, timesteps: inputs.timesteps)()
  }

  func write(_ output: Tensor, to folder: String) throws { try output.write(npy: "\(folder)/output.npy") }
}

/// A matrix product.
struct ProductWork: RepeatedWork {
  private struct Inputs: Decodable {
    /// `[m, k]`
    var x: String
    /// `[n, k]`
    var weight: String
  }
  private let product: MatrixProduct
  var last: Tensor?

  init(inputs: Data) throws {
    let inputs = try JSONDecoder().decode(Inputs.self, from: inputs)
    product = MatrixProduct(x: try Tensor(npy: inputs.x), weight: try Tensor(npy: inputs.weight))
  }

  func runOnce() -> Tensor { product() }

  func write(_ output: Tensor, to folder: String) throws { try output.write(npy: "\(folder)/output.npy") }
}
