import Base
import DiffusionSegmentation
import Foundation
import Images
import TestSupport
import Testing

/// Labels of other tools through the command line.
struct DatasetCommandTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    _ = try folder.folder("p")
    _ = try folder.folder("l")
    for index in 0..<2 {
      try Image(width: 16, height: 16, color: RGB(UInt8(index), 0, 0)).write(
        to: folder.path("p/\(index).png"))
    }
  }

  private struct Check: Decodable {
    var check: DatasetCheck
    var trainable: Bool
    var notices: [Notice]
  }

  @Test func nearestColoursAreReported() throws {
    let list =
      #"{"classes": [{"id": 0, "name": "a", "color": [0, 0, 0]}, {"id": 1, "name": "b", "color": [0, 99, 0]}]}"#
    let classes = try folder.file("c.json", list.utf8)
    var mask = Image(width: 16, height: 16, color: RGB(0, 96, 4))
    for x in 0..<16 { mask[x, 3] = .black }
    for index in 0..<2 { try mask.write(to: folder.path("l/\(index).png")) }
    let arguments = ["dataset", "check", folder.path("p"), "--labels", folder.path("l"), "--json"]
    let exact = try DsegProcess.run(arguments + ["--classes", classes])
    #expect(exact.exitCode == 65 && exact.output.contains("--nearest-colors"))
    let nearest = try DsegProcess.run(arguments + ["--classes", classes, "--nearest-colors"])
    #expect(nearest.exitCode == 0, "\(nearest.messages)")
    let found = try JSONDecoder().decode(Check.self, from: Data(nearest.output.utf8))
    #expect(found.trainable && found.check.classes.map(\.pixels) == [32, 480])
    #expect(found.check.inexactColors == .init(masks: 2, pixels: 480, largestDistance: 5))
    #expect(found.notices.map(\.item).contains("240 of 256 pixels, up to 5.0 away"))
    #expect(found.notices.map(\.item).contains("480 pixels of 2 masks, up to 5.0 away"))
    let text = try DsegProcess.run(arguments.dropLast() + ["--classes", classes, "--nearest-colors"])
    #expect(text.output.contains("colours of no class: 480 pixels of 2 masks, up to 5.0 away"))
    let converted = try DsegProcess.run([
      "dataset", "convert", folder.path("p"), folder.path("n"), "--to", "npy", "--labels", folder.path("l"),
      "--classes", classes, "--nearest-colors",
    ])
    #expect(
      converted.exitCode == 0 && converted.messages.contains("480 pixels of 2 masks"), "\(converted.messages)"
    )
    // Colours must be known, and values are none.
    let unknown = try DsegProcess.run(arguments + ["--nearest-colors"])
    #expect(unknown.exitCode == 64 && unknown.messages.contains("--classes"), "\(unknown.messages)")
    let both = try DsegProcess.run(
      arguments + ["--classes", classes, "--nearest-colors", "--mask-values", "0,255"])
    #expect(both.exitCode == 64 && both.messages.contains("--mask-values"))
  }

  @Test func labelStudioIsToldWhatToExport() throws {
    let path = try folder.file("s.json", #"[{"id": 1, "annotations": [], "data": {"image": "x"}}]"#.utf8)
    let outcome = try DsegProcess.run(["dataset", "check", folder.path("p"), "--labels", path])
    #expect(outcome.exitCode == 65 && outcome.messages.contains("Brush labels to PNG"), "\(outcome.messages)")
  }

  @Test func cvatIsCheckedAndConverted() throws {
    let images = (0..<2).map {
      #"<image name="\#($0).png" width="16" height="16"><ellipse label="cell" cx="8" cy="8" rx="5" ry="3"/></image>"#
    }
    _ = try folder.file(
      "p/annotations.xml", "<annotations>\(images.joined())</annotations>".utf8)
    let check = try DsegProcess.run(["dataset", "check", folder.path("p")])
    #expect(check.exitCode == 0 && check.output.hasPrefix("CVAT for images: 2 pictures"), "\(check.messages)")
    let converted = try DsegProcess.run([
      "dataset", "convert", folder.path("p"), folder.path("n"), "--to", "labelme",
    ])
    #expect(converted.exitCode == 0, "\(converted.messages)")
    let again = try DsegProcess.run(["dataset", "check", folder.path("n")])
    #expect(again.exitCode == 0 && again.output.hasPrefix("labelme: 2 pictures"), "\(again.messages)")
  }

  /// Labels of test pictures elsewhere, set by set.
  @Test func experimentsTakeLabelsForEachTestSet() throws {
    let world = try TinyWorld()
    let images = world.images
    // One set with its labels elsewhere, another with them beside its pictures.
    for place in ["apart", "labels"] { _ = try world.folder.folder(place) }
    for index in 0..<3 {
      try FileManager.default.copyItem(
        atPath: "\(images)/scene\(index).png", toPath: world.folder.path("apart/scene\(index).png"))
      try FileManager.default.copyItem(
        atPath: "\(images)/scene\(index).npy", toPath: world.folder.path("labels/scene\(index).npy"))
    }
    let apart = world.folder.path("apart")
    func run(_ more: [String]) throws -> DsegProcess.Outcome {
      try DsegProcess.run(
        [
          "experiment", "--checkpoint", world.checkpoint, "--train", images, "--test", apart, images,
          "--classes", "2", "--presets", "none", "--variant", "one=init,models=1,epochs=1", "--seeds", "1",
          "--curve-seeds", "0", "--image-size", "32", "--steps", "50", "--blocks", "1", "--head-channels",
          "32",
          "--output", world.folder.path("e"),
        ] + more)
    }
    #expect(try run([]).exitCode == 66)
    let short = try run(["--test-labels", world.folder.path("labels")])
    #expect(short.exitCode == 64 && short.messages.contains("--test-labels"), "\(short.messages)")
    let outcome = try run(["--test-labels", world.folder.path("labels"), images])
    #expect(outcome.exitCode == 0, "\(outcome.messages)")
  }
}
