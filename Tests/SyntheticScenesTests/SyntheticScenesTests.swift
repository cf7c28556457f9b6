import DiffusionSegmentation
import Images
import PixelClassifier
import SyntheticScenes
import Testing

struct SyntheticScenesTests {
  private static let classCount = SyntheticScenes.classes.count

  @Test func sameSeedAndIndexGiveTheSameBits() {
    for index in [0, 7, -3, .max] {
      #expect(SyntheticScenes(seed: 5).scene(index) == SyntheticScenes(seed: 5).scene(index))
    }
  }

  @Test func otherSeedsAndIndicesGiveOtherScenes() {
    let places = [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (1 << 32, 0), (1, 1 << 32)]
    let scenes = places.map { SyntheticScenes(seed: UInt64($0.0)).scene($0.1) }
    for first in scenes.indices {
      for second in 0..<first {
        #expect(scenes[first].image != scenes[second].image, "\(places[first]) and \(places[second])")
        #expect(scenes[first].mask != scenes[second].mask, "\(places[first]) and \(places[second])")
      }
    }
  }

  /// Neither the order of the calls nor other threads change a scene.
  @Test func scenesDoNotDependOnOneAnother() async {
    let scenes = SyntheticScenes(seed: 3)
    let inOrder = (0..<12).map { scenes.scene($0) }
    #expect((0..<12).reversed().map { scenes.scene($0) } == inOrder.reversed())
    await withTaskGroup { group in
      for index in 0..<12 { group.addTask { (index, scenes.scene(index)) } }
      for await (index, scene) in group { #expect(scene == inOrder[index], "scene \(index)") }
    }
  }

  /// Bits that must not change: they are the same on every machine, and demonstrations are trained on them.
  @Test func scenesAreWhatTheyWere() {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for index in 0..<4 {
      let scene = SyntheticScenes(seed: 0).scene(index)
      for byte in scene.image.pixels + scene.mask.labels {
        hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
      }
    }
    #expect(hash == 0xA2B3_741C_78D0_E8E0, "FNV-1a of four scenes")
  }

  /// Every part is in nearly every picture, and has enough pixels to learn from.
  @Test func partsAreThereAndLargeEnough() {
    let scenes = (0..<200).map { SyntheticScenes(seed: 1).scene($0) }
    let histograms = scenes.map { $0.mask.histogram }
    for label in 0..<Self.classCount {
      let name = SyntheticScenes.classes.names[label]
      let present = histograms.count { $0[label] > 0 }
      let large = histograms.count { $0[label] >= 20 }
      #expect(present >= 180, "\(name) is in \(present) of 200 pictures")
      #expect(10 * large >= 9 * present, "\(name) has 20 pixels in \(large) of \(present)")
    }
    #expect(histograms.allSatisfy { $0[Self.classCount...].allSatisfy { $0 == 0 } })

    let widths = scenes.map { Self.occupiedColumns($0.mask) }.sorted()
    #expect(widths[100] >= 30 && widths[100] <= 38, "median width \(widths[100])")
    #expect(widths[20] >= 22 && widths[180] <= 45, "80 % are \(widths[20]) to \(widths[180]) wide")
  }

  /// Columns from the first to the last that is not all background.
  private static func occupiedColumns(_ mask: LabelMask) -> Int {
    let columns = mask.labels.indices.filter { mask.labels[$0] != 0 }.map { $0 % mask.width }
    return (columns.max() ?? 0) - (columns.min() ?? 0) + 1
  }

  /// What a classifier can learn that sees one pixel: as good as nothing, since everything is painted in shared
  /// colours. To say "background" always scores 0.11.
  ///
  /// The classifier is a histogram of 8 x 8 x 8 colours for each class. Found: 0.11 when it takes the class that is
  /// most frequent in a bin, 0.04 when all classes count as equally frequent.
  @Test(arguments: [Prior.frequencies, .uniform])
  func colourAloneDoesNotTellTheParts(_ prior: Prior) {
    func bin(_ image: Image, _ pixel: Int) -> Int {
      (0..<3).reduce(0) { 8 * $0 + Int(image.pixels[3 * pixel + $1]) / 32 }
    }
    let scenes = SyntheticScenes(seed: 2)
    var counts = [[Double]](repeating: Array(repeating: 0, count: Self.classCount), count: 512)
    var totals = [Double](repeating: 0, count: Self.classCount)
    for scene in (0..<30).map({ scenes.scene($0) }) {
      for (pixel, label) in scene.mask.labels.enumerated() {
        counts[bin(scene.image, pixel)][Int(label)] += 1
        totals[Int(label)] += 1
      }
    }
    let answers = counts.map { counts -> UInt8 in
      let scores = counts.indices.map { prior == .uniform ? counts[$0] / totals[$0] : counts[$0] }
      return UInt8(scores.indices.max { scores[$0] < scores[$1] }!)
    }

    var confusion = ConfusionMatrix(classCount: Self.classCount, ignoreLabel: LabelMask.ignoreLabel)
    for scene in (30..<60).map({ scenes.scene($0) }) {
      confusion.add(
        truth: scene.mask.labels,
        prediction: scene.mask.labels.indices.map { answers[bin(scene.image, $0)] })
    }
    let score = confusion.meanIoU(.standard)
    #expect(score < 0.14, "mean IoU \(score)")
  }

  enum Prior { case frequencies, uniform }

  /// The same scene, finer or coarser: nearly all labels agree with those of the nearest pixels at 64 x 64.
  @Test(arguments: [32, 48, 96, 128, 512])
  func otherSizesShowTheSameScene(_ size: Int) {
    for index in 0..<3 {
      let usual = SyntheticScenes(seed: 4).scene(index)
      let other = SyntheticScenes(seed: 4, imageSize: size).scene(index)
      #expect(other.image.width == size && other.image.height == size)
      #expect(other.mask.width == size && other.mask.height == size)
      var (agreeing, difference) = (0, 0)
      for y in 0..<64 {
        for x in 0..<64 {
          let (column, row) = ((2 * x + 1) * size / 128, (2 * y + 1) * size / 128)
          if usual.mask[x, y] == other.mask[column, row] { agreeing += 1 }
          difference += abs(Int(usual.image[x, y].green) - Int(other.image[column, row].green))
        }
      }
      #expect(agreeing > 4096 * 93 / 100, "\(agreeing) of 4096 labels agree")
      #expect(difference < 4096 * 16, "mean difference \(difference / 4096)")
    }
  }

  @Test func classesHaveNamesAndColours() {
    let classes = SyntheticScenes.classes
    #expect(classes.names == ["background", "body", "head", "ear", "eye", "leg", "tail", "saddle"])
    #expect(Set(classes.palette.colors).count == 8)
  }
}
