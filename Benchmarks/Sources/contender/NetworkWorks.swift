import DiffusionSegmentation
import Foundation
import Workloads

/// A forward of a network from a checkpoint.
struct ForwardWork: PreparedWork {
  private struct Inputs: Decodable {
    var checkpoint: String
    /// `[N, 3, H, W]`
    var x: String
    var timesteps: [Float]
  }
  private let forward: Forward

  init(inputs: Data) throws {
    let inputs = try JSONDecoder().decode(Inputs.self, from: inputs)
    let x = try Tensor(npy: inputs.x)
    let options = BackboneOptions(imageSize: x.shape[2])
    forward = Forward(
      network: try DiffusionBackbone(checkpoint: inputs.checkpoint, options: options).network, x: x,
      timesteps: inputs.timesteps)
  }

  func writeOutput(to folder: String) throws { try forward().write(npy: "\(folder)/output.npy") }

  func run(iterations: Int) -> [Double] { time(iterations: iterations) { forward() } }
}

/// One picture from pixels to labels and uncertainty.
struct JobWork: PreparedWork {
  private struct Inputs: Decodable {
    var checkpoint: String
    var ensemble: String
    var members: Int
    /// `[3, H, W]` in [-1, 1]
    var picture: String
    /// `[3, H, W]`
    var noise: String
    var steps: [Int]
    var blocks: [Int]
  }
  private let job: SegmentationJob

  init(inputs: Data) throws {
    let inputs = try JSONDecoder().decode(Inputs.self, from: inputs)
    let picture = try Tensor(npy: inputs.picture)
    let backbone = try DiffusionBackbone(
      checkpoint: inputs.checkpoint, options: BackboneOptions(imageSize: picture.shape[1]))
    job = SegmentationJob(
      features: DiffusionFeatures(
        backbone, steps: inputs.steps, blocks: inputs.blocks, noise: .fixed(try Tensor(npy: inputs.noise))),
      ensemble: try PixelEnsemble(
        memberCount: inputs.members, weights: WeightScope(StateDictionary(contentsOf: inputs.ensemble))),
      picture: picture)
  }

  func writeOutput(to folder: String) throws { try job().write(to: folder) }

  func run(iterations: Int) throws -> [Double] { try time(iterations: iterations) { try job() } }
}

/// The ensemble's part of it, on random features.
struct HeadWork: PreparedWork {
  private struct Inputs: Decodable { var members: Int }
  private let head: EnsembleHead

  init(inputs: Data) throws {
    head = try EnsembleHead(members: JSONDecoder().decode(Inputs.self, from: inputs).members)
  }

  func writeOutput(to folder: String) throws { try head().write(to: folder) }

  func run(iterations: Int) throws -> [Double] { try time(iterations: iterations) { try head() } }
}

extension PixelPrediction {
  /// `labels.npy` and `uncertainty.npy`, `[H, W]` each.
  fileprivate func write(to folder: String) throws(DataError) {
    try NpyFile.write(NumericArray(labels, shape: [height, width]), to: "\(folder)/labels.npy")
    try NpyFile.write(NumericArray(uncertainty, shape: [height, width]), to: "\(folder)/uncertainty.npy")
  }
}
