/// A class for every pixel.
public struct LabelMask: Sendable, Equatable {
  /// The label of pixels that count for nothing, by convention of many datasets.
  public static let ignoreLabel: UInt8 = 255

  /// Pixels a row, at least 1.
  public let width: Int
  /// Rows, at least 1.
  public let height: Int
  /// The labels, `[height, width]` row by row.
  public private(set) var labels: [UInt8]

  /// A mask of the given labels, `[height, width]`.
  /// - Precondition: both sides are positive and there are width * height labels.
  public init(width: Int, height: Int, labels: [UInt8]) {
    let count = pixelCount(width: width, height: height)
    precondition(labels.count == count, "\(labels.count) labels do not fill a mask of \(width) x \(height)")
    self.width = width
    self.height = height
    self.labels = labels
  }

  /// A mask of whole numbers of any width, wrapped around to 0...255 as the reference does with the
  /// values of a `.npy` mask (-1 becomes 255, the ignore label).
  /// - Precondition: both sides are positive and there are width * height values.
  public init(width: Int, height: Int, wrapping values: some Collection<some BinaryInteger>) {
    self.init(width: width, height: height, labels: values.map { UInt8(truncatingIfNeeded: $0) })
  }

  /// A mask of one label.
  /// - Precondition: both sides are positive.
  public init(width: Int, height: Int, label: UInt8) {
    let count = pixelCount(width: width, height: height)
    self.init(width: width, height: height, labels: Array(repeating: label, count: count))
  }

  /// The label of a pixel; `x` counts columns from the left, `y` rows from the top.
  /// - Precondition: the pixel lies inside the mask.
  public subscript(x: Int, y: Int) -> UInt8 {
    get { labels[position(x, y)] }
    set { labels[position(x, y)] = newValue }
  }

  private func position(_ x: Int, _ y: Int) -> Int {
    precondition(
      x >= 0 && x < width && y >= 0 && y < height, "pixel (\(x), \(y)) outside a mask of \(width) x \(height)"
    )
    return y * width + x
  }

  /// How many pixels bear each label: 256 counts.
  public var histogram: [Int] {
    var counts = Array(repeating: 0, count: 256)
    for label in labels { counts[Int(label)] += 1 }
    return counts
  }
}
