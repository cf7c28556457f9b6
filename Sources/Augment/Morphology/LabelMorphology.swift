import Base
import Images

/// Erosion, dilation and their combinations on label numbers, as the report's experiment 1 has them: the label map
/// is treated as a grey picture, so that a class with a larger number gives way when eroded and spreads when
/// dilated, whatever the classes are.
///
/// Source: OpenCV's `erode` and `dilate` with their default border, which takes no part.
public struct LabelMorphology: Sendable, Hashable {
  public enum Operation: String, Sendable, Hashable, CaseIterable {
    /// The smallest label of the neighbourhood.
    case erosion
    /// The largest label of the neighbourhood.
    case dilation
    /// Erosion, then dilation.
    case opening
    /// Dilation, then erosion.
    case closing
  }

  /// The neighbourhood of a pixel.
  public enum Element: String, Sendable, Hashable, CaseIterable {
    /// The pixels of its row and column.
    case cross
    /// All pixels of a square.
    case rect
  }

  public var operation: Operation
  public var element: Element
  /// Side of the neighbourhood, odd.
  public var size: Int
  /// How often each half of the operation is repeated.
  public var iterations: Int

  /// - Throws: `DataError` when the size is not odd and positive or the iterations are below 1.
  public init(_ operation: Operation, _ element: Element = .cross, size: Int = 3, iterations: Int = 1)
    throws(DataError)
  {
    guard size >= 1, size <= 255, size % 2 == 1 else {
      throw DataError(
        .invalidArgument, file: "morphology", item: "size", expected: "an odd number up to 255",
        found: "\(size)")
    }
    guard (1...1000).contains(iterations) else {
      throw DataError(
        .invalidArgument, file: "morphology", item: "iterations", expected: "1 to 1000",
        found: "\(iterations)")
    }
    (self.operation, self.element, self.size, self.iterations) = (operation, element, size, iterations)
  }

  public func apply(to mask: LabelMask) -> LabelMask {
    let halves: [(UInt8, UInt8) -> UInt8] =
      switch operation {
      case .erosion: [{ min($0, $1) }]
      case .dilation: [{ max($0, $1) }]
      case .opening: [{ min($0, $1) }, { max($0, $1) }]
      case .closing: [{ max($0, $1) }, { min($0, $1) }]
      }
    var labels = mask.labels
    for choose in halves {
      for _ in 0..<iterations { labels = extreme(labels, mask.width, mask.height, choose) }
    }
    return LabelMask(width: mask.width, height: mask.height, labels: labels)
  }

  private func extreme(
    _ labels: [UInt8], _ width: Int, _ height: Int, _ choose: (UInt8, UInt8) -> UInt8
  ) -> [UInt8] {
    switch element {
    case .rect:
      // A square is a row of columns.
      return line(line(labels, width, height, across: true, choose), width, height, across: false, choose)
    case .cross:
      let across = line(labels, width, height, across: true, choose)
      let down = line(labels, width, height, across: false, choose)
      return zip(across, down).map(choose)
    }
  }

  /// The chosen label among the neighbours of a row or column.
  private func line(
    _ labels: [UInt8], _ width: Int, _ height: Int, across: Bool, _ choose: (UInt8, UInt8) -> UInt8
  ) -> [UInt8] {
    let radius = size / 2
    var chosen = labels
    for y in 0..<height {
      for x in 0..<width {
        let (place, last, step) = across ? (x, width - 1, 1) : (y, height - 1, width)
        let pixel = y * width + x
        var label = labels[pixel]
        for shift in -min(radius, place)...min(radius, last - place) {
          label = choose(label, labels[pixel + shift * step])
        }
        chosen[pixel] = label
      }
    }
    return chosen
  }
}
