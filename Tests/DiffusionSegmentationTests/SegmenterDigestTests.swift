import Augment
import DiffusionSegmentation
import Foundation
import Images
import PixelClassifier
import TestSupport
import Testing

/// What makes two segmenters one.
struct SegmenterDigestTests {
  @Test func itIsTheSameOfWhatGivesTheSameLabels() throws {
    let world = try TinyWorld(pictures: 1)
    let trained = try world.train()
    let digest = try trained.digest()
    #expect(digest.count == 64)
    let path = world.folder.path("s.safetensors")
    try trained.write(to: path)
    let moved = world.folder.path("moved.safetensors")
    try FileManager.default.moveItem(atPath: world.checkpoint, toPath: moved)
    let read = try Segmenter(contentsOf: path, checkpoint: moved)
    #expect(try read.digest() == digest)
    var told = read
    (told.training, told.census) = (nil, nil)
    #expect(try told.digest() == digest)
  }

  @Test func itDiffersWithEverythingThatChangesLabels() throws {
    let world = try TinyWorld(pictures: 1)
    let plain = try world.train()
    var digests = [try plain.digest()]
    func changed(_ change: (inout Segmenter) throws -> Void) throws {
      var other = plain
      try change(&other)
      digests.append(try other.digest())
    }
    try changed { $0.fit = .crop }
    try changed { $0.reading = PictureReading(channels: [0]) }
    try changed { $0.reading = PictureReading(range: .values(0, 9)) }
    try changed { $0.reading = PictureReading(orientation: .ignore) }
    try changed { $0.prediction.seed = 5 }
    try changed { $0.prediction.postProcessing = try PostProcessing("majority:2") }
    try changed { $0.featurePrecision = .half }
    try changed { $0.ensemble = try PixelEnsemble(Array($0.ensemble.members.prefix(2))) }
    try changed { $0.ensemble = try PixelEnsemble($0.ensemble.members.reversed()) }
    // Noise is in the segmenter's file, as an array beside the settings.
    try changed { $0.features = $0.features.redrawn(seed: 5, draws: nil) }
    digests.append(try world.train(seed: 1).digest())
    #expect(Set(digests).count == digests.count)
  }
}
