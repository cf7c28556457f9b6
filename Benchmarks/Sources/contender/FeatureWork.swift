import Backbones
import Base
import Checkpoints
import DiffusionSegmentation
import Features
import Foundation
import TensorCore

/// The features of a picture by a model of any kind.
struct FeatureWork: RepeatedWork {
  private struct Inputs: Decodable {
    var checkpoint: String
    /// `[3, H, W]`, normalised
    var picture: String
    /// As `dseg` takes them after `-b`.
    var settings: [String: String]?
  }
  private let features: any PixelFeatures
  private let picture: Tensor
  var last: FeatureMaps?

  init(inputs: Data) throws {
    let inputs = try JSONDecoder().decode(Inputs.self, from: inputs)
    features = try BackboneRegistry.standard.features(
      of: Checkpoint(contentsOf: inputs.checkpoint), settings: inputs.settings ?? [:])
    picture = try Tensor(npy: inputs.picture)
  }

  func runOnce() throws -> FeatureMaps { try features.extract(picture) }

  /// All maps one after the other, `[C, h, w]` each.
  func write(_ output: FeatureMaps, to folder: String) throws {
    let values = output.maps.flatMap { $0.tensor.elements }
    try Tensor(values, shape: [values.count]).write(npy: "\(folder)/output.npy")
  }
}
