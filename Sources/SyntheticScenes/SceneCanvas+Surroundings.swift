import TensorCore

extension SceneCanvas {
  /// Paints the wall or sky, the ground, and what stands on it behind the creature.
  /// - Parameter feet: y of the creature's feet.
  mutating func paintBackground(colors: SceneColors, feet: Float, _ random: inout Philox) {
    let horizon = feet - random.uniform(4...26)
    let slope = random.uniform(-0.06...0.06)
    let roughness = random.uniform(0...4)
    let wave = random.nextWord()
    var wall = SceneTexture(&random, colors: [colors.wall])
    wall.second = mix(colors.wall, random.pick(colors.common), random.uniform(0.2...0.8))
    wall.period = random.uniform(4...9)
    var ground = SceneTexture(&random, colors: [colors.ground])
    ground.second = mix(colors.ground, random.pick(colors.common), random.uniform(0.2...0.8))
    ground.pattern = random.pick([.plain, .mottled, .mottled, .patches, .stripes])
    ground.grain = random.uniform(0.08...0.2)
    let fade = random.uniform(0...0.25)
    fill { place in
      var edge = horizon + slope * (place.x - 32)
      if abs(place.y - edge) < roughness { edge += roughness * (SceneTexture.noise(place * 0.1, wave) - 0.5) }
      guard place.y > edge else {
        return wall.color(at: place) * (1.02 - fade * place.y / 64)
      }
      // The ground is darker where it meets the wall.
      return ground.color(at: place) * (0.72 + 0.3 * smoothStep(0, 16, place.y - edge))
    }

    for _ in 0..<random.integer(1...3) { paintHill(horizon, colors, &random) }
    // Things stand in front of those that are farther away, which is higher up on the ground.
    let places = (0..<random.integer(4...8)).map { _ in random.uniform(horizon - 2...66) }
    for foot in places.sorted() {
      paintThing(at: ScenePoint(random.uniform(-2...66), foot), colors, &random)
    }
    for _ in 0..<random.integer(1...4) {
      // On the wall or in the air: clouds, windows, balloons.
      let place = ScenePoint(random.uniform(0...64), random.uniform(0...max(horizon, 8)))
      paintSolid(at: place, size: random.uniform(2.5...6), colors, &random)
    }
  }

  /// Paints what stands in front of the creature.
  mutating func paintForeground(colors: SceneColors, feet: Float, _ random: inout Philox) {
    if random.chance(0.2) {
      let x = random.uniform(8...56)
      let foot = ScenePoint(x, random.uniform(feet + 1...64))
      paintPole(at: foot, height: random.uniform(30...70), colors, &random)
    }
    for _ in 0..<random.integer(0...2) {
      let place = ScenePoint(random.uniform(0...64), random.uniform(feet...feet + 6))
      if random.chance(0.65) {
        paintGrass(at: place, height: random.uniform(6...13), colors, &random)
      } else {
        paintBush(at: place, size: random.uniform(3...4.5), colors, &random)
      }
    }
    if random.chance(0.35) {
      let place = ScenePoint(random.uniform(0...64), random.uniform(60...66))
      paintSolid(at: place, size: random.uniform(3...6), colors, &random)
    }
  }

  private mutating func paintHill(_ horizon: Float, _ colors: SceneColors, _ random: inout Philox) {
    let frame = SceneFrame(
      origin: ScenePoint(random.uniform(0...64), horizon + 3), turns: random.uniform(-0.02...0.02))
    let texture = colors.anyTexture(&random, in: frame)
    let radii = ScenePoint(random.uniform(8...22), random.uniform(5...14))
    // Only what is above the horizon.
    let sky = SceneBox(
      SceneFrame(origin: ScenePoint(32, horizon - 30)), halfSides: ScenePoint(40, 31), rounding: 0.5)
    paint(
      SceneIntersection(surface: SceneEllipse(frame, radii: radii), outline: sky), texture,
      label: .background,
      shade: 0.85)
  }

  private mutating func paintThing(at foot: ScenePoint, _ colors: SceneColors, _ random: inout Philox) {
    shadow(
      SceneEllipse(SceneFrame(origin: foot + ScenePoint(2 * light.lean, 0)), radii: [7, 2.4]), strength: 0.4)
    switch random.uniform() {
    case ..<0.18: paintPole(at: foot, height: random.uniform(8...30), colors, &random)
    case ..<0.36: paintBush(at: foot, size: random.uniform(2.5...5), colors, &random)
    case ..<0.5: paintGrass(at: foot, height: random.uniform(6...15), colors, &random)
    default:
      let size = random.uniform(3...7.5)
      paintSolid(at: foot - ScenePoint(0, 0.7 * size), size: size, colors, &random)
    }
  }

  /// A rock, log, box, tent or ball.
  private mutating func paintSolid(
    at center: ScenePoint, size: Float, _ colors: SceneColors, _ random: inout Philox
  ) {
    let frame = SceneFrame(origin: center, turns: random.uniform(-0.04...0.04))
    let texture = colors.anyTexture(&random, in: frame)
    let shade = random.uniform(0.75...1.05)
    shadow(SceneEllipse(center: center, radius: 1.15 * size), strength: random.uniform(0...0.4))
    switch random.uniform() {
    case ..<0.3:
      let radii = ScenePoint(size * random.uniform(0.9...1.4), size * random.uniform(0.6...1))
      paint(SceneEllipse(frame, radii: radii), texture, label: .background, shade: shade)
    case ..<0.5:
      let half = ScenePoint(size * random.uniform(0.6...1.1), size * random.uniform(0.5...0.9))
      paint(SceneBox(frame, halfSides: half, rounding: 1.2), texture, label: .background, shade: shade)
    case ..<0.65:
      // As thick as a trunk, as long as one.
      let ends = ScenePoint(turns: random.uniform(-0.1...0.1)) * size
      let rod = SceneChain([(-ends, 0.6 * size), (ends, 0.5 * size)], in: frame)
      paint(rod, texture, label: .background, shade: shade)
    case ..<0.8:
      let tip = ScenePoint(random.uniform(-0.4...0.4) * size, -size)
      let tent = SceneTriangle(
        corners: (
          frame.outside(tip), frame.outside([-0.8 * size, 0.8 * size]),
          frame.outside([0.8 * size, 0.8 * size])
        ))
      paint(tent, texture, label: .background, shade: shade)
    default:
      // A pebble, a fruit or a knothole: round, pale and dark like an eye.
      let radius = min(size, random.uniform(2.2...3.6))
      paint(SceneEllipse(center: center, radius: radius), texture, label: .background, shade: 0.5)
      var pale = texture
      pale.pattern = .plain
      pale.first = mix(texture.first, SceneColor(repeating: 0.97), 0.7)
      paint(SceneEllipse(center: center, radius: radius - 0.5), pale, label: .background, shade: shade)
      if random.chance(0.6) {
        pale.first = mix(texture.first, SceneColor(repeating: 0.05), 0.85)
        let offset = ScenePoint(turns: random.uniform()) * 0.3 * radius
        paint(SceneEllipse(center: center + offset, radius: 0.55 * radius), pale, label: .background)
      }
    }
  }

  /// A post or trunk, as thick as a leg.
  private mutating func paintPole(
    at foot: ScenePoint, height: Float, _ colors: SceneColors, _ random: inout Philox
  ) {
    let texture = colors.anyTexture(&random, in: SceneFrame(origin: foot))
    let radius = random.uniform(1.3...2.6)
    let lean = random.uniform(-0.08...0.08) * height
    let top = foot + ScenePoint(lean, -height)
    let joints = [(foot, radius), (mix(foot, top, 0.5) + 0.3 * lean, radius * 0.95), (top, radius * 0.85)]
    shadow(SceneChain(joints, growth: 1), strength: random.uniform(0...0.5))
    paint(SceneChain(joints), texture, label: .background, shade: random.uniform(0.75...1.05))
  }

  private mutating func paintBush(
    at foot: ScenePoint, size: Float, _ colors: SceneColors, _ random: inout Philox
  ) {
    let texture = colors.anyTexture(&random, in: SceneFrame(origin: foot))
    for index in 0..<5 {
      let offset = ScenePoint(random.uniform(-1.2...1.2), random.uniform(-1.1 ... -0.3)) * size
      let radius = size * random.uniform(0.45...0.8)
      paint(
        SceneEllipse(center: foot + offset, radius: radius), texture, label: .background,
        shade: 0.7 + 0.07 * Float(index))
    }
  }

  /// Blades that bend like a tail and are pointed like ears.
  private mutating func paintGrass(
    at foot: ScenePoint, height: Float, _ colors: SceneColors, _ random: inout Philox
  ) {
    let texture = colors.anyTexture(&random)
    for _ in 0..<random.integer(3...7) {
      var turns = random.uniform(-0.33 ... -0.17)
      let bend = random.uniform(-0.04...0.04)
      let thickness = random.uniform(0.6...1.4)
      var joints = [(place: foot + ScenePoint(random.uniform(-3...3), 0), radius: thickness)]
      let length = height * random.uniform(0.6...1) / 4
      for index in 1...4 {
        joints.append(
          (joints[index - 1].place + ScenePoint(turns: turns) * length, thickness * (1 - 0.21 * Float(index)))
        )
        turns += bend
      }
      paint(SceneChain(joints), texture, label: .background, shade: random.uniform(0.75...1.05))
    }
  }
}
