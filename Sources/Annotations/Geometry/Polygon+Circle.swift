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

  /// An ellipse with axes along the sides of the picture as a polygon of 128 corners on it.
  init(ellipseAround centre: Point, radii: (x: Double, y: Double)) {
    self.init(rings: [
      (0..<128).map { step in
        let angle = 2 * Double.pi * Double(step) / 128
        return Point(centre.x + radii.x * cos(angle), centre.y + radii.y * sin(angle))
      }
    ])
  }

  /// The polygon turned around a point.
  /// - Parameter degrees: clockwise as seen
  func turned(by degrees: Double, around centre: Point) -> Polygon {
    guard degrees != 0 else { return self }
    let (sine, cosine) = (sin(degrees * .pi / 180), cos(degrees * .pi / 180))
    return Polygon(
      rings: rings.map { ring in
        ring.map { point in
          let (x, y) = (point.x - centre.x, point.y - centre.y)
          return Point(centre.x + x * cosine - y * sine, centre.y + x * sine + y * cosine)
        }
      })
  }
}
