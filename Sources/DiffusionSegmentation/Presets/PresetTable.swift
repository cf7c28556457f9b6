import Augment
import PixelClassifier
import TensorCore

extension SegmenterPreset {
  /// Head of the table of presets.
  public static let columns = [
    "preset", "copies", "probability", "epochs", "optimizer", "weight decay", "dropout", "features", "noises",
    "models",
    "post-processing", "test time",
  ]

  /// The preset's line in that table.
  public var row: [String] {
    [
      id, augmentation.map { "×\($0.factor) \($0.preset.rawValue)\($0.isRedrawn ? ", redrawn" : "")" } ?? "-",
      augmentation.map { "\($0.probability)" } ?? "-", "\(epochs)\(schedule == .cosine ? ", cosine" : "")",
      weightDecay == nil ? "Adam" : "AdamW", weightDecay.map { "\($0)" } ?? "-",
      dropout > 0 ? "\(dropout)" : "-", preparation == .none ? "-" : "\(preparation)",
      noiseCount > 1 ? "\(noiseCount)" : "-", "\(members)",
      prediction.postProcessing == .none ? "-" : "\(prediction.postProcessing)",
      prediction.testTime.map { "\($0.rawValue), \(prediction.combination.rawValue)" } ?? "-",
    ]
  }

  /// The cells that say something, by their columns.
  package var cells: [String: String] {
    let cells = zip(SegmenterPreset.columns, row).dropFirst().filter { $0.1 != "-" }
    return Dictionary(uniqueKeysWithValues: cells.map { ($0, $1) })
  }

  /// The same in words, for a help text.
  public var settings: String {
    SegmenterPreset.columns.compactMap { column in
      guard let cell = cells[column] else { return nil }
      return switch column {
      case "copies", "optimizer", "post-processing": cell
      case "epochs": "\(epochs) epochs\(schedule == .cosine ? ", cosine" : "")"
      case "models", "noises": "\(cell) \(column)"
      default: "\(column) \(cell)"
      }
    }.joined(separator: ", ")
  }
}
