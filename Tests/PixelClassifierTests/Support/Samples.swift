import Features
import PixelClassifier
import TensorCore
import TestSupport

/// Random feature maps of a picture: two steps, maps of the given channels, heights and widths.
func randomFeatures(
  height: Int, width: Int, maps: [[Int]], seed: UInt64 = 0, precision: FeaturePrecision = .float
) -> FeatureMaps {
  var random = Philox(seed: seed)
  return FeatureMaps(
    maps: [50, 250].flatMap { step in
      maps.enumerated().map { block, shape in
        FeatureMap(
          FeatureKey("step\(step)/block\(block)", order: step + block),
          activation: channelsLast(random.normal(shape: shape)), precision: precision)
      }
    }, height: height, width: width)
}

/// A classifier whose every parameter is random, batch norms included.
func randomClassifier(features: Int, classes: Int, seed: UInt64) -> PixelMLP {
  var random = Philox(seed: seed)
  func norm(_ channels: Int) -> BatchNorm1dState {
    BatchNorm1dState(
      weight: random.normal(shape: [channels]), bias: random.normal(shape: [channels]),
      runningMean: random.normal(shape: [channels]),
      runningVariance: Tensor((0..<channels).map { _ in random.uniform() + 0.5 }, shape: [channels]))
  }
  var classifier = PixelMLP(featureCount: features, classCount: classes, random: random.split(1))
  let widths = classifier.hiddenWidths
  classifier.linear0.weight = random.normal(shape: [widths.first, features]) * 0.2
  classifier.linear0.bias = random.normal(shape: [widths.first])
  classifier.norm2 = norm(widths.first)
  classifier.linear3.weight = random.normal(shape: [widths.second, widths.first]) * 0.1
  classifier.linear3.bias = random.normal(shape: [widths.second])
  classifier.norm5 = norm(widths.second)
  classifier.linear6.weight = random.normal(shape: [classes, widths.second]) * 0.3
  classifier.linear6.bias = random.normal(shape: [classes])
  return classifier
}

/// Two pictures whose classes can be told from their features: in one map the channel of a pixel's class is
/// raised. Every fourth column is not labelled.
func separablePictures(height: Int = 24, width: Int = 20, classes: Int = 3) -> [LabelledFeatures] {
  (0..<2).map { index in
    var random = Philox(seed: UInt64(100 + index))
    var activation = random.normal(shape: [classes + 2, height, width]) * 0.3
    var labels: [UInt8] = []
    for row in 0..<height {
      for column in 0..<width {
        let label = (row / 6 + column / 5 + index) % classes
        activation[label, row, column] += 2
        labels.append(column % 4 == 3 ? 255 : UInt8(label))
      }
    }
    let coarse = random.normal(shape: [3, height / 4, width / 4])
    return LabelledFeatures(
      name: "picture \(index)",
      features: FeatureMaps(
        maps: [
          FeatureMap(FeatureKey("step50/block1", order: 1), activation: channelsLast(coarse)),
          FeatureMap(FeatureKey("step50/block2", order: 2), activation: channelsLast(activation)),
        ], height: height, width: width), labels: labels)
  }
}
