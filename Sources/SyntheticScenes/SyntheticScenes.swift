import DiffusionSegmentation
import Images
import TensorCore

/// The classes of a synthetic scene.
enum SceneClass: UInt8, CaseIterable {
  case background, body, head, ear, eye, leg, tail, saddle
}

/// A picture with the class of every pixel.
public struct SyntheticScene: Sendable, Equatable {
  public let image: Image
  /// Labels 0 to 7, see `SyntheticScenes.classes`. None is to be ignored.
  public let mask: LabelMask
}

/// Pictures of a made-up four-legged creature in cluttered places, with labels of its parts: data for
/// demonstrations and tests that need no download.
///
///     let scenes = SyntheticScenes(seed: 1)
///     let unlabelled = (0..<5000).map { scenes.scene($0).image }
///     let labelled = (0..<20).map { SyntheticScenes(seed: 2).scene($0) }
///
/// Creature and surroundings share colours and textures: things behind and in front of the creature are often cut
/// from its coat or saddle cloth. Parts are told apart by their shapes and their arrangement.
///
/// Scenes of two seeds are independent. Which seeds are for training without labels, for training with them and for
/// testing is up to the caller; a scene used for one must not be used for another.
public struct SyntheticScenes: Sendable, Equatable {
  /// Background and seven parts: body (trunk and neck), head, ear, eye, leg, tail and saddle.
  public static let classes = ClassList(
    names: SceneClass.allCases.map { "\($0)" },
    palette: Palette(colors: [
      RGB(0, 0, 0), RGB(196, 122, 60), RGB(240, 200, 90), RGB(230, 80, 160), RGB(255, 255, 255),
      RGB(70, 150, 230), RGB(110, 200, 90), RGB(215, 45, 45),
    ]))

  public let seed: UInt64
  /// Pixels a side of every picture.
  public let imageSize: Int

  /// - Parameters:
  ///   - seed: of all scenes
  ///   - imageSize: 32...512 pixels. The same scene is drawn finer or coarser; the noise of the camera, one value a
  ///     pixel, is another one.
  /// - Precondition: `imageSize` is in this range.
  public init(seed: UInt64, imageSize: Int = 64) {
    precondition((32...512).contains(imageSize), "scenes of \(imageSize) pixels; 32 to 512 are possible")
    self.seed = seed
    self.imageSize = imageSize
  }

  /// The scene of a number, any number: a function of the seed and `index` alone, on every machine.
  public func scene(_ index: Int) -> SyntheticScene {
    let source = Philox(seed: seed).split(UInt64(bitPattern: Int64(index)))
    // One generator for each step: changing one leaves what the others draw as it is.
    var (light, color, posing) = (source.split(0), source.split(1), source.split(2))
    var (behind, creature, front) = (source.split(3), source.split(4), source.split(5))
    var (sensor, developing) = (source.split(6), source.split(7))

    let colors = SceneColors(&color)
    let pose = CreaturePose(&posing)
    let feet = pose.frame.outside(ScenePoint(0, 14)).y
    var canvas = SceneCanvas(imageSize: imageSize, light: SceneLight(&light))
    canvas.paintBackground(colors: colors, feet: feet, &behind)
    canvas.paintCreature(pose, colors: colors, &creature)
    canvas.paintForeground(colors: colors, feet: feet, &front)
    let exposure = Exposure(&developing)
    let picture = canvas.developed { exposure.expose($0, at: $1, noise: &sensor) }
    return SyntheticScene(image: picture.image, mask: picture.mask)
  }
}

/// How the camera sees a scene.
private struct Exposure {
  /// Brightness in the picture's middle, and how it changes from one side to the other.
  private let brightness: Float
  private let gradient: ScenePoint
  private let tint: SceneColor
  /// Soft patches of shade, as of clouds or leaves.
  private let shade: Float
  private let shadeSeed: UInt32
  /// Standard deviation of the sensor's noise.
  private let noise: Float

  init(_ random: inout Philox) {
    brightness = random.uniform(0.95...1.2)
    gradient = ScenePoint(turns: random.uniform()) * random.uniform(0...0.3)
    let warmth = random.uniform(-0.06...0.06)
    tint = SceneColor(1 + warmth, 1, 1 - warmth)
    shade = random.uniform(0...0.35)
    shadeSeed = random.nextWord()
    noise = random.uniform(0.004...0.02)
  }

  func expose(_ color: SceneColor, at place: ScenePoint, noise random: inout Philox) -> SceneColor {
    let gain = brightness + gradient.dot(place / 32 - 1)
    let dapple = 1 - shade * smoothStep(0.35, 0.75, SceneTexture.noise(place / 22, shadeSeed))
    return color * tint * (gain * dapple) + SceneColor(grain(&random), grain(&random), grain(&random)) * noise
  }

  /// A nearly normal number of variance 1: four bytes of a word, summed (no logarithm, no sine).
  private func grain(_ random: inout Philox) -> Float {
    let word = random.nextWord()
    let sum = (word & 255) + (word >> 8 & 255) + (word >> 16 & 255) + word >> 24
    return (Float(sum) - 510) / 147.8
  }
}
