import Base
import Demo
import DiffusionCore
import DiffusionSegmentation
import Experiments
import Foundation
import Images
import SyntheticScenes
import TestSupport
import Testing

extension Demo {
  /// Done in a second.
  static let small = {
    var demo = Demo()
    demo.trainingScenes = 3
    demo.testScenes = 2
    demo.blocks = [4, 8]
    demo.steps = [50]
    demo.options = SegmenterOptions(members: 2, epochs: 0, maxEpochs: 1)
    return demo
  }()
}

/// The demo, smaller than it is shipped.
struct DemoTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func json(_ name: String) throws -> [String: Any] {
    let data = try Data(contentsOf: URL(fileURLWithPath: folder.path(name)))
    return try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  @Test func writesWhatItSays() throws {
    let report = try Demo.small.run(writingTo: DemoFolder(folder.path("out")))
    #expect(
      try folder.contents("out") == [
        "classes.csv", "classes.json", "curves.csv", "masks", "model.safetensors", "report.html",
        "report.json",
        "results.csv", "segmenter.safetensors", "sheet.png", "summary.csv", "test", "train",
      ])
    #expect(try folder.contents("out/masks") == ["scene-000.png", "scene-001.png"])
    #expect(try folder.contents("out/train").count == 6)

    // Figures of the file, of the page and of what was returned are the same.
    let written = try JSONDecoder().decode(
      ExperimentReport.self, from: Data(contentsOf: URL(fileURLWithPath: folder.path("out/report.json"))))
    #expect(written == report)
    #expect(report.presets.map(\.id) == ["RGB and position", "patch and position", "diffusion features"])
    let page = try String(contentsOfFile: folder.path("out/report.html"), encoding: .utf8)
    for (index, way) in report.presets.enumerated() {
      #expect(page.contains("id=\"miou-0-\(index)\" data-value=\"\(way.scores[0].miou.mean)\""))
      #expect(page.contains(way.summary.replacingOccurrences(of: "'", with: "&#39;")))
    }
    let image = try Image(contentsOf: folder.path("out/sheet.png"))
    #expect(image.width > 6 * 128 && image.height > 2 * 128 && image.height < 3 * 128)

    // The segmenter says of the scenes in the folder what the demo said.
    let segmenter = try Segmenter(contentsOf: folder.path("out/segmenter.safetensors"))
    let labelled = try LabelledImages(directory: folder.path("out/test"), classes: segmenter.classes)
    let evaluation = try segmenter.evaluate(on: labelled)
    #expect(evaluation.confusion.meanIoU(.ledm) == report.presets[2].scores[0].miou.mean)
    for index in 0..<2 {
      let mask = try LabelMask(contentsOf: folder.path("out/masks/scene-00\(index).png"))
      let item = try labelled.load(index)
      #expect(try segmenter.segment(item.image).labels == mask)
      #expect(item.image == SyntheticScenes(seed: 101).scene(index).image)
      #expect(item.mask == SyntheticScenes(seed: 101).scene(index).mask)
    }
  }

  @Test func threadsChangeNothing() throws {
    let bytes = try withThreadCounts([1, 2, 3]) {
      _ = try Demo.small.run(writingTo: DemoFolder(folder.path("out")))
      return try Data(contentsOf: URL(fileURLWithPath: folder.path("out/segmenter.safetensors")))
    }
    #expect(bytes[0] == bytes[1] && bytes[0] == bytes[2])
  }

  @Test func cancelledItEnds() async throws {
    let folder = DemoFolder(folder.path("out"))
    let kind = await Task { () -> DataError.Kind? in
      do throws(DataError) {
        _ = try await Demo.small.run(writingTo: folder) { _ in withUnsafeCurrentTask { $0?.cancel() } }
        return nil
      } catch {
        return error.kind
      }
    }.value
    #expect(kind == .cancelled && !FileManager.default.fileExists(atPath: folder.pagePath))
  }

  /// Folders as people have them, and what is named as being in the way.
  @Test(arguments: [
    (["train/photo.png", "letter.txt"], "letter.txt in it"),
    (["train/photo.png", "test/photo.png", "classes.json"], "train/photo.png in it"),
    (["train/scene-1.png", "test/scene-2.png", "masks/scene-3.npy"], "masks/scene-3.npy in it"),
    (["train/scene-1.png", "test/scene-holiday.png", "masks/scene-3.png"], "test/scene-holiday.png in it"),
    (["classes.json"], "classes.json in it, but no train"),
  ])
  func leavesOtherPeoplesFoldersAlone(files: [String], found: String) throws {
    for name in files {
      _ = try folder.folder("home/\((name as NSString).deletingLastPathComponent)")
      _ = try folder.file("home/\(name)", [1, 2, 3])
    }
    let before = try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted()
    #expect {
      _ = try Demo.small.run(writingTo: DemoFolder(folder.path("home")))
    } throws: { error in
      let error = error as? DataError
      return error?.kind == .cannotCreate && error?.found == found
    }
    #expect(try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted() == before)
  }

  @Test func aSmallerDemoLeavesNothingOfALargerOne() throws {
    var demo = Demo.small
    _ = try demo.run(writingTo: DemoFolder(folder.path("out")))
    demo.testScenes = 1
    _ = try demo.run(writingTo: DemoFolder(folder.path("out")))
    #expect(try folder.contents("out/test") == ["scene-000.mask.png", "scene-000.png"])
    #expect(try folder.contents("out/masks") == ["scene-000.png"])
  }

  @Test(arguments: [ShippedModel.sceneSeed, ShippedModel.sceneSeed - 1])
  func scenesThatTheModelHasSeenAreRefused(seed: UInt64) throws {
    var demo = Demo.small
    demo.seed = seed
    #expect(throws: DataError.self) { _ = try demo.run(writingTo: DemoFolder(folder.path("out"))) }
    #expect(try folder.contents().isEmpty)
  }

  @Test(arguments: [([1000], [4], 2), ([50], [99], 2), ([50], [4], 0)])
  func whatCannotBeRunMakesNoFolder(steps: [Int], blocks: [Int], testScenes: Int) throws {
    var demo = Demo.small
    (demo.steps, demo.blocks, demo.testScenes) = (steps, blocks, testScenes)
    #expect(throws: DataError.self) { _ = try demo.run(writingTo: DemoFolder(folder.path("out"))) }
    #expect(try folder.contents().isEmpty)
  }

  /// Of a demo that was killed: its folders, a scene, files that were being written.
  @Test func whatAStoppedDemoLeftIsTaken() throws {
    for name in ["train/scene-000.png", "test/.scene-001.png.12.34.tmp", "masks/.a.1.2.tmp", ".b.1.2.tmp"] {
      _ = try folder.folder("out/\((name as NSString).deletingLastPathComponent)")
      _ = try folder.file("out/\(name)", [1, 2, 3])
    }
    _ = try Demo.small.run(writingTo: DemoFolder(folder.path("out")))
    #expect(try folder.contents("out/masks") == ["scene-000.png", "scene-001.png"])
  }

  /// Scenes are as large as the pictures that the model was trained on.
  @Test func anotherModelHasItsOwnImageSize() throws {
    let world = try TinyWorld()
    func run(imageSize: Int) throws {
      var options = TinyWorld.options
      options.imageSize = imageSize
      let model = world.folder.path("model-\(imageSize).safetensors")
      try DiffusionBackbone.convert(checkpoint: world.checkpoint, options: options, to: model)
      var demo = Demo.small
      demo.blocks = [1]
      _ = try demo.run(writingTo: DemoFolder(folder.path("\(imageSize)")), checkpoint: model)
    }
    try run(imageSize: 48)
    for (part, seed) in [("train", 100), ("test", 101)] as [(String, UInt64)] {
      let written = try Image(contentsOf: folder.path("48/\(part)/scene-001.png"))
      #expect(written == SyntheticScenes(seed: seed, imageSize: 48).scene(1).image)
    }
    #expect { try run(imageSize: 16) } throws: { ($0 as? DataError)?.item == "image size" }
    #expect(try folder.contents() == ["48"])
  }
}
