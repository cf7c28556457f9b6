import Augment
import DiffusionCore
import Images
import PixelClassifier
import TensorCore

/// A diffusion model and an ensemble of pixel classifiers on its features: pictures in, labels out.
public struct Segmenter: Sendable {
  public var ensemble: PixelEnsemble
  public var classes: ClassList
  public var features: DiffusionFeatures
  /// How pictures that are not square, or of another size, are brought to the network.
  public var fit: ImageFit
  /// How it was trained, for the record; nil when its members come from elsewhere.
  public var training: SegmenterOptions?

  /// - Throws: `DataError` when the ensemble does not fit the features or the classes.
  public init(
    ensemble: PixelEnsemble, classes: ClassList, features: DiffusionFeatures, fit: ImageFit = .pad,
    training: SegmenterOptions? = nil
  ) throws(DataError) {
    try features.validate()
    guard ensemble.featureCount == features.channels else {
      throw DataError(
        .invalidArgument, file: "ensemble",
        expected:
          "\(features.channels) features a pixel, those of steps \(features.steps) and blocks \(features.blocks)",
        found: "\(ensemble.featureCount)")
    }
    guard ensemble.classCount == classes.count else {
      throw DataError(
        .invalidArgument, file: "ensemble", expected: "\(classes.count) classes",
        found: "\(ensemble.classCount)")
    }
    self.ensemble = ensemble
    self.classes = classes
    self.features = features
    self.fit = fit
    self.training = training
  }
}

// MARK: Training

extension Segmenter {
  /// Trains an ensemble on labelled pictures.
  ///
  /// The same pictures, options and features give the same segmenter, to the bit, with any number of threads.
  /// - Parameter progress: called now and then, never twice at once, from any thread
  /// - Throws: `DataError` when a picture or mask cannot be used, there are too few labelled pixels, or steps
  ///   and blocks do not fit the model.
  public static func train(
    on labelled: LabelledImages, features: DiffusionFeatures, options: SegmenterOptions = .init(),
    progress: @escaping @Sendable (SegmenterProgress) -> Void = { _ in }
  ) throws(DataError) -> Segmenter {
    try features.validate()
    var pictures: [LabelledFeatures] = []
    for index in 0..<labelled.count {
      let item = try labelled.load(index)
      pictures.append(
        try labelledFeatures(
          of: item, index: index, features: features, fit: options.fit, classes: labelled.classes))
      progress(.features(done: index + 1, of: labelled.count))
    }
    let ensemble = try options.trainEnsemble(on: pictures, classes: labelled.classes) {
      progress(.training($0, members: options.members))
    }
    return try Segmenter(
      ensemble: ensemble, classes: labelled.classes, features: features, fit: options.fit, training: options)
  }

  /// Features and labels of one picture as the network sees it. Padding is labelled to be ignored.
  package static func labelledFeatures(
    of item: LabelledImage, index: Int, features: DiffusionFeatures, fit: ImageFit, classes: ClassList
  ) throws(DataError) -> LabelledFeatures {
    let geometry = try features.geometry(for: item.image, fit: fit, name: item.path)
    return LabelledFeatures(
      name: item.path,
      features: try features.extract(geometry.apply(item.image).tensor(normalization: .ddpm), index: index),
      labels: geometry.apply(item.mask, ignoreLabel: classes.ignoreLabel).labels)
  }
}

// MARK: Prediction

/// What a segmenter says about a picture.
public struct Segmentation: Sendable {
  /// The winning class of each pixel, at the picture's own size; the ignore label outside of a crop.
  public var labels: LabelMask
  /// Disagreement of the members about each pixel in nats, at the picture's own size, row by row; 0 where
  /// nothing is known.
  public var uncertainty: [Float]
  /// Class probabilities averaged over the members, `[K, height, width]` at the model's resolution, when
  /// they were asked for.
  public var probabilities: Tensor?
  /// The winning classes at the model's resolution.
  public var modelLabels: LabelMask
  /// Mean uncertainty of the most uncertain tenth of the pixels, the reference's score of a picture.
  public var imageUncertainty: Float
  /// How the picture was brought to the network.
  public var geometry: FittedGeometry
}

extension Segmenter {
  /// Labels a picture.
  /// - Parameters:
  ///   - name: the picture's file, for messages
  ///   - index: the picture's place among all, which chooses its noise when every picture has its own
  ///   - withProbabilities: whether the averaged probabilities are wanted too
  /// - Throws: `DataError` when the picture is of a size that cannot be used.
  public func segment(
    _ image: Image, name: String = "picture", index: Int = 0, withProbabilities: Bool = false
  ) throws(DataError) -> Segmentation {
    let geometry = try features.geometry(for: image, fit: fit, name: name)
    let maps = try features.extract(geometry.apply(image).tensor(normalization: .ddpm), index: index)
    let prediction = try ensemble.predict(maps, withProbabilities: withProbabilities)
    let modelLabels = LabelMask(
      width: geometry.contentWidth, height: geometry.contentHeight,
      labels: geometry.cutBack(prediction.labels))
    let uncertainty = geometry.cutBack(prediction.uncertainty)
    return Segmentation(
      labels: geometry.restore(modelLabels, ignoreLabel: classes.ignoreLabel),
      uncertainty: geometry.restore(uncertainty, outside: 0),
      probabilities: prediction.probabilities.map { geometry.cutBack($0) }, modelLabels: modelLabels,
      imageUncertainty: imageUncertaintyScore(uncertainty), geometry: geometry)
  }
}

extension DiffusionFeatures {
  /// Time and memory grow with the picture, those of attention with its square: a picture may have this many
  /// times the pixels that the model was trained on.
  private static let largestPicture = 16

  /// How a picture is brought to the network.
  /// - Throws: `DataError` when it would be too large for it, or has no pixels.
  package func geometry(for image: Image, fit: ImageFit, name: String) throws(DataError) -> FittedGeometry {
    let side = backbone.options.imageSize
    let geometry = try fit.geometry(
      width: image.width, height: image.height, imageSize: side,
      multiple: backbone.network.configuration.sizeMultiple, name: name)
    guard geometry.networkWidth * geometry.networkHeight <= Self.largestPicture * side * side else {
      throw DataError(
        .unsupported, file: name, item: "size",
        expected: "a long side of at most \(Self.largestPicture) short ones; crop or cut the picture",
        found: "\(image.width) x \(image.height)")
    }
    return geometry
  }
}
