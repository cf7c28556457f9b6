import Augment
import DiffusionCore
import Foundation
import Images
import TensorCore

/// Everything about a segmenter but its tensors, as it stands in its file.
struct SegmenterRecord: Codable, Equatable {
  /// Raised when older programs can no longer read the file.
  static let currentFormat = 1

  var format = SegmenterRecord.currentFormat
  var program: String
  var members: Int
  var classNames: [String]
  var palette: [[UInt8]]
  var ignoreLabel: UInt8
  var steps: [Int]
  var blocks: [Int]
  var fit: String
  var noise: Noise
  var conditioningClass: Int
  var featurePrecision: String
  var checkpoint: CheckpointReference
  var backbone: Backbone
  var training: Training?

  /// The shared noise is a tensor of the file.
  struct Noise: Codable, Equatable {
    /// `shared` or `perImage`.
    var kind: String
    var seed: UInt64?
  }

  struct CheckpointReference: Codable, Equatable {
    var path: String
    var sha256: String
  }

  struct Backbone: Codable, Equatable {
    var headChannels: Int?
    var heads: Int?
    var headsUpsample: Int?
    var attentionOrder: String
    var imageSize: Int
    var noiseSchedule: String
    var diffusionSteps: Int
    var rescaleTimesteps: Bool
  }

  struct Training: Codable, Equatable {
    var epochs: Int
    var maxEpochs: Int
    var batchSize: Int
    var learningRate: Double
    var weightDecay: Double
    var decoupledDecay: Bool
    var seed: UInt64
    var smallestAnnotation: Int
  }
}

extension SegmenterRecord {
  init(_ segmenter: Segmenter, checkpointSHA256: String) {
    program = "DiffusionSegmentation \(Version.current)"
    members = segmenter.ensemble.members.count
    classNames = segmenter.classes.names
    palette = segmenter.classes.palette.colors.map { [$0.red, $0.green, $0.blue] }
    ignoreLabel = segmenter.classes.ignoreLabel
    let features = segmenter.features
    steps = features.steps
    blocks = features.blocks
    fit = segmenter.fit.rawValue
    if case .perImage(let seed) = features.noise {
      noise = Noise(kind: "perImage", seed: seed)
    } else {
      noise = Noise(kind: "shared", seed: nil)
    }
    conditioningClass = features.conditioningClass
    featurePrecision = features.precision.rawValue
    checkpoint = CheckpointReference(path: features.backbone.checkpointPath, sha256: checkpointSHA256)
    backbone = Backbone(features.backbone.options)
    training = segmenter.training.map(Training.init)
  }

  func classList(file: String) throws(DataError) -> ClassList {
    guard (1...255).contains(classNames.count), palette.count == classNames.count,
      palette.allSatisfy({ $0.count == 3 })
    else {
      throw DataError(
        .malformed, file: file, item: "classes", expected: "1 to 255 names with a colour each",
        found: "\(classNames.count) names and \(palette.count) colours")
    }
    return ClassList(
      names: classNames, palette: Palette(colors: palette.map { RGB($0[0], $0[1], $0[2]) }),
      ignoreLabel: ignoreLabel)
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

extension SegmenterRecord.Training {
  init(_ options: SegmenterOptions) {
    epochs = options.epochs
    maxEpochs = options.maxEpochs
    batchSize = options.batchSize
    learningRate = options.optimizer.learningRate
    weightDecay = options.optimizer.weightDecay
    decoupledDecay = options.optimizer.decay == .decoupled
    seed = options.seed
    smallestAnnotation = options.smallestAnnotation
  }

  func options(members: Int, fit: ImageFit) -> SegmenterOptions {
    SegmenterOptions(
      members: members, epochs: epochs, maxEpochs: maxEpochs, batchSize: batchSize,
      optimizer: Adam(
        learningRate: learningRate, weightDecay: weightDecay, decay: decoupledDecay ? .decoupled : .inGradient
      ),
      seed: seed, fit: fit, smallestAnnotation: smallestAnnotation)
  }
}
