import Augment
import Base
import Features
import Images
import PixelClassifier

/// A pretrained model and an ensemble of pixel classifiers on its features: pictures in, labels out.
public struct Segmenter: Sendable {
  public var ensemble: PixelEnsemble
  public var classes: ClassList
  public var features: any PixelFeatures
  /// How the features of a picture are kept.
  public var featurePrecision: FeaturePrecision
  /// How pictures that are not square, or of another size, are brought to the network.
  public var fit: ImageFit
  /// How the masks are brought to the network's resolution that its labels are compared with.
  public var maskResampling: MaskResampling
  /// How files become the pictures that it is given.
  public var reading: PictureReading
  /// How labels come from what the members say.
  public var prediction: PredictionSettings
  /// How it was trained, for the record; nil when its members come from elsewhere.
  public var training: SegmenterOptions?
  /// The labels that it was trained on; nil when its members come from elsewhere.
  public var census: LabelCensus?

  /// - Throws: `DataError` when the ensemble does not fit the features or the classes.
  public init(
    ensemble: PixelEnsemble, classes: ClassList, features: any PixelFeatures,
    featurePrecision: FeaturePrecision = .float, fit: ImageFit = .pad,
    maskResampling: MaskResampling = .nearest, reading: PictureReading = PictureReading(),
    prediction: PredictionSettings = .init(), training: SegmenterOptions? = nil,
    census: LabelCensus? = nil
  ) throws(DataError) {
    try features.validate()
    guard ensemble.featureCount == features.channels else {
      throw DataError(
        .invalidArgument, file: "ensemble",
        expected: "\(features.channels) features a pixel, those of \(features.selectionText)",
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
    self.featurePrecision = featurePrecision
    self.fit = fit
    self.maskResampling = maskResampling
    self.reading = reading
    self.prediction = prediction
    self.training = training
    self.census = census
  }
}

extension PixelFeatures {
  /// The choice of activations, for messages: `steps 50,150,250; blocks 5,6,7,8,12`, and of each model where there are
  /// several.
  package var selectionText: String {
    models.map { model in
      model.record.selection.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        .joined(separator: "; ")
    }.joined(separator: " and ")
  }
}
