import DiffusionSegmentation
import Foundation
import TestSupport
import Testing

/// What a training leaves in its folder, and what it finds there.
struct PretrainingFolderTests {
  let folder: TemporaryFolder
  let pictures: UnlabelledImages

  init() throws {
    folder = try TemporaryFolder()
    for index in 0..<4 {
      try Image(width: 8, height: 8, color: RGB(UInt8(60 * index), 90, 30))
        .write(to: "\(folder.folder("pictures"))/p\(index).png")
    }
    pictures = try UnlabelledImages(directory: folder.path("pictures"), imageSize: 8)
  }

  private func pretraining(resumes: Bool = false) throws -> Pretraining {
    var settings = PretrainingSettings()
    settings.imageSize = 8
    settings.channelMult = [1]
    settings.residualBlocks = 1
    settings.attentionResolutions = []
    settings.training.batch = 2
    var pretraining = try Pretraining(
      settings: settings, folder: PretrainingFolder(folder.path("model")), resumes: resumes)
    pretraining.schedule.save = 1
    pretraining.schedule.keep = 4
    pretraining.schedule.samples = 0
    pretraining.schedule.sampleCount = 1
    pretraining.schedule.samplingSteps = 1
    return pretraining
  }

  @Test func theLastStatesAreKeptAndTheVeryLastGoesOn() throws {
    var first = try pretraining()
    try first.run(on: pictures, limit: .init(steps: 11))
    #expect(
      try folder.contents("model/checkpoints")
        == (8...11).map {
          "step-000000\($0 < 10 ? "0" : "")\($0).safetensors"
        })
    let metadata = try Checkpoint(contentsOf: first.folder.modelPath).metadata
    #expect(metadata["dseg.step"] == "11" && metadata["dseg.image_size"] == "8")
    #expect(try pretraining(resumes: true).trainer.state.step == 11)
  }

  /// Files that a killed training was writing, in either folder.
  @Test func unfinishedFilesAreClearedAway() throws {
    let dead = try finishedProcess()
    _ = try folder.folder("model/checkpoints")
    _ = try folder.file("model/.loss.csv.\(dead).12.tmp", [1])
    _ = try folder.file("model/checkpoints/.step-00000001.safetensors.\(dead).12.tmp", [1])
    _ = try pretraining()
    #expect(try folder.contents("model") == ["checkpoints"])
    #expect(try folder.contents("model/checkpoints").isEmpty)
  }
}
