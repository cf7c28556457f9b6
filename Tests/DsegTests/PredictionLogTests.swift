import Checkpoints
import DiffusionSegmentation
import Foundation
import Images
import TestSupport
import Testing

/// Predictions that go on where they were stopped, and probabilities.
struct PredictionLogTests {
  let world: TinyWorld
  private var folder: TemporaryFolder { world.folder }
  private var segmenter: String { folder.path("s.safetensors") }

  init() throws {
    world = try TinyWorld(pictures: 3)
    try world.train().write(to: segmenter)
  }

  private func predict(_ more: [String], output: String = "o", pictures: [String]? = nil) throws
    -> DsegProcess.Outcome
  {
    try DsegProcess.run(
      ["predict", "--segmenter", segmenter, "--output", folder.path(output)] + more
        + (pictures ?? [world.images]))
  }

  /// Whether each picture was kept, by the JSON of a run.
  private func kept(_ outcome: DsegProcess.Outcome) throws -> [Bool] {
    struct Figures: Decodable {
      struct Picture: Decodable { var kept: Bool }
      var pictures: [Picture]
    }
    #expect(outcome.exitCode == 0, "\(outcome.messages)")
    return try JSONDecoder().decode(Figures.self, from: Data(outcome.output.utf8)).pictures.map(\.kept)
  }

  private func times() throws -> [String: Date] {
    var times: [String: Date] = [:]
    for name in try folder.contents("o") {
      let values = try URL(fileURLWithPath: folder.path("o/\(name)")).resourceValues(forKeys: [
        .contentModificationDateKey
      ])
      times[name] = values.contentModificationDate
    }
    return times
  }

  @Test func finishedPicturesAreKept() throws {
    let first = try predict(
      ["--json"], pictures: ["\(world.images)/scene0.png", "\(world.images)/scene1.png"])
    #expect(try kept(first) == [false, false])
    let before = try times()
    #expect(before.count == 9)
    #expect(try kept(predict(["--resume", "--json"])) == [true, true, false])
    let after = try times()
    #expect(after.count == 13)
    for (name, time) in before where name != "predictions.jsonl" { #expect(after[name] == time, "\(name)") }
    // Without the flag all is made anew; and the record is good for the next run.
    #expect(try kept(predict(["--json"])) == [false, false, false])
    #expect(try kept(predict(["--json", "--resume"])) == [true, true, true])

    // What is measured of the folder is what the record lists.
    try LabelMask(width: 3, height: 3, label: 1).write(to: folder.path("o/other.png"))
    let measured = try DsegProcess.run(["measure", folder.path("o"), "--json"])
    #expect(measured.exitCode == 0 && !measured.output.contains("other.png"), "\(measured.messages)")
    for index in 0..<3 { #expect(measured.output.contains("scene\(index).png")) }
  }

  /// What was changed, lost or cut short is made again, and nothing else.
  @Test func whatIsNotCompleteIsMadeAgain() throws {
    #expect(try predict([]).exitCode == 0)
    let log = folder.path("o/predictions.jsonl")

    try FileManager.default.removeItem(atPath: folder.path("o/scene1.uncertainty.png"))
    #expect(try kept(predict(["--resume", "--json"])) == [true, false, true])

    let (image, _) = TinyWorld.scene(7, width: 32, height: 32)
    try image.write(to: "\(world.images)/scene2.png")
    #expect(try kept(predict(["--resume", "--json"])) == [true, true, false])

    // The same bytes at another time: somebody wrote them.
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 1_000_000_000)],
      ofItemAtPath: "\(world.images)/scene0.png")
    #expect(try kept(predict(["--resume", "--json"])) == [false, true, true])

    // Killed while it wrote the last line.
    let text = try String(contentsOfFile: log, encoding: .utf8)
    try String(text.dropLast(30)).write(toFile: log, atomically: false, encoding: .utf8)
    #expect(try kept(predict(["--resume", "--json"])) == [false, true, true])
    #expect(try kept(predict(["--resume", "--json"])) == [true, true, true])

    try "{}\n".write(toFile: log, atomically: false, encoding: .utf8)
    let damaged = try predict(["--resume"])
    #expect(damaged.exitCode == 65 && damaged.messages.contains("line 1"), "\(damaged.messages)")
    #expect(try kept(predict(["--json"])) == [false, false, false])
  }

  @Test(arguments: [
    (["--fit", "crop"], "--fit: expected pad"), (["--models", "2"], "--models: expected 3"),
    (["--format", "geojson"], "--format: expected npy,png"),
    (["--probabilities", "png"], "--probabilities: expected none"),
    (["--test-time", "flip"], "digest"), (["--seed", "9"], "digest"),
  ])
  func resultsOfOtherSettingsAreAnError(_ flags: [String], _ words: String) throws {
    #expect(try predict([]).exitCode == 0)
    let before = try times()
    let outcome = try predict(flags + ["--resume"])
    #expect(outcome.exitCode == 64 && outcome.messages.contains(words), "\(outcome.messages)")
    #expect(try times() == before)
    // Said without --resume, they replace what is there.
    #expect(try predict(flags).exitCode == 0)
    #expect(try kept(predict(flags + ["--resume", "--json"])) == [true, true, true])
  }

  @Test func anotherSegmenterIsAnError() throws {
    #expect(try predict([]).exitCode == 0)
    try world.train(seed: 1).write(to: segmenter)
    let outcome = try predict(["--resume"])
    #expect(outcome.exitCode == 64 && outcome.messages.contains("--segmenter"), "\(outcome.messages)")
  }

  /// One file of all pictures, of a run that was stopped as of one that was not.
  @Test func cocoIsThatOfAWholeRun() throws {
    #expect(try predict(["--format", "coco"], output: "whole").exitCode == 0)
    #expect(try predict(["--format", "coco"], pictures: ["\(world.images)/scene1.png"]).exitCode == 0)
    #expect(try kept(predict(["--format", "coco", "--resume", "--json"])) == [false, true, false])
    let (whole, resumed) = (
      try Data(contentsOf: URL(fileURLWithPath: folder.path("whole/annotations.json"))),
      try Data(contentsOf: URL(fileURLWithPath: folder.path("o/annotations.json")))
    )
    #expect(whole == resumed && whole.count > 1000)
  }

  /// A mask says how large its pixels are, as the picture does.
  @Test func masksKeepThePixelSize() throws {
    let path = folder.path("p.tif")
    let (image, _) = TinyWorld.scene(5, width: 44, height: 40)
    var writer = try TIFFWriter(
      path: path, width: 44, height: 40, kind: .rgb, pixelSize: PixelSize(x: 0.5, y: 2))
    try writer.append(image.pixels)
    try writer.finish()
    #expect(try predict(["--probabilities", "png"], pictures: [path]).exitCode == 0)
    for name in ["p.png", "p.probability1.png"] {
      let size = try #require(try Image.pixelSize(ofFile: folder.path("o/\(name)")))
      #expect(abs(size.x - 0.5) < 1e-6 && abs(size.y - 2) < 1e-6)
    }
  }

  /// 65535 for 1, one page or file for each class, of the picture's size.
  @Test(arguments: ["tif", "png"])
  func probabilitiesAreThoseOfTheSegmenter(_ format: String) throws {
    let (image, _) = TinyWorld.scene(5, width: 44, height: 40)
    try image.write(to: folder.path("p.png"))
    #expect(
      try predict(["--probabilities", format], pictures: [folder.path("p.png")]).exitCode == 0)
    let loaded = try Segmenter(contentsOf: segmenter)
    let result = try loaded.segment(image, name: "p.png", withProbabilities: true)
    let planes = try #require(result.probabilities)
    for label in 0..<2 {
      let path = folder.path(format == "tif" ? "o/p.probabilities.tif" : "o/p.probability\(label).png")
      let found = try Image(contentsOf: path, page: format == "tif" ? label : nil)
      #expect(found.width == 44 && found.height == 40)
      let count = planes.count / 2
      let expected = result.geometry.restore(Array(planes.elements[label * count..<(label + 1) * count]))
      let worst = expected.indices.map { abs(Float(found.pixels[3 * $0]) / 255 - expected[$0]) }.max()!
      #expect(worst <= 0.5 / 255 + 1e-4)
      #expect(Set(found.pixels).count > 20)
    }
  }
}
