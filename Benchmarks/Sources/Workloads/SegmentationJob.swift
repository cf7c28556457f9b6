import Base
import DiffusionCore
import DiffusionSegmentation
import Features
import PixelClassifier
import TensorCore

/// The whole work for one picture: noise, network, features, ensemble, labels and uncertainty.
public struct SegmentationJob: Sendable {
  public let features: DiffusionFeatures
  public let ensemble: PixelEnsemble
  /// `[3, H, W]` in [-1, 1]
  public let picture: Tensor

  public init(features: DiffusionFeatures, ensemble: PixelEnsemble, picture: Tensor) {
    self.features = features
    self.ensemble = ensemble
    self.picture = picture
  }

  public func callAsFunction() throws(DataError) -> PixelPrediction {
    try ensemble.predict(extract())
  }

  /// The first part of it.
  public func extract() throws(DataError) -> FeatureMaps { try features.extract(picture) }
}

extension SegmentationJob {
  /// The published settings: three steps, five blocks, ten members, 21 classes.
  /// - Parameter side: of the picture, in pixels
  public init(_ backbone: DiffusionBackbone, side: Int, seed: UInt64 = 1) throws(DataError) {
    let features = DiffusionFeatures(backbone, steps: lsunSteps, blocks: lsunBlocks)
    var random = Philox(seed: seed).split(2)
    let noise = random.normal(shape: [3, side, side])
    self.init(
      features: features,
      ensemble: try randomEnsemble(members: 10, features: features.channels, classes: 21, seed: seed),
      picture: Tensor(noise.elements.map { min(max($0 / 2, -1), 1) }, shape: noise.shape))
  }
}

/// Steps and blocks of the published experiments: 8448 features a pixel.
public let lsunSteps = [50, 150, 250]
public let lsunBlocks = [5, 6, 7, 8, 12]
