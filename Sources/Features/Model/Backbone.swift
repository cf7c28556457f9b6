import Base
import Checkpoints
import TensorCore

/// A pretrained model that features are taken from: reads its checkpoint, then chooses activations.
///
/// A new one is a conforming type in a folder of `Backbones` and a line in its registry.
public protocol Backbone: Sendable {
  /// What the weights do not tell about the model.
  associatedtype Options: OptionTable
  /// Which activations are the features.
  associatedtype Selection: OptionTable

  /// The kind in records, messages and `--backbone`: `guided-diffusion`.
  static var kind: String { get }
  /// What it is, in a few words with its source.
  static var summary: String { get }

  /// A tensor that every such model has, by the end of its name.
  static var anchor: String { get }
  /// Ends of names of tensors that every such model has: they tell which kind a file of none comes closest to.
  static var landmarks: [String] { get }
  /// How the configurations of ddpm-segmentation name it; nil where they do not.
  static var experiments: ExperimentNames? { get }

  /// Whether a checkpoint holds such a model, by the names of its tensors.
  static func recognizes(_ checkpoint: Checkpoint) -> Bool

  /// The parameters of the model in a checkpoint, under their own names.
  /// - Throws: `DataError` that says what else the file is, or lists the networks to choose from.
  static func state(
    in checkpoint: Checkpoint, weights: WeightsChoice, notices: Notices
  ) throws(DataError) -> (state: StateDictionary, origin: ModelOrigin)

  /// Names of all networks of this kind in a checkpoint, as `--weights` takes them; a dot for one without a name.
  static func networkNames(in checkpoint: Checkpoint) -> [String]

  /// Whether a tensor of the model keeps its precision in a converted file, whatever the type of the weights.
  static func keepsPrecision(_ name: String) -> Bool

  /// Facts about a model that need no weights.
  /// - Throws: `DataError` when it is no such model, or the image size does not fit it.
  static func facts(of state: StateDictionary, options: Options) throws(DataError) -> BackboneFacts

  /// Loads the model of a checkpoint.
  /// - Throws: `DataError` when it is no such model, misses weights, has some that are not finite, or the options do
  ///   not fit it.
  init(
    _ checkpoint: Checkpoint, options: Options, weights: WeightsChoice, notices: Notices
  ) throws(DataError)

  /// The features that a choice asks for.
  /// - Parameters:
  ///   - selection: the choice of activations
  ///   - tensors: arrays that belong to the choice, from a record
  ///   - notices: told what had to be guessed
  /// - Throws: `DataError` that lists what there is to choose from, when the choice does not fit the model.
  func features(
    _ selection: Selection, tensors: [String: Tensor], notices: Notices
  ) throws(DataError) -> any ModelFeatures
}

extension Backbone {
  public static var landmarks: [String] { [anchor] }

  public static var experiments: ExperimentNames? { nil }

  public static func keepsPrecision(_ name: String) -> Bool { false }

  public static func recognizes(_ checkpoint: Checkpoint) -> Bool { !networkNames(in: checkpoint).isEmpty }

  public static func networkNames(in checkpoint: Checkpoint) -> [String] {
    NetworkList(checkpoint, anchor: anchor).members.map(\.name)
  }

  public static func state(
    in checkpoint: Checkpoint, weights: WeightsChoice, notices: Notices
  ) throws(DataError) -> (state: StateDictionary, origin: ModelOrigin) {
    let networks = NetworkList(checkpoint, anchor: anchor)
    guard let member = try networks.chosen(weights, notices: notices) else {
      throw DataError(
        .unsupported, file: checkpoint.path, expected: "\(kind) (\(anchor), …), \(summary)",
        found: "none of its names")
    }
    return (try networks.state(of: member), ModelOrigin(checkpoint.file, weights: member.name))
  }
}

/// How the configurations of ddpm-segmentation tell of a kind of model.
public struct ExperimentNames: Sendable, Equatable {
  /// Values of `model_type`.
  public var types: [String]
  /// Whether there are `steps` and `blocks`.
  public var hasSteps: Bool
  /// Value of `input_activations`: whether the features are inputs of blocks.
  public var inputActivations: Bool

  public init(types: [String], hasSteps: Bool = false, inputActivations: Bool = false) {
    self.types = types
    self.hasSteps = hasSteps
    self.inputActivations = inputActivations
  }
}

/// What `inspect` shows of a model.
public struct BackboneFacts: Sendable {
  /// A fact of one line.
  public struct Row: Sendable {
    /// In JSON: `level_channels`.
    public var key: String
    public var value: Value
    /// In the listing; nil for facts that the listing tells in other rows.
    public var title: String?
    public var text: String

    public init(_ key: String, _ value: Value, title: String? = nil, text: String? = nil) {
      self.key = key
      self.value = value
      self.title = title
      self.text = text ?? value.text
    }
  }

  public enum Value: Sendable, Equatable {
    /// Left out of JSON.
    case none
    case integer(Int)
    case number(Double)
    case flag(Bool)
    case text(String)
    case integers([Int])

    var text: String {
      switch self {
      case .none: "none"
      case .integer(let value): "\(value)"
      case .number(let value): "\(value)"
      case .flag(let value): value ? "yes" : "no"
      case .text(let value): value
      case .integers(let values): values.map { "\($0)" }.joined(separator: ", ")
      }
    }
  }

  /// An activation that can be chosen, for pictures of the size that the model was trained on.
  public struct Activation: Sendable {
    /// As the selection has it.
    public var name: String
    public var channels: Int
    public var height: Int
    public var width: Int
    /// Share of the cost of a forward pass that is spent when it is known, 0 to 1.
    public var costSoFar: Double

    public init(name: String, channels: Int, height: Int, width: Int, costSoFar: Double) {
      self.name = name
      self.channels = channels
      self.height = height
      self.width = width
      self.costSoFar = costSoFar
    }
  }

  public var rows: [Row]
  /// What keeps the model from giving features, although it can be looked at.
  public var hindrance: String?
  /// What the activations are called: `output block`.
  public var activationTitle: String
  public var activations: [Activation]

  public init(rows: [Row], hindrance: String? = nil, activationTitle: String, activations: [Activation]) {
    self.rows = rows
    self.hindrance = hindrance
    self.activationTitle = activationTitle
    self.activations = activations
  }
}
