import Augment
import Base
import Features
import Foundation
import Images
import TensorCore

/// Everything about a segmenter but its tensors, as it stands in its file.
package struct SegmenterRecord: Codable, Equatable {
  /// Raised when older programs can no longer read the file; what older ones wrote is brought to the last
  /// (`EarlierRecord`).
  static let formats = 2...4

  package var format = SegmenterRecord.formats.upperBound
  package var program: String
  package var members: Int
  package var classNames: [String]
  package var palette: [[UInt8]]
  package var ignoreLabel: UInt8
  package var flipPairs: [[UInt8]]
  package var maskValues: [UInt8]?
  package var fit: String
  /// `nearest` unless it says so.
  package var maskResampling: String?
  /// `apply` unless it says so.
  package var orientation: String?
  package var featurePrecision: String
  package var backbone: Backbone
  package var prediction: Prediction
  package var training: Training?
  /// The labels of the training pictures.
  package var census: LabelCensus?

  /// The model and the choice of its activations, by the keys of its option tables. Arrays that belong to the choice
  /// are tensors of the file.
  package struct Backbone: Codable, Equatable {
    package var kind: String
    package var options: [String: String]
    package var selection: [String: String]
    package var checkpoint: CheckpointReference
  }

  package struct CheckpointReference: Codable, Equatable {
    package var path: String
    package var sha256: String
    /// What stands before the names of the network in the file, a dot for nothing; nil in files of version 0.1.0.
    package var weights: String?
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
    fit = segmenter.fit.rawValue
    maskResampling = segmenter.maskResampling.rawValue
    orientation = segmenter.orientation.rawValue
    featurePrecision = segmenter.featurePrecision.rawValue
    let (origin, record) = (segmenter.features.origin, segmenter.features.record)
    // Absolute, so that the segmenter can be used from another folder.
    let path = URL(fileURLWithPath: origin.path).standardizedFileURL.path
    backbone = Backbone(
      kind: record.kind, options: record.options, selection: record.selection,
      checkpoint: CheckpointReference(path: path, sha256: checkpointSHA256, weights: origin.weights))
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
