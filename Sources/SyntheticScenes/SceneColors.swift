import TensorCore

/// The few colours of one scene. The creature and the things around it share them.
struct SceneColors {
  /// Colours of the coat, the saddle and most things.
  let common: [SceneColor]
  /// Colours of the wall or sky and of the ground.
  let wall: SceneColor
  let ground: SceneColor
  /// The coat, in the frame of the picture.
  let coat: SceneTexture
  /// The saddle, likewise.
  let saddle: SceneTexture

  init(_ random: inout Philox) {
    let common = (0..<5).map { _ in Self.anyColor(&random) }
    self.common = common
    var coat = SceneTexture(&random, colors: common)
    coat.second = common.max { Self.distance($0, coat.first) < Self.distance($1, coat.first) }!
    self.coat = coat
    // Far enough from the coat that the outline can be seen, though not from the coat's second colour.
    wall = Self.color(&random, farFrom: coat.first)
    ground = Self.color(&random, farFrom: coat.first)
    var saddle = SceneTexture(&random, colors: common + [wall, ground])
    if Self.distance(saddle.first, coat.first) < 0.3 { saddle.first = coat.second }
    self.saddle = saddle
  }

  /// What a thing in the background looks like: often cut from the coat or the saddle.
  func anyTexture(_ random: inout Philox, in frame: SceneFrame = SceneFrame()) -> SceneTexture {
    switch random.uniform() {
    case ..<0.3: coat.moved(to: frame.frame(at: .zero, turns: random.uniform()))
    case ..<0.45: saddle.moved(to: frame.frame(at: .zero, turns: random.uniform()))
    default: SceneTexture(&random, colors: common + [wall, ground], frame: frame)
    }
  }

  private static func color(_ random: inout Philox, farFrom color: SceneColor) -> SceneColor {
    var best = anyColor(&random)
    for _ in 0..<6 where distance(best, color) < 0.4 {
      let other = anyColor(&random)
      if distance(other, color) > distance(best, color) { best = other }
    }
    return best
  }

  private static func distance(_ a: SceneColor, _ b: SceneColor) -> Float {
    ((a - b) * (a - b)).sum().squareRoot()
  }

  private static func anyColor(_ random: inout Philox) -> SceneColor {
    let jitter = SceneColor(
      random.uniform(-0.06...0.06), random.uniform(-0.06...0.06), random.uniform(-0.06...0.06))
    return random.pick(pigments) * random.uniform(0.85...1.1) + jitter
  }

  /// Colours of hides, earth, plants, stones, cloth and skies.
  private static let pigments: [SceneColor] = [
    [0.45, 0.30, 0.18], [0.76, 0.62, 0.42], [0.92, 0.87, 0.75], [0.68, 0.36, 0.18], [0.22, 0.20, 0.21],
    [0.56, 0.56, 0.57], [0.90, 0.90, 0.89], [0.36, 0.44, 0.54], [0.60, 0.76, 0.90], [0.46, 0.48, 0.25],
    [0.33, 0.52, 0.24], [0.56, 0.65, 0.36], [0.25, 0.50, 0.48], [0.64, 0.24, 0.20], [0.82, 0.64, 0.20],
    [0.46, 0.28, 0.42], [0.86, 0.62, 0.60], [0.30, 0.33, 0.55],
  ]
}
