import TensorCore

extension SceneCanvas {
  /// Paints a creature, its shadow first.
  mutating func paintCreature(_ pose: CreaturePose, colors: SceneColors, _ random: inout Philox) {
    let coat = colors.coat.moved(to: pose.frame)
    let foot = Dressing(&random, colors: colors, frame: pose.frame)

    let shadow = pose.frame.frame(at: ScenePoint(4 * light.lean, 14), turns: 0)
    self.shadow(SceneEllipse(shadow, radii: ScenePoint(15, 4)), strength: random.uniform(0.35...0.6))

    // A soft dark rim sets the creature off from things of its own colour.
    for (joints, frame) in [(pose.trunk, pose.frame), (pose.tail, pose.frame), (pose.skull, pose.head)] {
      self.shadow(SceneChain(joints, in: frame, growth: 1.3), strength: 0.45)
    }
    for leg in pose.farLegs { paintLeg(leg, pose, coat, foot, shade: 0.68) }
    paint(SceneChain(pose.tail, in: pose.frame), foot.tail ?? coat, label: .tail, shade: 0.95)
    paintEar(pose.ears[0], pose, coat, foot.innerEar, shade: 0.8)
    paint(SceneChain(pose.neck, in: pose.frame), coat, label: .body, shade: 0.95)
    let trunk = SceneChain(pose.trunk, in: pose.frame)
    paint(trunk, coat, label: .body)
    paintSaddle(pose, colors.saddle.moved(to: pose.frame))
    for leg in pose.nearLegs {
      // Where the leg leaves the trunk's shadow, so that its outline shows on the trunk.
      self.shadow(SceneChain(Array(leg.prefix(2)), in: pose.frame, growth: 0.9), strength: 0.3)
      paintLeg(leg, pose, coat, foot, shade: 1)
    }
    self.shadow(SceneChain(pose.skull, in: pose.head, growth: 0.9), strength: 0.3)
    paint(SceneChain(pose.skull, in: pose.head), coat, label: .head)
    paintFace(pose, foot)
    paintEar(pose.ears[1], pose, coat, foot.innerEar, shade: 1)
  }

  private mutating func paintLeg(
    _ leg: [CreaturePose.Joint], _ pose: CreaturePose, _ coat: SceneTexture, _ dressing: Dressing,
    shade: Float
  ) {
    paint(SceneChain(leg, in: pose.frame), coat, label: .leg, shade: shade)
    if let sock = dressing.sock {
      let ankle = mix(leg[1].place, leg[2].place, 0.35)
      let shin = SceneChain([(ankle, leg[2].radius), (leg[2].place, leg[2].radius)], in: pose.frame)
      paint(shin, sock, label: .leg, shade: shade)
    }
    let hoof = pose.frame.frame(at: leg[2].place + ScenePoint(0.4, 0.6), turns: 0)
    let sole = SceneBox(hoof, halfSides: ScenePoint(leg[2].radius * 1.15, 1.3), rounding: 1)
    paint(sole, dressing.hoof, label: .leg, shade: shade)
  }

  private mutating func paintSaddle(_ pose: CreaturePose, _ texture: SceneTexture) {
    let cloth = SceneChain(pose.trunk, in: pose.frame, growth: 0.9)
    let (frame, halfSides) = pose.saddle
    let hem = SceneBox(frame, halfSides: halfSides + 0.5, rounding: 2)
    paint(SceneIntersection(surface: cloth, outline: hem), texture, label: .saddle, shade: 0.6)
    let middle = SceneBox(frame, halfSides: halfSides - 0.4, rounding: 1.6)
    paint(SceneIntersection(surface: cloth, outline: middle), texture, label: .saddle, shade: 1.05)
  }

  private mutating func paintEar(
    _ ear: [CreaturePose.Joint], _ pose: CreaturePose, _ coat: SceneTexture, _ inner: SceneTexture?,
    shade: Float
  ) {
    shadow(SceneChain(ear, in: pose.head, growth: 0.7), strength: 0.25)
    paint(SceneChain(ear, in: pose.head), coat, label: .ear, shade: shade)
    if let inner {
      let hollow = ear.suffix(2).map { (place: mix(ear[0].place, $0.place, 0.85), radius: $0.radius * 0.55) }
      paint(SceneChain(hollow, in: pose.head), inner, label: .ear, shade: 0.85 * shade)
    }
  }

  private mutating func paintFace(_ pose: CreaturePose, _ dressing: Dressing) {
    let muzzle = pose.skull[1]
    let nose = muzzle.place + ScenePoint(0.62, -0.25) * muzzle.radius
    paint(SceneEllipse(pose.head.frame(at: nose, turns: 0), radii: [1.2, 0.9]), dressing.hoof, label: .head)
    let eye = pose.head.outside(pose.eye)
    let radius = pose.eyeRadius
    paint(SceneEllipse(center: eye, radius: radius), dressing.pupil, label: .eye, shade: 0.8)
    paint(SceneEllipse(center: eye, radius: radius - 0.5), dressing.eyeball, label: .eye)
    let gaze = eye + pose.head.direction(dressing.gaze) * radius
    paint(
      SceneEllipse(center: gaze, radius: dressing.pupilRadius * radius), dressing.pupil, label: .eye,
      shade: 0.8)
  }
}

/// The small things that vary from one creature to the next.
private struct Dressing {
  /// Texture of the lower legs; nil for none.
  let sock: SceneTexture?
  let hoof: SceneTexture
  /// nil: like the coat.
  let tail: SceneTexture?
  /// nil: like the coat.
  let innerEar: SceneTexture?
  let eyeball: SceneTexture
  let pupil: SceneTexture
  /// In radii of the eye.
  let pupilRadius: Float
  /// Where the pupil lies, in radii of the eye.
  let gaze: ScenePoint

  init(_ random: inout Philox, colors: SceneColors, frame: SceneFrame) {
    func plain(_ color: SceneColor, _ random: inout Philox) -> SceneTexture {
      var texture = SceneTexture(&random, colors: [color], frame: frame)
      texture.pattern = .plain
      return texture
    }
    sock = random.chance(0.3) ? plain(colors.coat.second, &random) : nil
    hoof = plain(random.pick(colors.common) * random.uniform(0.25...0.7), &random)
    tail = random.chance(0.35) ? plain(random.pick(colors.common), &random) : nil
    innerEar = random.chance(0.6) ? plain(random.pick(colors.common + [colors.wall]), &random) : nil
    // Pale, tinted by one of the scene's colours.
    eyeball = plain(
      mix(SceneColor(repeating: 0.98), random.pick(colors.common), random.uniform(0...0.6)), &random)
    pupil = plain(
      mix(SceneColor(repeating: 0.06), random.pick(colors.common), random.uniform(0...0.3)), &random)
    pupilRadius = random.uniform(0.4...0.75)
    gaze = ScenePoint(turns: random.uniform()) * random.uniform(0.05...0.35)
  }
}
