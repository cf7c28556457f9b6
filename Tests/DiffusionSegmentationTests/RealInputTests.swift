import Checkpoints
import DiffusionCore
import DiffusionSegmentation
import Foundation
import TestSupport
import Testing

/// Real micrographs and a DDPM that was trained on their kind. They are read from the folder that the
/// environment variable `DSEG_TEST_DATA` names.
struct RealInputTests {
  static let folder = ProcessInfo.processInfo.environment["DSEG_TEST_DATA"]

  /// A small part of the whole measurement (README): far above what pixels alone give (22 % mean IoU for the
  /// colour of a pixel, 69 % for patches and blurs), below what twenty pictures and ten members reach.
  @Test(.enabled(if: folder != nil, "DSEG_TEST_DATA is not set"))
  func fewMicrographsTeachTheClasses() throws {
    let folder = try #require(Self.folder)
    let data = "\(folder)/data/superalloy"
    let classes = try ClassList(contentsOf: "\(data)/classes.json")
    #expect(classes.names == ["matrix", "secondary_precipitate", "tertiary_precipitate"])
    let backbone = try DiffusionBackbone(
      checkpoint: "\(folder)/checkpoints/superalloy64.pt",
      options: DiffusionOptions(attention: AttentionSettings(heads: .channels(32)), imageSize: 64))
    let features = DiffusionFeatures(backbone, steps: [50, 150, 250], blocks: Array(2...8))
    #expect(features.channels == 1824)
    let labelled = try LabelledImages(directory: "\(data)/64/train", classes: classes, limit: 10)
    let segmenter = try Segmenter.train(
      on: labelled, features: features, options: SegmenterOptions(members: 2, epochs: 1, maxEpochs: 1))
    let test = try LabelledImages(directory: "\(data)/64/test", classes: classes, limit: 16)
    let iou = try segmenter.evaluate(on: test).confusion.iou(.ledm)
    #expect(iou[0] > 0.88 && iou[1] > 0.9 && iou[2] > 0.3, "\(iou)")
  }

  /// A released checkpoint tells its architecture.
  @Test(.enabled(if: folder != nil, "DSEG_TEST_DATA is not set"))
  func architectureOfARealCheckpoint() throws {
    let path = try #require(Self.folder) + "/checkpoints/superalloy64.pt"
    let configuration = try UNetConfiguration(state: StateDictionary(Checkpoint(contentsOf: path)))
    #expect(configuration.levelChannels == [32, 64, 96, 128] && configuration.residualBlocks == 2)
    #expect(configuration.levelHasAttention == [false, false, true, true])
    #expect(configuration.resampling == .residual && configuration.usesScaleShiftNorm)
    #expect(configuration.hasLearnedVariance && configuration.classCount == nil)
    let blocks = configuration.cost(height: 64, width: 64).outputBlocks.map { "\($0.channels)@\($0.height)" }
    #expect(
      blocks == [
        "128@8", "128@8", "128@16", "96@16", "96@16", "96@32", "64@32", "64@32", "64@64", "32@64", "32@64",
        "32@64",
      ])
  }
}
