import Annotations
import Checkpoints
import DiffusionSegmentation
import Foundation
import Images
import TestSupport
import Testing

/// A picture that is read and written in rows, through the command line.
struct LargePredictionTests {
  private static let (width, height) = (8300, 8200)
  private let pixelSize = PixelSize(x: 0.5, y: 0.25)

  /// Bright in a rectangle, as the squares of the small pictures.
  private func write(_ path: String) throws {
    var writer = try TIFFWriter(
      path: path, width: Self.width, height: Self.height, kind: .rgb, pixelSize: pixelSize)
    let dark = (0..<Self.width).flatMap { _ in [60, 90, 110] as [UInt8] }
    var bright = dark
    for x in 1000..<5000 { bright.replaceSubrange(3 * x..<3 * x + 3, with: [220, 120, 60]) }
    for first in stride(from: 0, to: Self.height, by: 200) {
      let row = (2000..<6000).contains(first) ? bright : dark
      try writer.append((first..<min(first + 200, Self.height)).flatMap { _ in row })
    }
    try writer.finish()
  }

  /// A segmenter's file and the picture's, in a folder.
  private func prepared(scale: Double) throws -> (TinyWorld, Segmenter) {
    let world = try TinyWorld(pictures: 3, width: 80, height: 70)
    var segmenter = try world.train(fit: .tile(Tiling()))
    segmenter.fit = .tile(Tiling(scale: .factor(scale)))
    try segmenter.write(to: world.folder.path("s.safetensors"))
    try write(world.folder.path("big.tif"))
    return (world, segmenter)
  }

  /// A signal ends the work on a large picture, which may take hours, and leaves no part of it.
  @Test func aSignalEndsTheWork() throws {
    let (world, _) = try prepared(scale: 0.5)
    let folder = world.folder
    let process = try DsegProcess.start([
      "predict", "--segmenter", folder.path("s.safetensors"), "--output", folder.path("o"),
      folder.path("big.tif"),
    ])
    let deadline = Date() + 60
    while Date() < deadline, (try? folder.contents("o"))?.contains("predictions.jsonl") != true {
      Thread.sleep(forTimeInterval: 0.02)
    }
    process.terminate()
    while Date() < deadline, process.isRunning { Thread.sleep(forTimeInterval: 0.02) }
    // The picture takes an hour.
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 143)
    #expect(try folder.contents("o") == ["predictions.jsonl"])
  }

  /// The first rows of a page.
  private func top(_ path: String, page: Int? = nil, reading: PictureReading = .init()) throws -> Image {
    let stream = try PictureStream(contentsOf: path, page: page, reading: reading)
    return try #require(try stream.read(rows: 2100))
  }

  @Test func allFormsAreWrittenAndAgree() throws {
    let (world, segmenter) = try prepared(scale: 0.006)
    let folder = world.folder
    let outcome = try DsegProcess.run([
      "predict", "--segmenter", folder.path("s.safetensors"), "--output", folder.path("o"), "--format", "npy",
      "--format", "png",
      "--format", "geojson", "--probabilities", "png", folder.path("big.tif"),
    ])
    #expect(outcome.exitCode == 0 && outcome.messages.contains("written as TIFF"), "\(outcome.messages)")
    #expect(
      try folder.contents("o") == [
        "big.geojson", "big.npy", "big.overlay.png", "big.png", "big.probabilities.tif", "big.tif",
        "big.uncertainty.tif", "predictions.jsonl",
      ])
    let labels = try LabelMask(contentsOf: folder.path("o/big.tif"))
    #expect(Set(labels.labels).count == 2)
    let array = try LabelMask(contentsOf: folder.path("o/big.npy"), classes: world.classes)
    let isSame = array == labels
    #expect(isSame)
    for name in ["big.tif", "big.png"] {
      let found = try Image.pixelSize(ofFile: folder.path("o/\(name)"))
      #expect(found.map { abs($0.x - 0.5) < 1e-6 && abs($0.y - 0.25) < 1e-6 } == true, "\(name)")
    }

    var rows: SegmentedRows?
    let stream = try PictureStream(contentsOf: folder.path("big.tif"))
    _ = try segmenter.segment(stream, name: "big.tif", withProbabilities: true) { part in
      if part.rows.contains(2050) { rows = part }
    }
    let part = try #require(rows)
    for label in 0..<2 {
      let page = try top(folder.path("o/big.probabilities.tif"), page: label)
      let row = 2050
      let expected = part.probabilities[label]
      let start = (row - part.rows.lowerBound) * Self.width
      let worst = (0..<Self.width).map { x in
        abs(Float(page.pixels[3 * (row * Self.width + x)]) / 255 - expected[start + x])
      }.max()!
      #expect(worst <= 0.5 / 255 + 1e-4, "class \(label)")
    }

    // Shapes, read as labels again.
    let images = try folder.folder("images")
    try FileManager.default.moveItem(atPath: folder.path("big.tif"), toPath: "\(images)/big.tif")
    for name in ["npy", "tif", "png", "overlay.png", "uncertainty.tif"] {
      try FileManager.default.removeItem(atPath: folder.path("o/big.\(name)"))
    }
    let read = try LabelledImages(directory: images, classes: world.classes, labels: folder.path("o"))
    let isBack = try read.load(0).mask == labels
    #expect(isBack)
  }
}
