import Base
import Checkpoints
import TensorCore

/// A pretrained model and a choice of its activations: maps a picture to one vector a pixel.
///
/// All that the pipeline knows of a model. Conforming types are values whose weights are loaded.
public protocol PixelFeatures: Sendable {
  var input: InputSpecification { get }
  /// Parts of the vector of a pixel, in ascending order of their keys: its length is known without running anything.
  var layout: [FeatureSlot] { get }
  /// The file that the weights come from.
  var origin: ModelOrigin { get }
  /// What to write down to get the same features again.
  var record: FeatureRecord { get }

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
  func redrawn(seed: UInt64?, draws: Int?) -> any PixelFeatures
}

extension PixelFeatures {
  public func workingBytes(height: Int, width: Int) -> Double { 0 }

  public var drawsNoise: Bool { false }

  public func redrawn(seed: UInt64?, draws: Int?) -> any PixelFeatures { self }

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

/// What to write down of features to get them again from the same checkpoint.
public struct FeatureRecord: Sendable, Equatable {
  /// Kind of model: a key of the registry.
  public var kind: String
  /// Settings that the weights do not tell, by the keys of the model's option table.
  public var options: [String: String]
  /// The choice of activations, by the keys of its option table.
  public var selection: [String: String]
  /// Arrays that belong to the choice, such as a noise that all pictures share.
  public var tensors: [String: Tensor]

  public init(
    kind: String, options: [String: String], selection: [String: String], tensors: [String: Tensor] = [:]
  ) {
    self.kind = kind
    self.options = options
    self.selection = selection
    self.tensors = tensors
  }

  public static func == (a: FeatureRecord, b: FeatureRecord) -> Bool {
    a.kind == b.kind && a.options == b.options && a.selection == b.selection
      && a.tensors.keys == b.tensors.keys
      && a.tensors.allSatisfy { name, tensor in
        tensor.shape == b.tensors[name]!.shape && tensor.elements == b.tensors[name]!.elements
      }
  }
}
