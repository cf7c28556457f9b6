import Checkpoints
import Foundation
import Images
import TestSupport
import Testing

/// A stack of 16-bit pictures from training to masks.
struct StackCommandTests {
  @Test func aStackOfDeepPicturesIsLearntAndLabelled() throws {
    let world = try TinyWorld(pictures: 1)
    let folder = world.folder
    let images = try folder.folder("stack")
    var writer = try TIFFWriter(path: "\(images)/s.tif", width: 32, height: 32, kind: .deepGrey, pages: 2)
    var labels: [UInt8] = []
    for page in 0..<2 {
      let (image, mask) = TinyWorld.scene(page, width: 32, height: 32)
      labels += mask.labels
      // Of 12 bits, as cameras on microscopes have them.
      try writer.append(
        stride(from: 0, to: image.pixels.count, by: 3).map { 16 * UInt16(image.pixels[$0]) }, page: page)
    }
    try writer.finish()
    try NpyFile.write(NumericArray(labels, shape: [2, 32, 32]), to: "\(images)/s.npy")
    let segmenter = folder.path("s.safetensors")
    let training = [
      "train", "--checkpoint", world.checkpoint, "--images", images, "--classes", "2", "--steps", "50",
      "--blocks", "1", "--models", "1", "--epochs", "1", "--head-channels", "32", "--image-size", "32",
      "--output", segmenter,
    ]
    let dark = try DsegProcess.run(training)
    #expect(dark.exitCode == 0 && dark.messages.contains("--range percentile:0.1,99.9"), "\(dark.messages)")
    let trained = try DsegProcess.run(training + ["--range", "percentile:0.1,99.9", "--channels", "0"])
    #expect(trained.exitCode == 0 && !trained.messages.contains("makes it dark"), "\(trained.messages)")

    let predicted = try DsegProcess.run([
      "predict", "--segmenter", segmenter, "--output", folder.path("masks"), "\(images)/s.tif",
    ])
    #expect(predicted.exitCode == 0 && !predicted.messages.contains("makes it dark"), "\(predicted.messages)")
    #expect(try folder.contents("masks") == ["predictions.jsonl", "s"])
    let expected = (1...2).flatMap { page in
      ["npy", "overlay.png", "png", "uncertainty.png"].map { "p00\(page).\($0)" }
    }
    #expect(try folder.contents("masks/s") == expected)
    let evaluated = try DsegProcess.run(["evaluate", "--segmenter", segmenter, "--images", images])
    #expect(evaluated.exitCode == 0, "\(evaluated.messages)")

    for flags in [["--range", "percentile:9,1"], ["--channels", "0,1"]] {
      #expect(try DsegProcess.run(training + flags).exitCode == 64)
    }
    let missing = try DsegProcess.run(training + ["--channels", "3"])
    #expect(missing.exitCode == 65 && missing.messages.contains("channels"), "\(missing.messages)")
  }
}
