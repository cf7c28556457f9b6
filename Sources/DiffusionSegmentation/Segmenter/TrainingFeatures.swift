import Augment
import Base
import Features
import Images
import PixelClassifier
import TensorCore

/// The features of labelled pictures, and of changed copies of them, as ensembles are trained on them: computed when
/// they are first asked for, and kept for the next training.
package final class TrainingFeatures {
  package let labelled: LabelledImages
  package let features: any PixelFeatures
  package let precision: FeaturePrecision
  package let fit: ImageFit
  package let maskResampling: MaskResampling
  /// The labels of the pictures, as soon as their features are known.
  package private(set) var census: LabelCensus
  let smallestAnnotation: Int
  let pixelsPerPicture: Int
  private var originals: [LabelledFeatures]?
  private var copies: (augmentation: AugmentationSchedule, seed: UInt64, pictures: [LabelledFeatures])?

  package init(labelled: LabelledImages, features: any PixelFeatures, options: SegmenterOptions) {
    (self.labelled, self.features) = (labelled, features)
    (fit, maskResampling, precision) = (options.fit, options.maskResampling, options.featurePrecision)
    (smallestAnnotation, pixelsPerPicture) = (options.smallestAnnotation, options.pixelsPerPicture)
    census = LabelCensus(labelled.classes)
  }

  /// The pictures as they are.
  /// - Parameter done: called after each picture
  /// - Throws: `DataError` when a picture or mask cannot be used, or no pixel is labelled.
  package func originals(
    done: (Int) throws(DataError) -> Void = { _ in }
  ) throws(DataError) -> [LabelledFeatures] {
    if let originals { return originals }
    var pictures: [LabelledFeatures] = []
    // Labels first: what is wrong with them should not be told after an hour of features.
    let census = try countLabels()
    for index in 0..<labelled.count {
      try Cancellation.check()
      pictures.append(try extract(labelled.load(index), copy: 0, index: index))
      try done(pictures.count)
    }
    (originals, self.census) = (pictures, census)
    return pictures
  }

  /// The changed copies of all pictures, copy by copy. Those that are drawn once are kept until others are asked for.
  /// - Parameters:
  ///   - seed: of the training
  ///   - epoch: counts for copies that are redrawn
  ///   - done: called after each picture
  package func copies(
    _ augmentation: AugmentationSchedule, seed: UInt64, epoch: Int,
    done: (Int) throws(DataError) -> Void = { _ in }
  ) throws(DataError) -> [LabelledFeatures] {
    if let copies, copies.augmentation == augmentation, copies.seed == seed, !augmentation.isRedrawn {
      return copies.pictures
    }
    // The memory of the old ones is for the new ones.
    copies = nil
    let random = AugmentationSchedule.random(seed: seed, epoch: augmentation.isRedrawn ? epoch : 0)
    var pictures: [LabelledFeatures] = []
    for copy in 0..<augmentation.factor - 1 {
      for index in 0..<labelled.count {
        try Cancellation.check()
        let changed = try augmentation.augmented(
          fitted(labelled.load(index)), copy: copy, index: index, classes: labelled.classes, random: random)
        pictures.append(
          try extract(changed, copy: 1 + copy + epoch * (augmentation.factor - 1), index: index))
        try done(pictures.count)
      }
    }
    if !augmentation.isRedrawn { copies = (augmentation, seed, pictures) }
    return pictures
  }

  /// The picture at the size at which the network sees it, so that lengths mean the same for all pictures.
  package func fitted(_ item: LabelledImage) throws(DataError) -> LabelledImage {
    let geometry = try features.geometry(
      for: item.image, fit: fit, pixelSize: item.pixelSize, name: item.path)
    let (width, height) = (geometry.resizedWidth, geometry.resizedHeight)
    return LabelledImage(
      path: item.path, image: item.image.resized(width: width, height: height, filter: .bilinear),
      mask: item.mask.resized(
        width: width, height: height, by: maskResampling, ignoreLabel: labelled.classes.ignoreLabel))
  }

  private func countLabels() throws(DataError) -> LabelCensus {
    var census = LabelCensus(labelled.classes)
    for index in 0..<labelled.count {
      let item = try labelled.load(index)
      let geometry = try features.geometry(
        for: item.image, fit: fit, pixelSize: item.pixelSize, name: item.path)
      census.add(
        item.mask,
        resized: geometry.cropToContent(
          geometry.apply(item.mask, ignoreLabel: labelled.classes.ignoreLabel, by: maskResampling)),
        smallestAnnotation: smallestAnnotation)
    }
    guard !census.isEmpty else {
      throw DataError(
        .malformed, file: labelled.directory, item: "masks", expected: "labelled pixels",
        found: "only pixels of \(census.ignoreLabel), the label to ignore, in \(census.pictures) pictures")
    }
    return census
  }

  /// - Parameters:
  ///   - copy: 0 for a picture as it is; changed copies have the size at which tiles are cut
  ///   - index: of the picture
  private func extract(_ item: LabelledImage, copy: Int, index: Int) throws(DataError) -> LabelledFeatures {
    if var tiling = fit.tiling {
      if copy > 0 { tiling.scale = .factor(1) }
      // The same pixels for all trainings on these features.
      let random = Philox(seed: 0).split(.pixels).split(UInt64(copy)).split(UInt64(index))
      return try tiledFeatures(of: item, tiling: tiling, random: random)
    }
    return try Segmenter.labelledFeatures(
      of: item, features: features, precision: precision, fit: fit, maskResampling: maskResampling,
      classes: labelled.classes)
  }

  /// Iterations of an epoch of a grown training set: those of the original pictures, all of whose pixels count,
  /// labelled or not, and two more (the report's code counts from 0 and looks after the step).
  package func iterationsPerEpoch(batchSize: Int, pictures: [Int]) throws(DataError) -> Int {
    var pixels = 0
    for index in pictures {
      if fit.tiling != nil, let originals {
        pixels += originals[index].labels.count
        continue
      }
      let geometry = try features.geometry(
        for: labelled.load(index).image, fit: fit, name: labelled.imagePaths[index])
      pixels += geometry.contentWidth * geometry.contentHeight
    }
    return pixels / batchSize + 2
  }
}
