import DiffusionSegmentation
import Foundation
import Workloads

/// Reading every number of a checkpoint.
struct ReadingWork: PreparedWork {
  private struct Inputs: Decodable { var checkpoint: String }
  private let reading: CheckpointReading

  init(inputs: Data) throws {
    reading = CheckpointReading(path: try JSONDecoder().decode(Inputs.self, from: inputs).checkpoint)
  }

  /// The sum of each tensor, in the order of their names.
  func writeOutput(to folder: String) throws {
    let sums = try reading().sorted { $0.name < $1.name }.map(\.sum)
    try NpyFile.write(NumericArray(sums, shape: [sums.count]), to: "\(folder)/output.npy")
  }

  func run(iterations: Int) throws -> [Double] { try time(iterations: iterations) { try reading() } }
}

/// A network made from its checkpoint. For comparison, its forward of a small picture.
struct LoadingWork: PreparedWork {
  private struct Inputs: Decodable {
    var checkpoint: String
    /// `[N, 3, H, W]`
    var x: String
    var timesteps: [Float]
  }
  private let inputs: Inputs

  init(inputs: Data) throws { self.inputs = try JSONDecoder().decode(Inputs.self, from: inputs) }

  private func load() throws(DataError) -> DiffusionBackbone {
    try DiffusionBackbone(checkpoint: inputs.checkpoint)
  }

  func writeOutput(to folder: String) throws {
    let forward = Forward(
      network: try load().network, x: try Tensor(npy: inputs.x), timesteps: inputs.timesteps)
    try forward().write(npy: "\(folder)/output.npy")
  }

  func run(iterations: Int) throws -> [Double] { try time(iterations: iterations) { try load() } }
}

/// A matrix product.
struct ProductWork: PreparedWork {
  private struct Inputs: Decodable {
    /// `[m, k]`
    var x: String
    /// `[n, k]`
    var weight: String
  }
  private let product: MatrixProduct

  init(inputs: Data) throws {
    let inputs = try JSONDecoder().decode(Inputs.self, from: inputs)
    product = MatrixProduct(x: try Tensor(npy: inputs.x), weight: try Tensor(npy: inputs.weight))
  }

  func writeOutput(to folder: String) throws { try product().write(npy: "\(folder)/output.npy") }

  func run(iterations: Int) -> [Double] { time(iterations: iterations) { product() } }
}
