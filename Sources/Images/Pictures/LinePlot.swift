import Foundation

/// A curve as a picture, with the numbers at the ends of its axes.
public struct LinePlot: Sendable {
  public var points: [(x: Double, y: Double)]
  public var title: String
  public var horizontalTitle: String
  /// Whether equal factors have equal heights, rather than equal differences; values of 0 or below are left out.
  public var isLogarithmic: Bool
  public var width = 640
  public var height = 360
  public var background = RGB.white
  public var ink = RGB(30, 30, 30)
  public var grid = RGB(225, 225, 225)
  public var line = RGB(11, 107, 203)

  /// - Parameters:
  ///   - points: in the order of the horizontal axis; those that are not finite are left out
  ///   - title: above the curve
  ///   - horizontalTitle: below the horizontal axis
  ///   - isLogarithmic: whether equal factors have equal heights; values of 0 or below are left out
  public init(
    points: [(Double, Double)], title: String = "", horizontalTitle: String = "", isLogarithmic: Bool = false
  ) {
    self.points = points.filter { $0.0.isFinite && $0.1.isFinite && (!isLogarithmic || $0.1 > 0) }
      .map { (x: $0.0, y: $0.1) }
    self.title = title
    self.horizontalTitle = horizontalTitle
    self.isLogarithmic = isLogarithmic
  }

  private static let scale = 2
  private static let (left, right, top, bottom) = (92, 24, 44, 52)

  /// Draws it.
  public func image() -> Image {
    var image = Image(width: width, height: height, color: background)
    let (left, top) = (Self.left, Self.top)
    let (plotWidth, plotHeight) = (width - left - Self.right, height - top - Self.bottom)
    let xs = Self.range(points.map(\.x))
    let ys = Self.range(points.map { scaled($0.y) })
    for share in 0...4 {
      let y = top + plotHeight * share / 4
      for x in left..<left + plotWidth { image[x, y] = grid }
      let value = ys.upperBound - (ys.upperBound - ys.lowerBound) * Double(share) / 4
      let text = Self.text(isLogarithmic ? pow(10, value) : value)
      write(text, on: &image, x: left - 8 - textWidth(text), y: y - 7)
    }
    for (share, x) in [(0.0, left), (1, left + plotWidth)] {
      let text = Self.text(xs.lowerBound + share * (xs.upperBound - xs.lowerBound))
      write(text, on: &image, x: share == 0 ? x : x - textWidth(text), y: top + plotHeight + 12)
    }
    write(title, on: &image, x: left, y: 14)
    write(
      horizontalTitle, on: &image, x: left + (plotWidth - textWidth(horizontalTitle)) / 2,
      y: top + plotHeight + 12)
    var last: (x: Double, y: Double)?
    for point in points {
      let place = (
        x: Double(left) + Double(plotWidth - 1) * Self.share(point.x, xs),
        y: Double(top) + Double(plotHeight) * (1 - Self.share(scaled(point.y), ys))
      )
      stroke(from: last ?? place, to: place, on: &image)
      last = place
    }
    return image
  }

  /// A value as its height counts.
  private func scaled(_ y: Double) -> Double { isLogarithmic ? log10(y) : y }

  private func stroke(
    from start: (x: Double, y: Double), to end: (x: Double, y: Double), on image: inout Image
  ) {
    let steps = max(1, Int(max(abs(end.x - start.x), abs(end.y - start.y)) * 2))
    for step in 0...steps {
      let share = Double(step) / Double(steps)
      let (x, y) = (
        Int(start.x + (end.x - start.x) * share), Int(start.y + (end.y - start.y) * share)
      )
      for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)]
      where (0..<width).contains(x + dx) && (0..<height).contains(y + dy) { image[x + dx, y + dy] = line }
    }
  }

  private func textWidth(_ text: String) -> Int { BitmapFont.width(of: text, scale: Self.scale) }

  private func write(_ text: String, on image: inout Image, x: Int, y: Int) {
    BitmapFont.draw(text, on: &image, x: x, y: y, scale: Self.scale, color: ink)
  }

  /// From the least to the largest, with some width where they are alike.
  private static func range(_ values: [Double]) -> ClosedRange<Double> {
    let (low, high) = (values.min() ?? 0, values.max() ?? 1)
    return high > low ? low...high : low - 0.5...low + 0.5
  }

  private static func share(_ value: Double, _ range: ClosedRange<Double>) -> Double {
    (value - range.lowerBound) / (range.upperBound - range.lowerBound)
  }

  /// Three digits, whole numbers without a fraction; powers of ten where there is no room for the digits.
  private static func text(_ value: Double) -> String {
    if abs(value) >= 1e7 { return String(format: "%.1e", value) }
    if abs(value) >= 100 || value == value.rounded() { return "\(Int(value.rounded()))" }
    var (scale, size) = (1.0, abs(value))
    while size < 100 { (size, scale) = (size * 10, scale * 10) }
    return "\((value * scale).rounded() / scale)"
  }
}
