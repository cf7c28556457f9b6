import Augment
import DiffusionCore
import Foundation
import Images
import TensorCore

/// Everything about a segmenter but its tensors, as it stands in its file.
package struct SegmenterRecord: Codable, Equatable {
  /// Raised when older programs can no longer read the file: those before 3 would take another network of a checkpoint
  /// that holds several.
  static let formats = 2...3

  package var format = SegmenterRecord.formats.lowerBound
  package var program: String
  package var members: Int
  package var classNames: [String]
  package var palette: [[UInt8]]
  package var ignoreLabel: UInt8
  package var flipPairs: [[UInt8]]
  package var maskValues: [UInt8]?
  package var steps: [Int]
  package var blocks: [Int]
  package var fit: String
  /// `nearest` unless it says so.
  package var maskResampling: String?
  /// `apply` unless it says so.
  package var orientation: String?
  package var noise: Noise
  package var conditioningClass: Int
  package var featurePrecision: String
  package var checkpoint: CheckpointReference
  package var backbone: Backbone
  package var prediction: Prediction
  package var training: Training?
  /// The labels of the training pictures.
  package var census: LabelCensus?

  /// The shared noise is a tensor of the file.
  package struct Noise: Codable, Equatable {
    /// `shared` or `perImage`.
    package var kind: String
    package var seed: UInt64?
    /// What features are averaged over; nil for 1.
    package var count: Int?
  }

  package struct CheckpointReference: Codable, Equatable {
    package var path: String
    package var sha256: String
    /// What stands before the names of the network in the file, a dot for nothing; nil in files of version 0.1.0.
    package var weights: String?
  }

  package struct Backbone: Codable, Equatable {
    package var headChannels: Int?
    package var heads: Int?
    package var headsUpsample: Int?
    package var attentionOrder: String
    package var imageSize: Int
    package var noiseSchedule: String
    package var diffusionSteps: Int
    package var rescaleTimesteps: Bool
  }

  package struct Prediction: Codable, Equatable {
    package var testTime: String?
    package var combination: String
    package var postProcessing: String
    package var seed: UInt64
  }

  package struct Growth: Codable, Equatable {
    package var factor: Int
    package var preset: String
    package var probability: Double
    package var isRedrawn: Bool
  }

  package struct Training: Codable, Equatable {
    package var epochs: Int
    package var maxEpochs: Int
    package var batchSize: Int
    package var learningRate: Double
    package var weightDecay: Double
    package var decoupledDecay: Bool
    package var schedule: String
    package var dropout: Float
    package var growth: Growth?
    /// Nil for features as they are.
    package var preparation: String?
    package var seed: UInt64
    package var smallestAnnotation: Int
  }
}

extension SegmenterRecord {
  init(_ segmenter: Segmenter, checkpointSHA256: String) {
    program = "DiffusionSegmentation \(Version.current)"
    members = segmenter.ensemble.members.count
    classNames = segmenter.classes.names
    palette = segmenter.classes.palette.colors.map { [$0.red, $0.green, $0.blue] }
    ignoreLabel = segmenter.classes.ignoreLabel
    flipPairs = segmenter.classes.flipPairs.pairs
    maskValues = segmenter.classes.maskValues
    let features = segmenter.features
    steps = features.steps
    blocks = features.blocks
    fit = segmenter.fit.rawValue
    maskResampling = segmenter.maskResampling.rawValue
    orientation = segmenter.orientation.rawValue
    let count = features.noises > 1 ? features.noises : nil
    if case .perImage(let seed) = features.noise {
      noise = Noise(kind: "perImage", seed: seed, count: count)
    } else {
      noise = Noise(kind: "shared", seed: nil, count: count)
    }
    conditioningClass = features.conditioningClass
    featurePrecision = features.precision.rawValue
    // Absolute, so that the segmenter can be used from another folder.
    let origin = features.backbone.checkpoint
    let path = URL(fileURLWithPath: origin.path).standardizedFileURL.path
    checkpoint = CheckpointReference(path: path, sha256: checkpointSHA256, weights: origin.weights)
    if origin.isNewChoice { format = SegmenterRecord.formats.upperBound }
    backbone = Backbone(features.backbone.options)
    prediction = Prediction(segmenter.prediction)
    training = segmenter.training.map(Training.init)
    census = segmenter.census
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

extension SegmenterRecord.Backbone {
  init(_ options: BackboneOptions) {
    switch options.attention.heads {
    case .count(let count): heads = count
    case .channels(let width): headChannels = width
    }
    headsUpsample = options.attention.headsUpsample
    attentionOrder = options.attention.order.rawValue
    imageSize = options.imageSize
    noiseSchedule = options.noiseSchedule.rawValue
    diffusionSteps = options.diffusionSteps
    rescaleTimesteps = options.rescaleTimesteps
  }

  func options(file: String) throws(DataError) -> BackboneOptions {
    guard let order = AttentionOrder(rawValue: attentionOrder),
      let schedule = NoiseSchedule(rawValue: noiseSchedule)
    else {
      throw DataError(
        .malformed, file: file, item: "backbone", expected: "a known attention order and noise schedule",
        found: "\(attentionOrder), \(noiseSchedule)")
    }
    return BackboneOptions(
      attention: AttentionSettings(
        heads: heads.map { .count($0) } ?? .channels(headChannels ?? 64), headsUpsample: headsUpsample,
        order: order),
      imageSize: imageSize, noiseSchedule: schedule, diffusionSteps: diffusionSteps,
      rescaleTimesteps: rescaleTimesteps)
  }
}
