/// Something that can be painted.
protocol SceneShape {
  /// The corners of a rectangle around it.
  var bounds: (low: ScenePoint, high: ScenePoint) { get }

  /// The part of the surface's normal that lies in the picture, of length 0 (faces the viewer) to 1 (an edge);
  /// nil outside of the shape.
  func normal(at place: ScenePoint) -> ScenePoint?
}

/// An ellipsoid.
struct SceneEllipse: SceneShape {
  private let frame: SceneFrame
  private let radii: ScenePoint

  /// - Parameter radii: in units of the frame, whose origin is the centre.
  init(_ frame: SceneFrame, radii: ScenePoint) {
    self.frame = frame
    self.radii = radii
  }

  init(center: ScenePoint, radius: Float) {
    self.init(SceneFrame(origin: center), radii: ScenePoint(radius, radius))
  }

  var bounds: (low: ScenePoint, high: ScenePoint) {
    let reach = frame.scale * radii.max()
    return (frame.origin - reach, frame.origin + reach)
  }

  func normal(at place: ScenePoint) -> ScenePoint? {
    let unit = frame.inside(place) / radii
    return unit.dot(unit) < 1 ? frame.direction(unit) : nil
  }
}

/// Round rods joined end to end, each with a radius at both ends: legs, tails, necks, poles, blades of grass.
struct SceneChain: SceneShape {
  private var joints: [(place: ScenePoint, radius: Float)]

  /// - Parameters:
  ///   - joints: places and radii, at least two, in the frame's units.
  ///   - growth: added to all radii.
  init(_ joints: [(place: ScenePoint, radius: Float)], in frame: SceneFrame = SceneFrame(), growth: Float = 0)
  {
    self.joints = joints.map { (frame.outside($0.place), ($0.radius + growth) * frame.scale) }
  }

  var bounds: (low: ScenePoint, high: ScenePoint) {
    var (low, high) = (ScenePoint(repeating: .infinity), ScenePoint(repeating: -.infinity))
    for joint in joints {
      low = pointwiseMin(low, joint.place - joint.radius)
      high = pointwiseMax(high, joint.place + joint.radius)
    }
    return (low, high)
  }

  func normal(at place: ScenePoint) -> ScenePoint? {
    var best = ScenePoint(2, 0)
    for index in 1..<joints.count {
      let (start, end) = (joints[index - 1], joints[index])
      let along = end.place - start.place
      let share = min(max((place - start.place).dot(along) / max(along.dot(along), 1e-6), 0), 1)
      let radius = start.radius + (end.radius - start.radius) * share
      let normal = (place - start.place - along * share) / radius
      if normal.dot(normal) < best.dot(best) { best = normal }
    }
    return best.dot(best) < 1 ? best : nil
  }
}

/// A rectangle whose edges are rounded off.
struct SceneBox: SceneShape {
  private let frame: SceneFrame
  private let halfSides: ScenePoint
  private let rounding: Float

  /// - Parameters:
  ///   - halfSides: in units of the frame, whose origin is the centre.
  ///   - rounding: radius of the corners, at most the smaller half side.
  init(_ frame: SceneFrame, halfSides: ScenePoint, rounding: Float) {
    self.frame = frame
    self.halfSides = halfSides
    self.rounding = rounding
  }

  var bounds: (low: ScenePoint, high: ScenePoint) {
    let reach = frame.scale * halfSides.length
    return (frame.origin - reach, frame.origin + reach)
  }

  func normal(at place: ScenePoint) -> ScenePoint? {
    let local = frame.inside(place)
    var corner = ScenePoint(abs(local.x), abs(local.y)) - (halfSides - rounding)
    corner = pointwiseMax(corner, .zero) / rounding
    guard corner.dot(corner) < 1 else { return nil }
    let signs = ScenePoint(local.x < 0 ? -1 : 1, local.y < 0 ? -1 : 1)
    return frame.direction(corner * signs)
  }
}

/// A triangle with the given corners, flat.
struct SceneTriangle: SceneShape {
  let corners: (ScenePoint, ScenePoint, ScenePoint)

  var bounds: (low: ScenePoint, high: ScenePoint) {
    let (a, b, c) = corners
    return (pointwiseMin(pointwiseMin(a, b), c), pointwiseMax(pointwiseMax(a, b), c))
  }

  func normal(at place: ScenePoint) -> ScenePoint? {
    let (a, b, c) = corners
    let sides = SIMD3(
      (b - a).turned.dot(place - a), (c - b).turned.dot(place - b), (a - c).turned.dot(place - c))
    return sides.min() >= 0 || sides.max() <= 0 ? .zero : nil
  }
}

/// What two shapes have in common, with the first one's surface: a cloth cut to the second's outline.
struct SceneIntersection<Surface: SceneShape, Outline: SceneShape>: SceneShape {
  let surface: Surface
  let outline: Outline

  var bounds: (low: ScenePoint, high: ScenePoint) {
    let (a, b) = (surface.bounds, outline.bounds)
    return (pointwiseMax(a.low, b.low), pointwiseMin(a.high, b.high))
  }

  func normal(at place: ScenePoint) -> ScenePoint? {
    outline.normal(at: place) == nil ? nil : surface.normal(at: place)
  }
}
