import Augment
import DiffusionCore
import Images
import PixelClassifier
import TensorCore

/// The features of labelled pictures, and of changed copies of them, as an ensemble is trained on them.
package struct TrainingFeatures {
  private let labelled: LabelledImages
  private let features: DiffusionFeatures
  private let options: SegmenterOptions

  package init(labelled: LabelledImages, features: DiffusionFeatures, options: SegmenterOptions) {
    (self.labelled, self.features, self.options) = (labelled, features, options)
  }

  /// The pictures as they are.
  /// - Parameter done: called after each picture
  package func originals(done: (Int) -> Void) throws(DataError) -> [LabelledFeatures] {
    var pictures: [LabelledFeatures] = []
    for index in 0..<labelled.count {
      pictures.append(try extract(labelled.load(index), index: index))
      done(pictures.count)
    }
    return pictures
  }

  /// The changed copies of all pictures, copy by copy.
  /// - Parameters:
  ///   - random: of the training, or of the epoch
  ///   - done: called after each picture
  package func copies(
    _ growth: TrainingGrowth, random: Philox, done: (Int) -> Void
  ) throws(DataError) -> [LabelledFeatures] {
    var pictures: [LabelledFeatures] = []
    for copy in 0..<growth.factor - 1 {
      for index in 0..<labelled.count {
        let item = try fitted(labelled.load(index))
        pictures.append(
          try extract(
            growth.changed(item, copy: copy, index: index, classes: labelled.classes, random: random),
            index: index))
        done(pictures.count)
      }
    }
    return pictures
  }

  /// The picture at the size at which the network sees it, so that lengths mean the same for all pictures.
  private func fitted(_ item: LabelledImage) throws(DataError) -> LabelledImage {
    let geometry = try features.geometry(for: item.image, fit: options.fit, name: item.path)
    return LabelledImage(
      path: item.path,
      image: item.image.resized(
        width: geometry.resizedWidth, height: geometry.resizedHeight, filter: .bilinear),
      mask: item.mask.resized(width: geometry.resizedWidth, height: geometry.resizedHeight))
  }

  private func extract(_ item: LabelledImage, index: Int) throws(DataError) -> LabelledFeatures {
    try Segmenter.labelledFeatures(
      of: item, index: index, features: features, fit: options.fit, classes: labelled.classes)
  }

  /// Iterations of an epoch of a grown training set: those of the original pictures, all of whose pixels count,
  /// labelled or not, and two more (the report's code counts from 0 and looks after the step).
  package func iterationsPerEpoch() throws(DataError) -> Int {
    var pixels = 0
    for index in 0..<labelled.count {
      let geometry = try features.geometry(
        for: labelled.load(index).image, fit: options.fit, name: labelled.imagePaths[index])
      pixels += geometry.contentWidth * geometry.contentHeight
    }
    return pixels / options.batchSize + 2
  }
}
