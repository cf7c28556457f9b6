import Base

/// How pictures are cut into tiles of the model's size.
public struct Tiling: Sendable, Hashable {
  /// At what size a picture is cut.
  public enum Scale: Sendable, Hashable {
    /// So many times its own.
    case factor(Double)
    /// So that a pixel is so many micrometres wide; for pictures that say how wide theirs are.
    case pixelSize(Double)
  }

  public var scale: Scale
  /// Share of a tile that it has in common with the next one, along either side: at least 0 and below 1. Results are
  /// blended there.
  public var overlap: Double

  /// An eighth on either side: results near a border, where the model sees half of the surroundings, count little.
  public static let defaultOverlap = 0.25

  /// Scales are from a 1024th to 64 times.
  static let factors = 1.0 / 1024...64
  static let pixelSizes = 1e-6...1e6
  static let overlaps = 0.0...0.75

  public init(scale: Scale = .factor(1), overlap: Double = Tiling.defaultOverlap) {
    self.scale = scale
    self.overlap = overlap
  }

  /// - Throws: `DataError` of kind `.invalidArgument` for a scale or an overlap out of range.
  public func validate() throws(DataError) {
    func check(_ item: String, _ value: Double, _ range: ClosedRange<Double>) throws(DataError) {
      guard range.contains(value) else {
        throw DataError(
          .invalidArgument, file: "tiles", item: item, expected: "\(range.lowerBound) to \(range.upperBound)",
          found: "\(value)")
      }
    }
    switch scale {
    case .factor(let factor): try check("scale", factor, Self.factors)
    case .pixelSize(let size): try check("pixel size", size, Self.pixelSizes)
    }
    try check("overlap", overlap, Self.overlaps)
  }

  /// How many times larger than it came a picture is cut.
  /// - Parameters:
  ///   - pixelSize: micrometres a pixel of the picture; nil where it does not say
  ///   - name: the picture's file, for the message
  /// - Throws: `DataError` when the scale depends on what the picture does not say, or would be out of range.
  func factor(pixelSize: Double?, name: String) throws(DataError) -> Double {
    switch scale {
    case .factor(let factor): return factor
    case .pixelSize(let wanted):
      guard let pixelSize else {
        throw DataError(
          .unsupported, file: name, item: "pixel size",
          expected: "that of its pixels, to bring them to \(wanted) µm", found: "none: tell a scale instead")
      }
      guard Self.factors.contains(pixelSize / wanted) else {
        throw DataError(
          .unsupported, file: name, item: "pixel size",
          expected: "a scale of \(Self.factors.lowerBound) to \(Self.factors.upperBound)",
          found: "\(pixelSize) µm, to be brought to \(wanted) µm")
      }
      return pixelSize / wanted
    }
  }
}

extension Tiling: CustomStringConvertible {
  /// `tile`, `tile:scale=0.5`, `tile:pixel-size=0.65,overlap=0.5`
  public var description: String {
    var parts: [String] = []
    switch scale {
    case .factor(let factor): if factor != 1 { parts.append("scale=\(factor)") }
    case .pixelSize(let size): parts.append("pixel-size=\(size)")
    }
    if overlap != Self.defaultOverlap { parts.append("overlap=\(overlap)") }
    return "tile" + (parts.isEmpty ? "" : ":" + parts.joined(separator: ","))
  }

  /// Reads what `description` writes.
  /// - Throws: `DataError` of kind `.invalidArgument` for anything else.
  public init(_ text: String) throws(DataError) {
    let failure = DataError(
      .invalidArgument, file: "tiles", expected: "tile[:scale=S|pixel-size=S][,overlap=O]", found: text)
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts[0] == "tile" else { throw failure }
    self.init()
    var seen = Set<Substring>()
    for setting in parts.count > 1 ? parts[1].split(separator: ",", omittingEmptySubsequences: false) : [] {
      let pair = setting.split(separator: "=", omittingEmptySubsequences: false)
      guard pair.count == 2, let value = Double(pair[1]),
        // Both say the scale.
        seen.insert(pair[0] == "pixel-size" ? "scale" : pair[0]).inserted
      else { throw failure }
      switch pair[0] {
      case "scale": scale = .factor(value)
      case "pixel-size": scale = .pixelSize(value)
      case "overlap": overlap = value
      default: throw failure
      }
    }
    try validate()
  }
}
