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
  /// How the masks are brought to the network's resolution that its labels are compared with.
  public var maskResampling: MaskResampling
  /// Whether pictures are turned as their EXIF orientation says when they are read for it.
  public var orientation: OrientationHandling
  /// How labels come from what the members say.
  public var prediction: PredictionSettings
  /// How it was trained, for the record; nil when its members come from elsewhere.
  public var training: SegmenterOptions?
  /// The labels that it was trained on; nil when its members come from elsewhere.
  public var census: LabelCensus?

  /// - Throws: `DataError` when the ensemble does not fit the features or the classes.
  public init(
    ensemble: PixelEnsemble, classes: ClassList, features: DiffusionFeatures, fit: ImageFit = .pad,
    maskResampling: MaskResampling = .nearest, orientation: OrientationHandling = .apply,
    prediction: PredictionSettings = .init(), training: SegmenterOptions? = nil,
    census: LabelCensus? = nil
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
    self.maskResampling = maskResampling
    self.orientation = orientation
    self.prediction = prediction
    self.training = training
    self.census = census
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
    try AvailableMemory.require(
      bytes(height: geometry.networkHeight, width: geometry.networkWidth), file: name,
      item:
        "memory of the features of a picture of \(geometry.networkWidth) x \(geometry.networkHeight) pixels")
    return geometry
  }
}
