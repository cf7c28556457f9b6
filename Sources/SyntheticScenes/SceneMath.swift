import TensorCore

/// A place or a direction in a picture whose side is 64 units, whatever its number of pixels; y points down.
typealias ScenePoint = SIMD2<Float>

/// Red, green and blue, 0 (black) to 1 as in a file: no gamma is taken into account.
typealias SceneColor = SIMD3<Float>

extension SIMD2<Float> {
  /// The unit vector of an angle in turns, from x towards y.
  ///
  /// Nothing but sums and products: sines of C libraries differ in the last bit from one machine to the next.
  init(turns: Float) {
    self.init(Self.sine(turns + 0.25), Self.sine(turns))
  }

  /// Sine of an angle in turns, by Taylor's series to the ninth power (error below 4e-6).
  private static func sine(_ turns: Float) -> Float {
    var turns = turns - turns.rounded()
    if turns > 0.25 { turns = 0.5 - turns } else if turns < -0.25 { turns = -0.5 - turns }
    let angle = 2 * Float.pi * turns
    let square = angle * angle
    let tail = 1 - square / 42 * (1 - square / 72)
    return angle * (1 - square / 6 * (1 - square / 20 * tail))
  }

  func dot(_ other: Self) -> Float { x * other.x + y * other.y }

  var length: Float { dot(self).squareRoot() }

  /// This vector after a quarter turn from x towards y.
  var turned: Self { Self(-y, x) }
}

/// The value `share` of the way from `a` to `b`.
func mix<Vector: SIMD>(_ a: Vector, _ b: Vector, _ share: Float) -> Vector where Vector.Scalar == Float {
  a + (b - a) * share
}

/// 0 below `low`, 1 above `high`, smooth between (3t² - 2t³).
func smoothStep(_ low: Float, _ high: Float, _ value: Float) -> Float {
  let share = min(max((value - low) / (high - low), 0), 1)
  return share * share * (3 - 2 * share)
}

extension Philox {
  /// A number in a range; the upper end may come out by rounding.
  mutating func uniform(_ range: ClosedRange<Float>) -> Float {
    range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
  }

  /// True with a probability of 0...1.
  mutating func chance(_ probability: Float) -> Bool { uniform() < probability }

  /// One of some things, all equally likely.
  mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[min(Int(uniform() * Float(elements.count)), elements.count - 1)]
  }

  /// A whole number in a range.
  mutating func integer(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + min(Int(uniform() * Float(range.count)), range.count - 1)
  }
}

/// A frame of coordinates that is turned, scaled and perhaps mirrored against the picture's.
struct SceneFrame {
  let origin: ScenePoint
  /// Picture units of one unit of the frame.
  let scale: Float
  private let right: ScenePoint
  private let down: ScenePoint

  /// - Parameters:
  ///   - turns: from x towards y, before the mirroring.
  ///   - mirrored: x points to the left.
  init(origin: ScenePoint = .zero, scale: Float = 1, turns: Float = 0, mirrored: Bool = false) {
    let flip = ScenePoint(mirrored ? -1 : 1, 1)
    let axis = ScenePoint(turns: turns)
    self.origin = origin
    self.scale = scale
    right = axis * flip
    down = axis.turned * flip
  }

  /// A frame inside this one.
  func frame(at place: ScenePoint, scale: Float = 1, turns: Float) -> SceneFrame {
    let axis = ScenePoint(turns: turns)
    return SceneFrame(
      origin: outside(place), scale: self.scale * scale, right: right * axis.x + down * axis.y,
      down: right * axis.turned.x + down * axis.turned.y)
  }

  private init(origin: ScenePoint, scale: Float, right: ScenePoint, down: ScenePoint) {
    self.origin = origin
    self.scale = scale
    self.right = right
    self.down = down
  }

  /// Where in the picture a place of the frame lies.
  func outside(_ place: ScenePoint) -> ScenePoint { origin + (right * place.x + down * place.y) * scale }

  /// Where in the frame a place of the picture lies.
  func inside(_ place: ScenePoint) -> ScenePoint {
    let offset = (place - origin) / scale
    return ScenePoint(offset.dot(right), offset.dot(down))
  }

  /// A direction of the frame in the picture, with its length kept.
  func direction(_ vector: ScenePoint) -> ScenePoint { right * vector.x + down * vector.y }
}
