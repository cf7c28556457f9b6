import Augment
import Images
import TensorCore

/// What a segmenter says about a picture.
public struct Segmentation: Sendable {
  /// The winning class of each pixel, at the picture's own size; the ignore label outside of a crop.
  public var labels: LabelMask
  /// Disagreement of the members about each pixel in nats, at the picture's own size, row by row; 0 where
  /// nothing is known. With test-time augmentation, about the picture as it is.
  public var uncertainty: [Float]
  /// Class probabilities averaged over the members, and over the versions where these are averaged,
  /// `[K, height, width]` at the model's resolution, when they were asked for.
  public var probabilities: Tensor?
  /// The winning classes at the model's resolution.
  public var labelsAtModelSize: LabelMask
  /// Mean uncertainty of the most uncertain tenth of the pixels, the reference's score of a picture.
  public var imageUncertainty: Float
  /// How the picture was brought to the network.
  public var geometry: FittedGeometry
}
