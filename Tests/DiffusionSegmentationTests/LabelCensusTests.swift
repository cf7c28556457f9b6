import Base
import Checkpoints
import DiffusionSegmentation
import Foundation
import Images
import TestSupport
import Testing

/// What is counted of labels, and what is said when some are missing or lost.
struct LabelCensusTests {
  let notices = Notices()

  /// A world whose masks are replaced.
  private func world(
    width: Int = 32, height: Int = 32, _ label: (_ picture: Int, _ x: Int, _ y: Int) -> UInt8
  ) throws -> TinyWorld {
    let world = try TinyWorld(width: width, height: height)
    for index in 0..<3 {
      let labels = (0..<width * height).map { label(index, $0 % width, $0 / width) }
      try NpyFile.write(
        NumericArray(labels, shape: [height, width]), to: "\(world.images)/scene\(index).npy")
    }
    return world
  }

  private func train(_ world: TinyWorld, resampling: MaskResampling = .nearest) throws -> Segmenter {
    try Segmenter.train(
      on: LabelledImages(directory: world.images, classes: world.classes, notices: notices),
      features: world.features(),
      options: SegmenterOptions(members: 1, epochs: 1, maxEpochs: 1, maskResampling: resampling),
      notices: notices)
  }

  @Test func countsWhatIsInTheFilesAndWhatIsUsed() throws {
    // 4 of 64 pixels a row; at half the size 2 of 32. The first picture has 24 ignored rows of 64.
    let world = try world(width: 64, height: 64) { picture, x, y in
      picture == 0 && y < 24 ? 255 : x < 4 ? 1 : 0
    }
    let census = try #require(try train(world).census)
    #expect(census.pictures == 3 && census.pixels == 3 * 4096 && census.ignored == 24 * 64)
    #expect(census.classes.map(\.pixels) == [60 * (64 + 64 + 40), 4 * (64 + 64 + 40)])
    #expect(census.classes.map(\.resized) == [30 * (32 + 32 + 20), 2 * (32 + 32 + 20)])
    #expect(census.classes.map(\.used) == census.classes.map(\.resized))
    #expect(census.classes.map(\.pictures) == [3, 3] && census.classes.map(\.lostPictures) == [0, 0])
    #expect(notices.all.isEmpty)
  }

  @Test func masksOf0And255AreSuspicious() throws {
    let trained = try train(world { _, x, _ in x < 16 ? 0 : 255 })
    #expect(notices.all.count == 1 && notices.all[0].kind == .suspicious)
    let text = notices.all[0].description
    #expect(text.contains("class 1 (square)") && text.contains("50 % of the pixels are 255"))
    #expect(trained.census?.classes[1].used == 0)
  }

  @Test func aClassLostInResizingIsSaidAndCanBeKept() throws {
    let world = try world(width: 256, height: 256) { _, _, y in y == 101 ? 1 : 0 }
    #expect(try train(world).census?.classes[1].resized == 0)
    #expect(notices.all.map(\.kind) == [.lost])
    #expect(notices.all[0].description.contains("none of its 768 pixels is left"))
    #expect(try train(world, resampling: .thin).census?.classes[1].resized == 3 * 32)
    #expect(notices.all.count == 1)
  }

  @Test func aClassLostInSomePicturesIsSaid() throws {
    let world = try world(width: 256, height: 256) { picture, _, y in
      (picture == 0 ? 101...101 : 0...127).contains(y) ? 1 : 0
    }
    _ = try train(world)
    #expect(notices.all.map(\.kind) == [.lost])
    #expect(notices.all[0].description.contains("in 1 of 3 pictures"))
  }

  @Test func strokesLostInResizingAreSaid() throws {
    // Strokes at places that nearest neighbour does not look at.
    let world = try world(width: 256, height: 256) { _, x, y in
      y % 8 == 3 || (x < 160 && [0, 248].contains(y)) ? UInt8(y / 128) : 255
    }
    _ = try train(world)
    #expect(notices.all.map(\.item) == ["labelled pixels"])
    let kept = try train(world, resampling: .majority)
    #expect(kept.census?.classes.map(\.resized) == [3 * 16 * 32, 3 * 16 * 32])
    #expect(notices.all.count == 1)
  }

  @Test func aHandfulOfPixelsIsSaid() throws {
    let trained = try train(world { _, x, y in x == 3 && y < 10 ? 1 : 0 })
    #expect(trained.census?.classes[1].resized == 30 && trained.census?.classes[1].used == 0)
    #expect(notices.all.map(\.kind) == [.lost])
  }

  @Test func onlyIgnoredPixelsAreUnsuitableData() throws {
    let world = try world { _, _, _ in 255 }
    let error = #expect(throws: DataError.self) { try train(world) }
    #expect(error?.isAboutContent == true && error?.file == world.images)
    #expect(error?.found.contains("255") == true)
  }

  @Test func aSegmenterRemembersItsLabels() throws {
    let world = try world { _, x, _ in x < 16 ? 0 : 255 }
    let trained = try train(world, resampling: .thin)
    let folder = try TemporaryFolder()
    let path = folder.path("s.safetensors")
    try trained.write(to: path)
    let read = try Segmenter(contentsOf: path, checkpoint: world.checkpoint)
    #expect(read.census == trained.census && read.maskResampling == .thin && read.reading == PictureReading())
  }
}

/// Evaluations on data that is not all there.
struct EvaluationInputTests {
  let world: TinyWorld
  let notices = Notices()

  init() throws { world = try TinyWorld() }

  private func labelled(ignoring label: UInt8 = 255) throws -> LabelledImages {
    try LabelledImages(
      directory: world.images, classes: world.classes.ignoring(label), notices: notices)
  }

  @Test func aBrokenPictureIsLeftOut() throws {
    let segmenter = try world.train()
    let before = try segmenter.evaluate(on: labelled(), notices: notices)
    #expect(before.images == 3 && before.failed.isEmpty && notices.all.isEmpty)
    let broken = "\(world.images)/scene1.png"
    try Data([1, 2, 3]).write(to: URL(fileURLWithPath: broken))
    let evaluation = try segmenter.evaluate(on: labelled(), notices: notices)
    #expect(evaluation.images == 2 && evaluation.failed == [broken])
    #expect(notices.all.map(\.file) == [broken])
    notices.isStrict = true
    let error = #expect(throws: DataError.self) { try segmenter.evaluate(on: labelled(), notices: notices) }
    #expect(error?.file == broken)
  }

  @Test func onlyBrokenPicturesAreAnError() throws {
    let segmenter = try world.train()
    for index in 0..<3 {
      try Data([1]).write(to: URL(fileURLWithPath: "\(world.images)/scene\(index).png"))
    }
    let error = #expect(throws: DataError.self) { try segmenter.evaluate(on: labelled(), notices: notices) }
    #expect(error?.isAboutContent == true)
  }

  /// The data set says what it ignores: here class 1, and half of the segmenter's label of 255 would be no class.
  @Test func theDataSetsLabelIsIgnored() throws {
    let segmenter = try world.train()
    let whole = try segmenter.evaluate(on: labelled()).confusion
    let part = try segmenter.evaluate(on: labelled(ignoring: 1)).confusion
    #expect(part[truth: 0, prediction: 0] == whole[truth: 0, prediction: 0])
    #expect(part.ignoreLabel == 1 && whole.ignoreLabel == 255)
    #expect(part.scoredClasses(.standard) == [0] && whole.scoredClasses(.standard) == [0, 1])
  }

  @Test func aClassInNoMaskIsSaid() throws {
    let segmenter = try world.train()
    for index in 0..<3 {
      try NpyFile.write(
        NumericArray([UInt8](repeating: 0, count: 1024), shape: [32, 32]),
        to: "\(world.images)/scene\(index).npy")
    }
    _ = try segmenter.evaluate(on: labelled(), notices: notices)
    #expect(notices.all.map(\.kind) == [.suspicious] && notices.all[0].item == "class 1 (square)")
  }
}
