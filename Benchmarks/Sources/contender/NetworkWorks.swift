import Base
import Checkpoints
import DiffusionCore
import DiffusionSegmentation
import Foundation
import PixelClassifier
import TensorCore
import Workloads

/// A forward of a network from a checkpoint.
struct ForwardWork: RepeatedWork {
  private struct Inputs: Decodable {
    var checkpoint: String
    /// `[N, 3, H, W]`
    var x: String
    var timesteps: [Float]
  }
  private let forward: Forward
  var last: Tensor?

  init(inputs: Data) throws {
    let inputs = try JSONDecoder().decode(Inputs.self, from: inputs)
    let x = try Tensor(npy: inputs.x)
    let options = DiffusionOptions(imageSize: x.shape[2])
    forward = Forward(
      network: try DiffusionBackbone(checkpoint: inputs.checkpoint, options: options).network, x: x,
      timesteps: inputs.timesteps)
  }

  func runOnce() -> Tensor { forward() }

  func write(_ output: Tensor, to folder: String) throws { try output.write(npy: "\(folder)/output.npy") }
}

/// One picture from pixels to labels and uncertainty.
struct JobWork: RepeatedWork {
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
  var last: PixelPrediction?

  init(inputs: Data) throws {
    let inputs = try JSONDecoder().decode(Inputs.self, from: inputs)
    let picture = try Tensor(npy: inputs.picture)
    let backbone = try DiffusionBackbone(
      checkpoint: inputs.checkpoint, options: DiffusionOptions(imageSize: picture.shape[1]))
    job = SegmentationJob(
      features: DiffusionFeatures(
        backbone, steps: inputs.steps, blocks: inputs.blocks, noise: .fixed(try Tensor(npy: inputs.noise))),
      ensemble: try PixelEnsemble(
        memberCount: inputs.members, weights: WeightScope(StateDictionary(contentsOf: inputs.ensemble))),
      picture: picture)
  }

  func runOnce() throws -> PixelPrediction { try job() }

  func write(_ output: PixelPrediction, to folder: String) throws { try output.write(to: folder) }
}

/// The ensemble's part of it, on random features.
struct HeadWork: RepeatedWork {
  private struct Inputs: Decodable { var members: Int }
  private let head: EnsembleHead
  var last: PixelPrediction?

  init(inputs: Data) throws {
    head = try EnsembleHead(members: JSONDecoder().decode(Inputs.self, from: inputs).members)
  }

  func runOnce() throws -> PixelPrediction { try head() }

  func write(_ output: PixelPrediction, to folder: String) throws { try output.write(to: folder) }
}

extension PixelPrediction {
  /// `labels.npy` and `uncertainty.npy`, `[H, W]` each.
  fileprivate func write(to folder: String) throws(DataError) {
    try NpyFile.write(NumericArray(labels, shape: [height, width]), to: "\(folder)/labels.npy")
    try NpyFile.write(NumericArray(uncertainty, shape: [height, width]), to: "\(folder)/uncertainty.npy")
  }
}
