import Base
import Checkpoints
import DiffusionSegmentation
import Foundation
import Images
import TestSupport
import Testing
import Training

@testable import Backbones

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

  private func pretraining(
    resumes: Bool = false, pictures: PictureListRecord? = nil, mayChange: Bool = false,
    notices: Notices = Notices(),
    change: (inout DiffusionPretrainingSettings) -> Void = { _ in }
  ) throws -> Pretraining<DiffusionPretrainingSettings> {
    var settings = DiffusionPretrainingSettings()
    settings.imageSize = 8
    settings.channelMult = [1]
    settings.residualBlocks = 1
    settings.attentionResolutions = []
    settings.training.batch = 2
    change(&settings)
    var pretraining = try Pretraining(
      settings: settings, folder: PretrainingFolder(folder.path("model")), pictures: pictures,
      resumes: resumes,
      picturesMayChange: mayChange, notices: notices)
    pretraining.schedule.save = 1
    pretraining.schedule.keep = 4
    pretraining.schedule.samples.every = 0
    pretraining.schedule.samples.count = 1
    pretraining.schedule.samples.samplingSteps = 1
    return pretraining
  }

  /// Trains as far as a step, and releases the folder.
  private func train(to step: Int, pictures record: PictureListRecord? = nil) throws {
    var pretraining = try pretraining(pictures: record)
    try pretraining.run(on: pictures, limit: .init(steps: step))
  }

  private func statePath(_ step: Int) -> String {
    folder.path("model/checkpoints/step-0000000\(step).safetensors")
  }

  @Test func whatProgressThrowsLosesNoStep() throws {
    let stop = DataError(.invalidArgument, file: "test", found: "enough")
    var pretraining = try pretraining()
    pretraining.schedule.save = 100
    let error = #expect(throws: DataError.self) {
      try pretraining.run(
        on: pictures, limit: .init(steps: 9),
        progress: { (progress) throws(DataError) in if progress.report.step == 3 { throw stop } })
    }
    #expect(error == stop && pretraining.folder.savedSteps == [3])
  }

  /// Sees the task that waits for it; the caller's value stands where the training stopped.
  @Test func cancelledTrainingIsSaved() async throws {
    let (start, pictures) = (try pretraining(), pictures)
    let (kind, saved, step) = await Task { () -> (DataError.Kind?, [Int], Int) in
      var pretraining = start
      pretraining.schedule.save = 100
      var kind: DataError.Kind?
      do throws(DataError) {
        try await pretraining.run(on: pictures, limit: .init(steps: 1000)) { progress in
          if progress.report.step == 2 { withUnsafeCurrentTask { $0?.cancel() } }
        }
      } catch {
        kind = error.kind
      }
      return (kind, pretraining.folder.savedSteps, pretraining.trainer.state.step)
    }.value
    #expect(kind == .cancelled && saved == [2] && step == 2)
  }

  @Test func onAThreadOfItsOwnItIsTheSameTraining() async throws {
    func states(_ run: (inout Pretraining<DiffusionPretrainingSettings>) async throws -> Void) async throws
      -> [[Float]]
    {
      var pretraining = try pretraining()
      try await run(&pretraining)
      let states = pretraining.trainer.state.parameters.map(\.tensor.elements)
      try FileManager.default.removeItem(atPath: pretraining.folder.path)
      return states
    }
    let pictures = pictures
    let here = try await states { try Self.runHere(&$0, pictures) }
    let there = try await states { try await $0.run(on: pictures, limit: .init(steps: 3)) }
    let isSame = here == there
    #expect(isSame)
  }

  private static func runHere(
    _ pretraining: inout Pretraining<DiffusionPretrainingSettings>,
    _ pictures: some TrainingPictures & Sendable
  ) throws {
    try pretraining.run(on: pictures, limit: .init(steps: 3))
  }

  @Test func theLastStatesAreKeptAndTheVeryLastGoesOn() throws {
    try train(to: 11)
    #expect(
      try folder.contents("model/checkpoints")
        == (8...11).map {
          "step-000000\($0 < 10 ? "0" : "")\($0).safetensors"
        })
    let metadata = try Checkpoint(contentsOf: folder.path("model/model.safetensors")).metadata
    #expect(metadata["dseg.step"] == "11" && metadata["dseg.image_size"] == "8")
    #expect(try pretraining(resumes: true).trainer.state.step == 11)
  }

  /// Files that a killed training was writing, in either folder.
  @Test func unfinishedFilesAreClearedAway() throws {
    _ = try folder.folder("model/checkpoints")
    for name in ["model/.loss.csv.12.12.tmp", "model/checkpoints/.step-00000001.safetensors.12.12.tmp"] {
      let path = try folder.file(name, [1])
      try FileManager.default.setAttributes([.modificationDate: Date() - 1e6], ofItemAtPath: path)
    }
    let pretraining = try pretraining()
    #expect(try folder.contents("model") == [FolderLock.fileName, "checkpoints"])
    #expect(try folder.contents("model/checkpoints").isEmpty)
    withExtendedLifetime(pretraining) {}
  }

  @Test func theFolderIsForOne() throws {
    let first = try pretraining()
    #expect { _ = try pretraining() } throws: {
      ($0 as? DataError)?.kind == .cannotCreate && "\($0)".contains("process \(getpid())")
    }
    withExtendedLifetime(first) {}
  }

  /// Cut off, filled with zeros, empty, or with other contents: the last sound one before it goes on.
  @Test(arguments: ["cut", "zeros", "empty", "another", "gone"])
  func aDamagedStateIsLeftOut(how: String) throws {
    try train(to: 3)
    let path = URL(fileURLWithPath: statePath(3))
    let bytes = try Data(contentsOf: path)
    switch how {
    case "cut": try bytes.prefix(bytes.count / 2).write(to: path)
    case "zeros": try Data(count: bytes.count).write(to: path)
    case "empty": try Data().write(to: path)
    case "another": try Data(contentsOf: URL(fileURLWithPath: statePath(2))).write(to: path)
    default:
      try FileManager.default.removeItem(at: path)
      try FileManager.default.createSymbolicLink(
        at: path, withDestinationURL: URL(fileURLWithPath: folder.path("nowhere")))
    }
    #expect { _ = try pretraining(resumes: true, notices: Notices(isStrict: true)) } throws: {
      ($0 as? DataError)?.file.hasSuffix("step-00000003.safetensors") == true
    }
    let notices = Notices()
    var resumed = try pretraining(resumes: true, notices: notices)
    #expect(resumed.trainer.state.step == 2)
    #expect(notices.all.contains { $0.kind == .leftOut && $0.file.hasSuffix("step-00000003.safetensors") })
    #expect(notices.all.contains { $0.kind == .changed && $0.text.contains("step 2") })
    try resumed.run(on: pictures, limit: .init(steps: 3))
    #expect(try Data(contentsOf: path) == bytes)
  }

  @Test func onlyDamagedStatesAreAnError() throws {
    try train(to: 2)
    for step in 1...2 { try Data([1, 2, 3]).write(to: URL(fileURLWithPath: statePath(step))) }
    #expect { _ = try pretraining(resumes: true) } throws: {
      ($0 as? DataError)?.file.hasSuffix("step-00000002.safetensors") == true
    }
  }

  @Test func otherPicturesAreNoticed() throws {
    try train(to: 1, pictures: pictures.record)
    #expect(try pretraining(resumes: true, pictures: pictures.record).trainer.state.step == 1)
    try Image(width: 8, height: 8).write(to: folder.path("pictures/p9.png"))
    let more = try UnlabelledImages(directory: folder.path("pictures"), imageSize: 8).record
    #expect { _ = try pretraining(resumes: true, pictures: more) } throws: { error in
      let error = error as? DataError
      return error?.kind == .invalidArgument && error?.item == "pictures" && error?.found == "5"
    }
    let notices = Notices()
    #expect(
      try pretraining(resumes: true, pictures: more, mayChange: true, notices: notices).trainer.state.step
        == 1)
    #expect(notices.all.map(\.kind) == [.changed])
    var renamed = pictures.record
    renamed.classNames = ["a", "b"]
    #expect { _ = try pretraining(resumes: true, pictures: renamed, mayChange: true) } throws: {
      ($0 as? DataError)?.item == "classes"
    }
  }

  /// Recomputing changes the bits where numbers are dropped, and only there.
  @Test func recomputation() throws {
    try train(to: 1)
    #expect(
      try pretraining(resumes: true) { $0.training.recomputesBlocks = true }.trainer.state.step == 1)
    try FileManager.default.removeItem(atPath: folder.path("model"))
    do {
      var dropping = try pretraining { $0.training.dropout = 0.1 }
      try dropping.run(on: pictures, limit: .init(steps: 1))
    }
    #expect {
      _ = try pretraining(resumes: true) {
        $0.training.dropout = 0.1
        $0.training.recomputesBlocks = true
      }
    } throws: { ($0 as? DataError)?.item == "recompute" }
  }
}
