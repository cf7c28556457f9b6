import Base
import Images

/// What is done to predicted labels in the end.
public enum PostProcessing: Sendable, Hashable {
  case none
  case morphology(LabelMorphology)
  /// See `LabelMask.majorityFiltered(radius:)`.
  case majority(radius: Int)
  /// See `LabelMask.removingIslands(below:)`.
  case islands(area: Int)

  /// The report's experiment 1. The report calls it a closing, describes erosion and then dilation, and does the
  /// latter: an opening with a cross of 3 pixels.
  public static let reportOpening = PostProcessing.morphology(try! LabelMorphology(.opening, .cross))

  public func apply(to mask: LabelMask) -> LabelMask {
    switch self {
    case .none: mask
    case .morphology(let morphology): morphology.apply(to: mask)
    case .majority(let radius): mask.majorityFiltered(radius: radius)
    case .islands(let area): mask.removingIslands(below: area)
    }
  }
}

extension PostProcessing: CustomStringConvertible {
  /// The forms that `init(_:)` reads.
  public static let forms =
    "none, report-opening, majority:RADIUS, islands:AREA or erosion|dilation|opening|closing:cross|rect:SIZE[:TIMES]"

  /// Reads what `description` writes: `none`, `report-opening`, `majority:1`, `islands:20`, `closing:rect:5`.
  /// - Throws: `DataError` for anything else.
  public init(_ text: String) throws(DataError) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    switch (parts[0], parts.count) {
    case ("none", 1): self = .none
    case ("report-opening", 1): self = .reportOpening
    case ("majority", 2):
      guard let radius = Int(parts[1]), (0...1000).contains(radius) else { throw Self.error(text) }
      self = .majority(radius: radius)
    case ("islands", 2):
      guard let area = Int(parts[1]), area >= 0 else { throw Self.error(text) }
      self = .islands(area: area)
    case (_, 3...4):
      guard let operation = LabelMorphology.Operation(rawValue: parts[0]),
        let element = LabelMorphology.Element(rawValue: parts[1]), let size = Int(parts[2]),
        let iterations = parts.count == 4 ? Int(parts[3]) : 1
      else { throw Self.error(text) }
      self = .morphology(try LabelMorphology(operation, element, size: size, iterations: iterations))
    default: throw Self.error(text)
    }
  }

  private static func error(_ text: String) -> DataError {
    DataError(.invalidArgument, file: "post-processing", expected: forms, found: text)
  }

  public var description: String {
    switch self {
    case .none: "none"
    case .reportOpening: "report-opening"
    case .morphology(let morphology):
      "\(morphology.operation.rawValue):\(morphology.element.rawValue):\(morphology.size)"
        + (morphology.iterations > 1 ? ":\(morphology.iterations)" : "")
    case .majority(let radius): "majority:\(radius)"
    case .islands(let area): "islands:\(area)"
    }
  }
}
