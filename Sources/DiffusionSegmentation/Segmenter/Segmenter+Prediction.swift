import Augment
import Base
import Features
import Foundation
import Images
import PixelClassifier
import TensorCore

/// The features of a picture, and of the changed versions that are segmented beside it.
package struct ViewedPicture: Sendable {
  /// How the picture and its versions are brought to the network.
  package var geometry: FittedGeometry
  /// Features of the picture as it is.
  package var features: FeatureMaps
  package var versions: [(replay: TestTimeReplay, features: FeatureMaps)]

  package init(
    geometry: FittedGeometry, features: FeatureMaps,
    versions: [(replay: TestTimeReplay, features: FeatureMaps)]
  ) {
    self.geometry = geometry
    self.features = features
    self.versions = versions
  }
}

extension Segmenter {
  /// Labels a picture.
  /// - Parameters:
  ///   - image: of any size that the model takes
  ///   - name: the picture's file, for messages; the random changes of test-time augmentation depend on it, and the
  ///     noise where every picture has its own, both without its folder
  ///   - withProbabilities: whether the averaged probabilities are wanted too
  /// - Throws: `DataError` when the picture is of a size that cannot be used.
  public func segment(
    _ image: Image, name: String = "picture", withProbabilities: Bool = false
  ) throws(DataError) -> Segmentation {
    try segment(view(image, name: name), withProbabilities: withProbabilities)
  }

  /// The features that `segment` needs, for several segmenters that differ in their members.
  package func view(_ image: Image, name: String) throws(DataError) -> ViewedPicture {
    let geometry = try features.geometry(for: image, fit: fit, precision: featurePrecision, name: name)
    return ViewedPicture(
      geometry: geometry,
      features: try features.extract(image, by: geometry, precision: featurePrecision, name: name),
      versions: try versions(of: image, geometry: geometry, name: name))
  }

  /// The changed versions of a picture that are segmented beside it.
  package func versions(
    of image: Image, geometry: FittedGeometry, name: String
  ) throws(DataError) -> [(replay: TestTimeReplay, features: FeatureMaps)] {
    guard let set = prediction.testTime else { return [] }
    let context = AugmentationContext(
      width: image.width, height: image.height, ignoreLabel: classes.ignoreLabel, flipPairs: classes.flipPairs
    )
    var versions: [(replay: TestTimeReplay, features: FeatureMaps)] = []
    for replay in set.replays(context, seed: prediction.seed, name: (name as NSString).lastPathComponent) {
      let changed = replay.replay.apply(to: image)
      versions.append(
        (replay, try features.extract(changed, by: geometry, precision: featurePrecision, name: name)))
    }
    return versions
  }

  /// Labels a picture whose features are known.
  package func segment(
    _ viewed: ViewedPicture, withProbabilities: Bool = false
  ) throws(DataError) -> Segmentation {
    let geometry = viewed.geometry
    let averages = prediction.combination == .mean && !viewed.versions.isEmpty
    let plain = try ensemble.predict(viewed.features, withProbabilities: withProbabilities || averages)
    let uncertainty = geometry.cropToContent(plain.uncertainty)
    var labels = LabelMask(
      width: geometry.contentWidth, height: geometry.contentHeight,
      labels: geometry.cropToContent(plain.labels))
    var probabilities = plain.probabilities.map { geometry.cropToContent($0) }
    if averages {
      probabilities = try averaged(probabilities!, viewed)
      labels = likeliest(probabilities!)
    } else if !viewed.versions.isEmpty {
      labels = try voted(labels, viewed)
    }
    labels = prediction.postProcessing.apply(to: labels)
    return Segmentation(
      labels: geometry.restore(labels, ignoreLabel: classes.ignoreLabel),
      uncertainty: geometry.restore(uncertainty, outside: 0),
      probabilities: withProbabilities ? probabilities : nil, labelsAtModelSize: labels,
      imageUncertainty: imageUncertaintyScore(uncertainty), geometry: geometry)
  }

  /// A vote of the versions, the picture itself first.
  private func voted(_ labels: LabelMask, _ viewed: ViewedPicture) throws(DataError) -> LabelMask {
    // A label that is no class: the label to ignore may be one.
    let nothing = UInt8.max
    var votes = [labels]
    for (replay, features) in viewed.versions {
      let found = viewed.geometry.cropToContent(try ensemble.predict(features).labels)
      let table = replay.labelTable
      votes.append(
        LabelMask(
          width: labels.width, height: labels.height,
          labels: replay.sources(in: viewed.geometry).map { $0.map { table[Int(found[$0])] } ?? nothing }))
    }
    return orderedVote(votes, ignoreLabel: nothing)
  }

  /// Probabilities averaged over the versions that say something about a pixel, `[K, height, width]`.
  private func averaged(_ plain: Tensor, _ viewed: ViewedPicture) throws(DataError) -> Tensor {
    let pixels = plain.shape[1] * plain.shape[2]
    var counts = [Float](repeating: 1, count: pixels)
    var sums = plain.elements
    for (replay, features) in viewed.versions {
      let prediction = try ensemble.predict(features, withProbabilities: true)
      let found = viewed.geometry.cropToContent(prediction.probabilities!).elements
      let table = replay.labelTable
      for (pixel, source) in replay.sources(in: viewed.geometry).enumerated() {
        guard let source else { continue }
        counts[pixel] += 1
        for label in 0..<classes.count {
          sums[Int(table[label]) * pixels + pixel] += found[label * pixels + source]
        }
      }
    }
    for index in sums.indices { sums[index] /= counts[index % pixels] }
    return Tensor(sums, shape: plain.shape)
  }

  /// The class of the largest probability, the first of equals.
  private func likeliest(_ probabilities: Tensor) -> LabelMask {
    let (height, width) = (probabilities.shape[1], probabilities.shape[2])
    let planes = probabilities.elements
    var best = [Float](repeating: -.infinity, count: height * width)
    var labels = [UInt8](repeating: 0, count: height * width)
    for label in 0..<classes.count {
      for pixel in best.indices where planes[label * height * width + pixel] > best[pixel] {
        best[pixel] = planes[label * height * width + pixel]
        labels[pixel] = UInt8(label)
      }
    }
    return LabelMask(width: width, height: height, labels: labels)
  }
}
