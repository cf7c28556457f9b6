import Augment
import Base
import Features
import Foundation
import Images
import PixelClassifier
import TensorCore

/// What the model sees at once: a picture, or a tile of one.
package struct ModelView: Sendable {
  package var image: Image
  /// How it is brought to the network.
  package var geometry: FittedGeometry
  /// Noise and random changes depend on it, without its folder.
  package var name: String
  /// Its place, for a tile.
  package var tile = Tile(x: 0, y: 0)
}

/// The features of what the model sees at once, and of the changed versions that are segmented beside it.
package struct ViewedPart: Sendable {
  package var view: ModelView
  package var features: FeatureMaps
  package var versions: [(replay: TestTimeReplay, features: FeatureMaps)]

  package init(
    _ view: ModelView, features: FeatureMaps, versions: [(replay: TestTimeReplay, features: FeatureMaps)]
  ) {
    (self.view, self.features, self.versions) = (view, features, versions)
  }

  fileprivate var geometry: FittedGeometry { view.geometry }
}

extension Segmenter {
  /// Labels a picture.
  /// - Parameters:
  ///   - image: of any size that the model takes
  ///   - name: the picture's file, for messages; the random changes of test-time augmentation depend on it, and the
  ///     noise where every picture has its own, both without its folder
  ///   - pixelSize: how large a pixel is, for tiles whose scale depends on it
  ///   - withProbabilities: whether the averaged probabilities are wanted too
  /// - Throws: `DataError` when the picture is of a size that cannot be used.
  public func segment(
    _ image: Image, name: String = "picture", pixelSize: PixelSize? = nil, withProbabilities: Bool = false
  ) throws(DataError) -> Segmentation {
    if let tiling = fit.tiling {
      return try segmentTiles(
        of: image, tiling: tiling, name: name, pixelSize: pixelSize, withProbabilities: withProbabilities)
    }
    let geometry = try features.geometry(for: image, fit: fit, precision: featurePrecision, name: name)
    let part = try viewed(ModelView(image: image, geometry: geometry, name: name))
    return finish(
      try opinion(on: part, withProbabilities: withProbabilities), withProbabilities: withProbabilities,
      geometry: geometry)
  }

  /// What the model sees of a picture: all of it at once, or its tiles.
  package func views(
    of image: Image, name: String, pixelSize: PixelSize? = nil
  ) throws(DataError) -> (geometry: FittedGeometry, views: [ModelView]) {
    let geometry = try features.geometry(
      for: image, fit: fit, precision: featurePrecision, pixelSize: pixelSize, name: name)
    guard let tiling = fit.tiling else {
      return (geometry, [ModelView(image: image, geometry: geometry, name: name)])
    }
    var views: [ModelView] = []
    try forEachTile(of: ImageRows(image), geometry: geometry, grid: grid(tiling, geometry), name: name) {
      _, tiles in views += tiles
    }
    return (geometry, views)
  }

  /// Labels a picture whose views' features are known.
  package func segment(_ parts: [ViewedPart], geometry: FittedGeometry) throws(DataError) -> Segmentation {
    if let tiling = fit.tiling {
      return try blend(parts, grid: grid(tiling, geometry), geometry: geometry)
    }
    precondition(parts.count == 1, "\(parts.count) views of a whole picture")
    return finish(try opinion(on: parts[0]), geometry: geometry)
  }

  /// The features that are needed of what the model sees at once.
  func viewed(_ view: ModelView) throws(DataError) -> ViewedPart {
    ViewedPart(
      view,
      features: try features.extract(
        view.image, by: view.geometry, precision: featurePrecision, name: view.name),
      versions: try versions(of: view))
  }

  /// The changed versions that are segmented beside it.
  package func versions(
    of view: ModelView
  ) throws(DataError) -> [(replay: TestTimeReplay, features: FeatureMaps)] {
    guard let set = prediction.testTime else { return [] }
    let context = AugmentationContext(
      width: view.image.width, height: view.image.height, ignoreLabel: classes.ignoreLabel,
      flipPairs: classes.flipPairs)
    let name = (view.name as NSString).lastPathComponent
    var versions: [(replay: TestTimeReplay, features: FeatureMaps)] = []
    for replay in set.replays(context, seed: prediction.seed, name: name) {
      let changed = replay.replay.apply(to: view.image)
      versions.append(
        (
          replay,
          try features.extract(changed, by: view.geometry, precision: featurePrecision, name: view.name)
        ))
    }
    return versions
  }

  /// What is said about the content of a picture, at the model's resolution.
  struct Opinion {
    var labels: LabelMask
    var uncertainty: [Float]
    /// `[K, contentHeight, contentWidth]`, where they are wanted, or averages decide
    var probabilities: Tensor?
    /// What the label is the largest of, the first of equals, `[K, contentHeight, contentWidth]`: members for each class,
    /// versions for each class, or averaged probabilities. Where it is wanted.
    var votes: Tensor?
  }

  /// What the members say, and the versions of the picture where there are any.
  func opinion(
    on viewed: ViewedPart, withProbabilities: Bool = false, withVotes: Bool = false
  ) throws(DataError) -> Opinion {
    let geometry = viewed.geometry
    let hasVersions = !viewed.versions.isEmpty
    let averages = prediction.combination == .mean && hasVersions
    let plain = try ensemble.predict(
      viewed.features, withProbabilities: withProbabilities || averages, withVotes: withVotes && !hasVersions)
    var opinion = Opinion(
      labels: LabelMask(
        width: geometry.contentWidth, height: geometry.contentHeight,
        labels: geometry.cropToContent(plain.labels)),
      uncertainty: geometry.cropToContent(plain.uncertainty),
      probabilities: plain.probabilities.map { geometry.cropToContent($0) },
      votes: plain.votes.map { geometry.cropToContent($0) })
    if averages {
      opinion.probabilities = try averaged(opinion.probabilities!, viewed)
      opinion.labels = likeliest(opinion.probabilities!)
      if withVotes { opinion.votes = opinion.probabilities }
    } else if hasVersions {
      opinion.labels = try voted(opinion.labels, viewed)
      if withVotes { opinion.votes = planes(of: opinion.labels) }
    }
    return opinion
  }

  /// Labels and figures at the size of the picture as it came.
  func finish(
    _ opinion: Opinion, withProbabilities: Bool = false, geometry: FittedGeometry
  ) -> Segmentation {
    let labels = prediction.postProcessing.apply(to: opinion.labels)
    return Segmentation(
      labels: geometry.restore(labels, ignoreLabel: classes.ignoreLabel),
      uncertainty: geometry.restore(opinion.uncertainty, outside: 0),
      probabilities: withProbabilities ? opinion.probabilities : nil, labelsAtModelSize: labels,
      imageUncertainty: imageUncertaintyScore(opinion.uncertainty), geometry: geometry)
  }

  /// 1 for the label of a pixel and 0 for the others, `[K, height, width]`.
  private func planes(of labels: LabelMask) -> Tensor {
    Tensor(shape: [classes.count, labels.height, labels.width]) { planes in
      planes.update(repeating: 0, count: classes.count * labels.labels.count)
      for (pixel, label) in labels.labels.enumerated() where Int(label) < classes.count {
        planes[Int(label) * labels.labels.count + pixel] = 1
      }
    }
  }

  /// A vote of the versions, the picture itself first.
  private func voted(_ labels: LabelMask, _ viewed: ViewedPart) throws(DataError) -> LabelMask {
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
  private func averaged(_ plain: Tensor, _ viewed: ViewedPart) throws(DataError) -> Tensor {
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
