import Augment
import Base
import Features
import Foundation
import Images
import TensorCore

/// Everything about a segmenter but its tensors, as it stands in its file: a JSON object in the metadata of a
/// `.safetensors` file, under `SegmenterFile.recordKey`.
public struct SegmenterRecord: Codable, Equatable, Sendable {
  /// Raised when older programs can no longer read the file; what older ones wrote is brought to the last
  /// (`EarlierRecord`).
  static let formats = 2...6
  /// Features of one model, as `backbone` tells them.
  static let ofOneModel = 4
  /// Features of several models, `also`.
  private static let ofSeveralModels = 5
  /// Pictures that are read in another way than older programs read them, `channels` and `range`.
  private static let ofOtherReading = 6

  public var format: Int
  public var program: String
  public var members: Int
  public var classNames: [String]
  public var palette: [[UInt8]]
  public var ignoreLabel: UInt8
  public var flipPairs: [[UInt8]]
  public var maskValues: [UInt8]?
  public var fit: String
  /// `nearest` unless it says so.
  public var maskResampling: String?
  /// `apply` unless it says so.
  public var orientation: String?
  /// Samples that become red, green and blue; nil for those of the files.
  public var channels: [Int]?
  /// A `SampleRange`; nil for the whole range of the type.
  public var range: String?
  public var featurePrecision: String
  public var backbone: Backbone
  /// Models whose activations follow those of the first in the vector of a pixel; nil for none.
  public var also: [Backbone]?
  public var prediction: Prediction
  public var training: Training?
  /// The labels of the training pictures.
  public var census: LabelCensus?

  /// The model and the choice of its activations, by the keys of its option tables. Arrays that belong to the choice
  /// are tensors of the file.
  public struct Backbone: Codable, Equatable, Sendable {
    public var kind: String
    public var options: [String: String]
    public var selection: [String: String]
    public var checkpoint: CheckpointReference

    /// - Throws: `DataError` when somebody wrote to the checkpoint while it was in use.
    init(_ model: any ModelFeatures) throws(DataError) {
      let (origin, record) = (model.origin, model.record)
      let digest = try origin.sha256()
      try origin.checkUnchanged()
      // Absolute, so that the segmenter can be used from another folder.
      let path = URL(fileURLWithPath: origin.path).standardizedFileURL.path
      self.init(
        kind: record.kind, options: record.options, selection: record.selection,
        checkpoint: CheckpointReference(path: path, sha256: digest, weights: origin.weights))
    }

    init(
      kind: String, options: [String: String], selection: [String: String], checkpoint: CheckpointReference
    ) {
      (self.kind, self.options, self.selection) = (kind, options, selection)
      self.checkpoint = checkpoint
    }
  }

  /// All models, in the order of the vector.
  public var backbones: [Backbone] { [backbone] + (also ?? []) }

  /// The pretrained model that a segmenter was trained with.
  public struct CheckpointReference: Codable, Equatable, Sendable {
    public var path: String
    public var sha256: String
    /// What stands before the names of the network in the file, a dot for nothing; nil in files of version 0.1.0.
    public var weights: String?
  }

  /// How pictures are predicted unless the caller says otherwise.
  public struct Prediction: Codable, Equatable, Sendable {
    public var testTime: String?
    public var combination: String
    public var postProcessing: String
    public var seed: UInt64
  }

  /// An `AugmentationSchedule`.
  public struct Growth: Codable, Equatable, Sendable {
    public var factor: Int
    public var preset: String
    public var probability: Double
    public var isRedrawn: Bool
  }

  /// What `SegmenterOptions` was.
  public struct Training: Codable, Equatable, Sendable {
    public var epochs: Int
    public var maxEpochs: Int
    public var batchSize: Int
    public var learningRate: Double
    public var weightDecay: Double
    public var decoupledDecay: Bool
    public var schedule: String
    public var dropout: Float
    public var growth: Growth?
    /// Nil for features as they are.
    public var preparation: String?
    public var seed: UInt64
    public var smallestAnnotation: Int
    /// Nil where pictures are not cut into tiles.
    public var pixelsPerPicture: Int?
  }
}

extension SegmenterRecord {
  /// - Throws: `DataError` when somebody wrote to a checkpoint while it was in use.
  init(_ segmenter: Segmenter) throws(DataError) {
    var backbones: [Backbone] = []
    for model in segmenter.features.models { backbones.append(try Backbone(model)) }
    backbone = backbones[0]
    also = backbones.count > 1 ? Array(backbones.dropFirst()) : nil
    let reading = segmenter.reading
    (orientation, channels) = (reading.orientation.rawValue, reading.channels)
    range = reading.range == .full ? nil : "\(reading.range)"
    format =
      channels != nil || range != nil
      ? Self.ofOtherReading : also == nil ? Self.ofOneModel : Self.ofSeveralModels
    program = "DiffusionSegmentation \(Version.current)"
    members = segmenter.ensemble.members.count
    classNames = segmenter.classes.names
    palette = segmenter.classes.palette.colors.map { [$0.red, $0.green, $0.blue] }
    ignoreLabel = segmenter.classes.ignoreLabel
    flipPairs = segmenter.classes.flipPairs.pairs
    maskValues = segmenter.classes.maskValues
    fit = segmenter.fit.description
    maskResampling = segmenter.maskResampling.rawValue
    featurePrecision = segmenter.featurePrecision.rawValue
    prediction = Prediction(segmenter.prediction)
    training = segmenter.training.map(Training.init)
    census = segmenter.census
  }

  /// How pictures are read.
  /// - Throws: `DataError` for channels or a range that cannot be.
  func reading(_ orientation: OrientationHandling, file: String) throws(DataError) -> PictureReading {
    do throws(DataError) {
      var reading = PictureReading(orientation: orientation)
      if let channels {
        reading.channels = try PictureReading.channels(channels.map { "\($0)" }.joined(separator: ","))
      }
      if let range { reading.range = try SampleRange(range) }
      return reading
    } catch {
      throw DataError(.malformed, file: file, item: error.file, expected: error.expected, found: error.found)
    }
  }

  func classList(file: String) throws(DataError) -> ClassList {
    guard (1...255).contains(classNames.count), palette.count == classNames.count,
      palette.allSatisfy({ $0.count == 3 })
    else {
      throw DataError(
        .malformed, file: file, item: "classes", expected: "1 to 255 names with a colour each",
        found: "\(classNames.count) names and \(palette.count) colours")
    }
    guard maskValues.map({ $0.count == classNames.count && Set($0).count == classNames.count }) ?? true else {
      throw DataError(
        .malformed, file: file, item: "maskValues", expected: "one for each class", found: "\(maskValues!)")
    }
    let paired = flipPairs.flatMap { $0 }
    guard flipPairs.allSatisfy({ $0.count == 2 }), Set(paired).count == paired.count,
      paired.allSatisfy({ $0 < classNames.count })
    else {
      throw DataError(
        .malformed, file: file, item: "flipPairs", expected: "pairs of different classes",
        found: "\(flipPairs)")
    }
    return ClassList(
      names: classNames, palette: Palette(colors: palette.map { RGB($0[0], $0[1], $0[2]) }),
      ignoreLabel: ignoreLabel, flipPairs: ClassPairs(flipPairs.map { ($0[0], $0[1]) }),
      maskValues: maskValues)
  }
}
