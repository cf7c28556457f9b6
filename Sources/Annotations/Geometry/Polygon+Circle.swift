import Foundation

extension Polygon {
  /// A circle as a polygon of 128 corners on it.
  init(circleAround centre: Point, through edge: Point) {
    let (x, y) = (edge.x - centre.x, edge.y - centre.y)
    self.init(rings: [
      (0..<128).map { step in
        let angle = 2 * Double.pi * Double(step) / 128
        return Point(
          centre.x + x * cos(angle) - y * sin(angle), centre.y + x * sin(angle) + y * cos(angle))
      }
    ])
  }
}
