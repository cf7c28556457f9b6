import Base

/// A place in a picture: `x` to the right, `y` down, in pixels. The left top corner of the picture is (0, 0) and the
/// centre of its first pixel (0.5, 0.5).
public struct Point: Sendable, Hashable {
  public var x: Double
  public var y: Double

  public init(_ x: Double, _ y: Double) {
    self.x = x
    self.y = y
  }

  /// The largest coordinate that is taken, in pixels either way: beyond it a file is damaged.
  public static let maximumCoordinate = 1e7

  var isUsable: Bool {
    x.isFinite && y.isFinite && abs(x) <= Self.maximumCoordinate && abs(y) <= Self.maximumCoordinate
  }
}

/// An area bounded by closed rings: what lies within an odd number of them is inside, so that rings within a ring are
/// holes.
public struct Polygon: Sendable, Hashable {
  /// Corners in order; the last is joined to the first.
  public var rings: [[Point]]

  /// - Parameter rings: the outline first, then its holes; directions do not matter
  public init(rings: [[Point]]) { self.rings = rings }

  /// A rectangle with sides along those of the picture.
  public init(x: Double, y: Double, width: Double, height: Double) {
    rings = [[Point(x, y), Point(x + width, y), Point(x + width, y + height), Point(x, y + height)]]
  }

  /// - Throws: `DataError` of kind `.malformed` for a ring of fewer than three corners, or a corner that is not finite
  ///   or beyond `Point.maximumCoordinate`.
  func check(file: String, item: String) throws(DataError) {
    for ring in rings {
      guard ring.count >= 3 else {
        throw DataError(
          .malformed, file: file, item: item, expected: "at least 3 corners", found: "\(ring.count)")
      }
      if let corner = ring.first(where: { !$0.isUsable }) {
        throw DataError(
          .malformed, file: file, item: item,
          expected:
            "coordinates between -\(Int(Point.maximumCoordinate)) and \(Int(Point.maximumCoordinate))",
          found: "(\(corner.x), \(corner.y))")
      }
    }
  }

  /// Whether a corner lies outside a picture.
  func leaves(width: Int, height: Int) -> Bool {
    rings.contains { $0.contains { $0.x < 0 || $0.y < 0 || $0.x > Double(width) || $0.y > Double(height) } }
  }

  /// Area of a ring, positive when its corners go clockwise as seen (by Gauss).
  static func signedArea(_ ring: [Point]) -> Double {
    var sum = 0.0
    for (index, point) in ring.enumerated() {
      let next = ring[(index + 1) % ring.count]
      sum += point.x * next.y - next.x * point.y
    }
    return sum / 2
  }

  /// Area within the outlines less that of the holes, in pixels, for rings that do not cross.
  var area: Double {
    guard let outline = rings.first else { return 0 }
    return rings.dropFirst().reduce(abs(Self.signedArea(outline))) { $0 - abs(Self.signedArea($1)) }
  }
}
