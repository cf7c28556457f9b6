import TensorCore

/// Where the parts of a creature are, in its own frame: x points forward, y down, the origin is the middle of the
/// trunk and the feet are near y = 14.
struct CreaturePose {
  typealias Joint = (place: ScenePoint, radius: Float)

  enum EarKind: CaseIterable {
    case pointed, round, hanging
  }

  let frame: SceneFrame
  /// From the rump to the chest.
  let trunk: [Joint]
  let neck: [Joint]
  /// x points from the back of the head to the nose.
  let head: SceneFrame
  /// Skull and muzzle, in the head's frame.
  let skull: [Joint]
  /// In the head's frame.
  let eye: ScenePoint
  /// In picture units: eyes of small creatures are not small.
  let eyeRadius: Float
  /// The far ear and the near one, in the head's frame.
  let ears: [[Joint]]
  let tail: [Joint]
  /// The legs behind the trunk, hip to foot.
  let farLegs: [[Joint]]
  /// Those in front of it.
  let nearLegs: [[Joint]]
  /// The outline of the saddle cloth: a frame on the back and half its sides.
  let saddle: (frame: SceneFrame, halfSides: ScenePoint)

  init(_ random: inout Philox) {
    let scale = random.uniform(0.76...0.98)
    let mirrored = random.chance(0.5)
    // The creature reaches from -16 to 20 in its frame, and its feet stand at 14.
    let behind = 16 * scale
    let ahead = 64 - 20 * scale
    let across = random.uniform(behind - 1...max(ahead + 1, behind))
    let feet = random.uniform(44...59)
    frame = SceneFrame(
      origin: ScenePoint(mirrored ? 64 - across : across, max(feet - 14 * scale, 20 * scale)), scale: scale,
      turns: random.uniform(-0.025...0.025), mirrored: mirrored)

    let girth = random.uniform(4.8...6)
    let half = random.uniform(6...7.6)
    let sway = random.uniform(-0.6...1)
    let rump = (place: ScenePoint(-half, 0), radius: girth)
    let chest = (
      place: ScenePoint(half, random.uniform(-0.8...0.4)), radius: girth * random.uniform(0.9...1.05)
    )
    trunk = [rump, (ScenePoint(0, sway), girth * random.uniform(0.9...1.02)), chest]

    // Mostly raised, sometimes lowered to the ground.
    let lowered = random.chance(0.2)
    let rise = lowered ? random.uniform(-0.02...0.07) : random.uniform(-0.2 ... -0.1)
    let poll = ScenePoint(half + 1.5, -2.5) + ScenePoint(turns: rise) * random.uniform(7.5...9.5)
    neck = [(ScenePoint(half, -1.5), girth * 0.75), (poll, 3.2)]

    let size = random.uniform(0.95...1.1)
    let head = frame.frame(
      at: poll, scale: size, turns: lowered ? random.uniform(0.04...0.16) : random.uniform(-0.02...0.1))
    self.head = head
    skull = [(.zero, 5.4), (ScenePoint(random.uniform(5...7), 1.8), random.uniform(2.5...3.3))]
    eyeRadius = max(random.uniform(2.9...3.3) * scale * size, 2.75)
    eye = ScenePoint(1.4, -0.9)
    ears = Self.ears(&random)
    tail = Self.tail(&random, root: ScenePoint(-half - 0.75 * girth, -0.45 * girth))

    let thickness = random.uniform(1.7...2.2)
    func leg(_ x: Float, _ top: Float, _ random: inout Philox) -> [Joint] {
      let swing = random.uniform(-3...3)
      let knee = ScenePoint(x + 0.5 * swing + random.uniform(-0.7...0.7), 8.2)
      let foot = ScenePoint(x + swing, 13.2 - random.uniform(0...0.8))
      return [(ScenePoint(x, top), thickness * 1.2), (knee, thickness), (foot, thickness * 0.92)]
    }
    farLegs = [leg(-half + 2.4, 3, &random), leg(half + 0.8, 3, &random)]
    nearLegs = [leg(-half - 1.6, 4.2, &random), leg(half - 2.6, 4.2, &random)]

    let depth = random.uniform(3.6...5.2)
    let back = ScenePoint(random.uniform(-2...0.5), -6.6 + depth)
    saddle = (
      frame.frame(at: back, turns: random.uniform(-0.03...0.03)),
      ScenePoint(random.uniform(3.4...4.6), depth + 1)
    )
  }

  private static func ears(_ random: inout Philox) -> [[Joint]] {
    let kind = random.pick(EarKind.allCases)
    let length = random.uniform(5.8...7.6)
    let spread = random.uniform(-0.03...0.03)
    return [ScenePoint(0.4, -4.2), ScenePoint(-2.8, -3.4)].enumerated().map { near, root in
      let turns = spread + (near == 0 ? -0.22 : -0.31)
      let tip = root + ScenePoint(turns: turns) * length
      switch kind {
      case .pointed: return [(root, 2.3), (mix(root, tip, 0.45), 2.1), (tip, 0.5)]
      case .round: return [(root, 2), (mix(root, tip, 0.45), 3)]
      case .hanging:
        let bend = root + ScenePoint(near == 0 ? 0.5 : -2.2, -2)
        return [(root, 1.7), (bend, 2), (bend + ScenePoint(near == 0 ? 2.8 : -2, length * 0.85), 2.2)]
      }
    }
  }

  /// Points along a curve that turns evenly.
  private static func tail(_ random: inout Philox, root: ScenePoint) -> [Joint] {
    // Hanging down or standing up, bent this way or that.
    var turns = random.chance(0.5) ? random.uniform(0.27...0.42) : random.uniform(0.54...0.7)
    let bend = random.uniform(-0.07...0.07)
    let step = random.uniform(2.3...3)
    let (start, end) = (random.uniform(1.6...2), random.uniform(1.1...2.6))
    var joints: [Joint] = [(root, start)]
    for index in 1...5 {
      joints.append(
        (joints[index - 1].place + ScenePoint(turns: turns) * step, start + (end - start) * Float(index) / 5))
      turns += bend
    }
    return joints
  }
}
