import Checkpoints
import TensorCore

/// A pretrained model and a choice of its activations.
public protocol ModelFeatures: PixelFeatures {
  /// The file that the weights come from.
  var origin: ModelOrigin { get }
  /// What to write down to get the same features again.
  var record: FeatureRecord { get }
}

extension ModelFeatures {
  public var models: [any ModelFeatures] { [self] }
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
