import Augment
import Base
import Checkpoints
import DiffusionCore
import Features
import Images
import TensorCore
import Training

/// A model to train on pictures without labels, and how. Everything that decides on its weights is in here, but for the
/// pictures.
///
/// A new one is a conforming type in the folder of its model and a line in `PretrainingRegistry`.
public protocol PretrainingSettings: OptionTable {
  /// What is minimised.
  associatedtype Goal: PictureObjective

  /// As `--kind` has it: that of the backbone, where the model is one.
  static var kind: String { get }
  /// What it is, in a few words.
  static var summary: String { get }
  /// Names of the parts of the loss, columns of the log.
  static var lossTerms: [String] { get }
  /// Whether the objective cuts parts out of whole pictures, rather than take their centre squares.
  static var usesWholePictures: Bool { get }

  /// Side of the square pictures that the network sees, in pixels.
  var imageSize: Int { get }
  /// How files become pictures.
  var reading: PictureReading { get set }
  /// Which square of a picture the network sees. Objectives that cut parts out of whole pictures (`usesWholePictures`) cut
  /// them out of squares at random places.
  var crop: PictureCrop { get set }
  /// What is the same for all networks: batch, optimizer, averages.
  var trainer: TrainerOptions { get set }
  /// Whether the network is told the class of a picture.
  var usesClasses: Bool { get }
  /// Number of classes, where the network is told them and the pictures are known.
  var classCount: Int? { get }

  /// Takes what is known once the pictures have been listed.
  mutating func prepare(classCount: Int?)
  /// Chooses what depends on the length of the training and was not given.
  /// - Parameter steps: of the whole training; nil when only time ends it
  /// - Returns: what was chosen, in sentences that users are told
  mutating func plan(steps: Int?) -> [String]
  /// - Throws: `DataError` that names the setting that cannot be.
  func validate() throws(DataError)
  /// Bytes that a step takes at least.
  var trainingBytes: Double { get }
  /// What is minimised, before the first step.
  func objective() throws(DataError) -> Goal
  /// The weights before the first step, drawn from the seed.
  func initialParameters() throws(DataError) -> [NamedTensor]
  /// What the weights do not tell, for the model's file.
  func modelMetadata(of goal: Goal) -> [String: String]
  /// All tensors of the model's file, from those that were trained.
  func modelTensors(_ trained: [NamedTensor], of goal: Goal) -> [NamedTensor]
  /// A sheet of what a network can do so far.
  /// - Parameters:
  ///   - model: with the averaged weights
  ///   - goal: with the pictures of the training
  ///   - samples: how many, and how they are made
  /// - Throws: `DataError` when there is too little memory, or a picture cannot be read.
  func sheet(of model: Goal.Model, goal: Goal, samples: SampleSettings) throws(DataError) -> Image
}

/// The sheets of pictures that a training leaves on its way.
public struct SampleSettings: Sendable, Equatable {
  /// Steps from sheet to sheet; 0 for none but the last.
  public var every = 1000
  /// Pictures of a sheet.
  public var count = 16
  /// Steps of the sampler that makes them, where there is one.
  public var samplingSteps = 50

  public init() {}
}

extension PretrainingSettings {
  public static var usesWholePictures: Bool { false }
  public var usesClasses: Bool { false }
  public var classCount: Int? { nil }
  public mutating func prepare(classCount: Int?) {}
  public mutating func plan(steps: Int?) -> [String] { [] }
  public func modelTensors(_ trained: [NamedTensor], of goal: Goal) -> [NamedTensor] { trained }

  /// Every setting that decides on the weights, by name. Checkpoints keep it.
  public var stateRecord: [String: String] {
    var record = [
      "kind": Self.kind, "orientation": reading.orientation.rawValue, "picture_range": "\(reading.range)",
      "picture_channels": reading.channels.map { $0.map { "\($0)" }.joined(separator: ",") } ?? "of the file",
      "seed": "\(trainer.seed)",
    ]
    for option in Self.options where option.isRecorded {
      record[option.key.replacing("-", with: "_")] = self[option.key] ?? "none"
    }
    record.merge(crop.record) { first, _ in first }
    record["classes"] = classCount.map { "\($0)" } ?? "none"
    // What is dropped when a block is computed twice comes from other random numbers; without dropout the bits agree.
    record["recompute"] = "\(trainer.recomputesBlocks && trainer.dropout > 0)"
    return record
  }
}

/// The kinds of models that can be trained here.
public struct PretrainingRegistry: Sendable {
  public var kinds: [any PretrainingSettings.Type]

  public init(_ kinds: [any PretrainingSettings.Type]) { self.kinds = kinds }

  /// All kinds of this package: a line each.
  public static let standard = PretrainingRegistry([
    DiffusionPretrainingSettings.self, MAEPretrainingSettings.self, AutoencoderPretrainingSettings.self,
    LatentDiffusionPretrainingSettings.self,
  ])

  /// The kind of this name.
  /// - Throws: `DataError` that lists the names there are.
  public func named(_ name: String) throws(DataError) -> any PretrainingSettings.Type {
    if let kind = kinds.first(where: { $0.kind == name }) { return kind }
    throw DataError(
      .invalidArgument, file: "--kind", expected: kinds.map { $0.kind }.joined(separator: ", "), found: name)
  }
}
