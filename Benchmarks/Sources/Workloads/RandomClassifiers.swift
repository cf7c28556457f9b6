import Base
import DiffusionSegmentation
import Features
import PixelClassifier
import TensorCore

/// An ensemble of random classifiers whose batch norms have seen something, unlike new ones.
public func randomEnsemble(
  members: Int, features: Int, classes: Int, seed: UInt64 = 1
) throws(DataError) -> PixelEnsemble {
  try PixelEnsemble(
    (0..<members).map { index in
      let random = Philox(seed: seed).split(UInt64(index))
      var member = PixelMLP(featureCount: features, classCount: classes, random: random.split(0))
      let widths = member.hiddenWidths
      member.norm2 = randomNorm(channels: widths.first, random: random.split(1))
      member.norm5 = randomNorm(channels: widths.second, random: random.split(2))
      return member
    })
}

private func randomNorm(channels: Int, random: Philox) -> BatchNorm1dState {
  func around(_ middle: Float, stream: UInt64) -> Tensor {
    var random = random.split(stream)
    return random.normal(shape: [channels]) * 0.1 + Tensor(repeating: middle, shape: [channels])
  }
  return BatchNorm1dState(
    weight: around(1, stream: 0), bias: around(0, stream: 1), runningMean: around(0.5, stream: 2),
    runningVariance: around(1, stream: 3))
}

/// Random feature maps of a picture of 256 × 256 pixels, with the sizes of the published experiments.
public func randomFeatures(seed: UInt64 = 1) -> FeatureMaps {
  let cost = Network.lsun256.configuration.cost(height: 256, width: 256)
  var maps: [FeatureMap] = []
  for step in lsunSteps {
    for block in lsunBlocks.map({ cost.outputBlocks[$0] }) {
      var random = Philox(seed: seed).split(UInt64(step)).split(UInt64(block.index))
      maps.append(
        FeatureMap(
          FeatureKey("step\(step)/block\(block.index)", order: maps.count),
          activation: random.normal(shape: [1, block.height, block.width, block.channels])))
    }
  }
  return FeatureMaps(maps: maps, height: 256, width: 256)
}
