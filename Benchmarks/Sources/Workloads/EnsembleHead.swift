import Base
import DiffusionSegmentation
import Features
import PixelClassifier

/// Labels and uncertainty of a picture whose features are there.
public struct EnsembleHead: Sendable {
  public let ensemble: PixelEnsemble
  public let features: FeatureMaps

  public init(ensemble: PixelEnsemble, features: FeatureMaps) {
    self.ensemble = ensemble
    self.features = features
  }

  /// Random members (8448 → 128 → 32 → 21) on 65,536 random pixels.
  public init(members: Int, seed: UInt64 = 1) throws(DataError) {
    let features = randomFeatures(seed: seed)
    self.init(
      ensemble: try randomEnsemble(members: members, features: features.channels, classes: 21, seed: seed),
      features: features)
  }

  public func callAsFunction() throws(DataError) -> PixelPrediction { try ensemble.predict(features) }
}
