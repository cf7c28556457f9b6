import TensorCore

/// Colours of a surface: two of them in a pattern, and fine noise like fur or grit over it.
///
/// The creature's parts and the things around it draw their textures from the same distribution, often the very
/// same texture, so that no patch tells by itself what it belongs to.
struct SceneTexture {
  enum Pattern: CaseIterable {
    case plain, stripes, spots, patches, mottled
  }

  var pattern: Pattern
  var first: SceneColor
  var second: SceneColor
  /// Side of a spot or width of a stripe, in units of the frame.
  var period: Float
  /// The share of the second colour, -1 (little) to 1 (much).
  var bias: Float
  /// Amplitude of the fine noise.
  var grain: Float
  var frame: SceneFrame
  var seed: UInt32

  /// A texture in two of the given colours.
  init(_ random: inout Philox, colors: [SceneColor], frame: SceneFrame = SceneFrame()) {
    pattern = random.pick(Pattern.allCases)
    first = random.pick(colors)
    second = random.pick(colors)
    period = random.uniform(2.6...5)
    bias = random.uniform(-0.5...0.3)
    grain = random.uniform(0.02...0.08)
    seed = random.nextWord()
    self.frame = frame.frame(at: .zero, turns: random.uniform(-0.12...0.12))
  }

  /// The same surface lying in another frame, as if cut from the same cloth.
  func moved(to frame: SceneFrame) -> SceneTexture {
    var texture = self
    texture.frame = frame
    return texture
  }

  /// The colour at a place of the picture, before light falls on it.
  func color(at place: ScenePoint) -> SceneColor {
    let local = frame.inside(place)
    let fine = (Self.noise(local * 0.9, seed &+ 1) - 0.5) * 2 * grain
    return mix(first, second, share(at: local)) * (1 + fine)
  }

  /// The share of the second colour, 0...1.
  private func share(at local: ScenePoint) -> Float {
    switch pattern {
    case .plain: return 0
    case .stripes:
      let wobble = Self.noise(local * 0.15, seed) * 3
      let phase = (local.x + wobble) / (1.6 * period)
      let wave = 4 * abs(phase - phase.rounded()) - 1
      return smoothStep(-0.25, 0.25, wave + bias)
    case .spots:
      return spot(at: local / (1.4 * period))
    case .patches:
      return smoothStep(0.47, 0.53, Self.noise(local / (1.8 * period), seed) + 0.12 * bias)
    case .mottled:
      let coarse = Self.noise(local / period, seed) + 0.5 * Self.noise(local / period * 2.1, seed &+ 7)
      return smoothStep(0.4, 1.1, coarse)
    }
  }

  /// One round spot in every cell of a grid, moved at random.
  private func spot(at place: ScenePoint) -> Float {
    let cell = Self.cell(of: place)
    let bits = Self.hash(SIMD4(repeating: cell.x), SIMD4(repeating: cell.y) &+ SIMD4(0, 0x4000, 0, 0), seed)
    let jitter = ScenePoint(Float(bits.x), Float(bits.y)) * 0x1p-24
    let offset = place - ScenePoint(cell) - (0.36 + 0.28 * jitter)
    return 1 - smoothStep(0.24, 0.32, offset.length - 0.06 * bias)
  }

  /// Smooth noise with a grid of 1, 0...1: values at the grid's points, smoothly interpolated.
  static func noise(_ place: ScenePoint, _ seed: UInt32) -> Float {
    let cell = cell(of: place)
    let offset = place - ScenePoint(cell)
    let share = offset * offset * (3 - 2 * offset)
    let (x, y) = (cell.x, cell.y)
    // Left and right above, left and right below.
    let corners = hash(SIMD4(x, x &+ 1, x, x &+ 1), SIMD4(y, y, y &+ 1, y &+ 1), seed)
    let values = SIMD4<Float>(SIMD4<Int32>(truncatingIfNeeded: corners))
    let column = values.evenHalf + (values.oddHalf - values.evenHalf) * share.x
    return (column.x + (column.y - column.x) * share.y) * 0x1p-24
  }

  /// The whole numbers below a place. Rounding down is a slow call on some processors, cutting off is not.
  @inline(__always)
  private static func cell(of place: ScenePoint) -> SIMD2<Int32> {
    let (x, y) = (Int32(place.x), Int32(place.y))
    return SIMD2(Float(x) > place.x ? x - 1 : x, Float(y) > place.y ? y - 1 : y)
  }

  /// 24 random bits for each of four points of the grid (the finisher of MurmurHash3).
  @inline(__always)
  private static func hash(_ x: SIMD4<Int32>, _ y: SIMD4<Int32>, _ seed: UInt32) -> SIMD4<UInt32> {
    var words = SIMD4<UInt32>(truncatingIfNeeded: x) &* 0x9E37_79B1
    words ^= SIMD4<UInt32>(truncatingIfNeeded: y) &* 0x85EB_CA77 ^ seed
    words = (words ^ words &>> 16) &* 0x85EB_CA6B
    words = (words ^ words &>> 13) &* 0xC2B2_AE35
    return (words ^ words &>> 16) &>> 8
  }
}
