/// Colours for numbers: a line through colour space along which equal steps look equal.
///
/// Made by N. J. Smith, S. van der Walt and E. Firing for matplotlib (2015, released to the public
/// domain under CC0). Here as 17 points of the line with straight pieces between them, within 6 grey
/// levels of the table of 256 everywhere.
public enum ColorMap: Sendable, Hashable, CaseIterable {
  /// Black over purple and orange to a pale yellow.
  case magma
  /// Dark blue over green to yellow.
  case viridis

  /// The colour of a number in 0...1; numbers outside take the colour of the end.
  /// - Precondition: `share` is not NaN.
  public func color(at share: Float) -> RGB {
    precondition(!share.isNaN, "NaN has no place on a colour map")
    let points = points
    let position = min(max(share, 0), 1) * Float(points.count - 1)
    let index = min(Int(position), points.count - 2)
    return points[index].mixed(with: points[index + 1], share: position - Float(index))
  }

  private var points: [RGB] {
    switch self {
    case .magma: Self.magmaPoints
    case .viridis: Self.viridisPoints
    }
  }

  private static let magmaPoints = points(
    "000004 0a0822 1d1147 36106b 51127c 6a1c81 832681 9c2e7f b73779",
    "cf4070 e55064 f4695c fb8761 fea571 fec287 fde0a1 fcfdbf")
  private static let viridisPoints = points(
    "440154 48186a 472d7b 424086 3b528b 33638d 2c728e 26828e 21918c",
    "1f9f88 27ad81 3dbc74 5cc863 81d34d aadc32 d5e21a fde725")

  private static func points(_ lines: String...) -> [RGB] {
    lines.flatMap { $0.split(separator: " ").map { RGB(hex: $0)! } }
  }
}
