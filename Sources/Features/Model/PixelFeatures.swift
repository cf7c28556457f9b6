import Base
import Checkpoints
import TensorCore

/// Maps a picture to one vector a pixel: activations of a pretrained model (`ModelFeatures`), or of several
/// (`CombinedFeatures`).
///
/// All that the pipeline knows of models. Conforming types are values whose weights are loaded.
public protocol PixelFeatures: Sendable {
  var input: InputSpecification { get }
  /// Parts of the vector of a pixel, in ascending order of their keys: its length is known without running anything.
  var layout: [FeatureSlot] { get }
  /// The models whose activations they are, in the order of the vector's parts; at least one.
  var models: [any ModelFeatures] { get }

  /// Checks the choice against the model.
  /// - Throws: `DataError` that lists what there is to choose from.
  func validate() throws(DataError)

  /// The features of one picture.
  /// - Parameters:
  ///   - picture: `[input.channels, H, W]`, normalized as `input` says; H and W are multiples of `input.multiple`
  ///   - context: name of the picture, which chooses its noise where every picture has its own; how the maps are kept
  /// - Returns: the activations of `layout`, each at its own resolution
  /// - Throws: `DataError` when the choice or the size of the picture does not fit the model.
  func extract(_ picture: Tensor, _ context: FeatureContext) throws(DataError) -> FeatureMaps

  /// Bytes that `extract` needs for a picture beside the maps that it returns.
  func workingBytes(height: Int, width: Int) -> Double

  /// Whether features depend on random numbers, so that it makes a difference how they are drawn.
  var drawsNoise: Bool { get }

  /// The same features of a model that draws random numbers, drawn in another way; a model that draws none returns
  /// itself.
  /// - Parameters:
  ///   - seed: of what is drawn, unless it was given as numbers; nil for no change
  ///   - draws: number of draws that the features are averaged over; nil for no change
  func redrawn(seed: UInt64?, draws: Int?) -> Self
}

extension PixelFeatures {
  public func workingBytes(height: Int, width: Int) -> Double { 0 }

  public var drawsNoise: Bool { false }

  public func redrawn(seed: UInt64?, draws: Int?) -> Self { self }

  /// The features of one picture.
  /// - Throws: `DataError` as `extract` with a context does.
  public func extract(
    _ picture: Tensor, name: String = "", precision: FeaturePrecision = .float
  ) throws(DataError) -> FeatureMaps {
    try extract(picture, FeatureContext(name: name, precision: precision))
  }

  /// - Throws: `DataError` when a picture does not have the channels and the sides that the model takes.
  public func check(_ picture: Tensor) throws(DataError) {
    let input = input
    let sides = picture.shape.dropFirst()
    guard picture.rank == 3, picture.shape[0] == input.channels, picture.count > 0,
      sides.allSatisfy({ $0 % input.multiple == 0 && (!input.isFixedSize || $0 == input.size) })
    else {
      throw DataError(
        .invalidArgument, file: "image",
        expected: "shape [\(input.channels), H, W] with H and W "
          + (input.isFixedSize ? "of \(input.size)" : "multiples of \(input.multiple)"),
        found: "shape \(picture.shape)")
    }
  }

  /// Length of a pixel's vector.
  public var channels: Int { layout.reduce(0) { $0 + $1.channels } }

  /// Bytes of the maps of a picture.
  public func mapBytes(height: Int, width: Int, precision: FeaturePrecision) -> Double {
    layout.reduce(0) { $0 + $1.valueCount(height: height, width: width) } * (precision == .half ? 2 : 4)
  }
}

/// Draws that features can be averaged over, at most.
public let mostFeatureDraws = 64

/// What `extract` is told beside the picture.
public struct FeatureContext: Sendable {
  /// File of the picture, whose last component chooses its noise where every picture has its own.
  public var name: String
  /// How the maps are kept.
  public var precision: FeaturePrecision

  public init(name: String = "", precision: FeaturePrecision = .float) {
    self.name = name
    self.precision = precision
  }
}
