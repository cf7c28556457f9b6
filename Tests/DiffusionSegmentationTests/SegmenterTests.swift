import Augment
import Base
import Checkpoints
import DiffusionCore
import DiffusionSegmentation
import Foundation
import Synchronization
import TensorCore
import TestSupport
import Testing

struct SegmenterTests {
  @Test func learnsWhatCanBeSeen() throws {
    let world = try TinyWorld()
    let evaluation = try world.train().evaluate(on: world.labelled())
    #expect(evaluation.images == 3)
    #expect(evaluation.confusion.meanIoU(.standard) > 0.9)
  }

  /// The same seed gives the same bits, with 1, 2, 3 and 5 threads.
  @Test func segmentersAndMasksDoNotDependOnThreads() throws {
    let world = try TinyWorld()
    let image = TinyWorld.scene(7, width: 32, height: 32).0
    var files: [Data] = []
    var results: [Segmentation] = []
    _ = try withThreadCounts([1, 2, 3, 5]) {
      let segmenter = try world.train()
      let path = world.folder.path("\(Threads.count).safetensors")
      try segmenter.write(to: path)
      files.append(try Data(contentsOf: URL(fileURLWithPath: path)))
      results.append(try segmenter.segment(image, withProbabilities: true))
    }
    for index in 1..<4 {
      #expect(files[index] == files[0], "segmenter \(index)")
      #expect(results[index].labels == results[0].labels)
      #expect(results[index].uncertainty == results[0].uncertainty)
      #expect(results[index].probabilities! == results[0].probabilities!)
    }
  }

  /// Convolutions that round more change no label.
  @Test func fastAndReferenceGiveTheSameLabels() throws {
    let world = try TinyWorld()
    let fast = try world.train()
    var options = TinyWorld.options
    options.precision = .reference
    let backbone = try DiffusionBackbone(checkpoint: world.checkpoint, options: options)
    let features = DiffusionFeatures(
      backbone, steps: [50, 250], blocks: [1, 3], noise: .shared(seed: 0))
    let reference = try Segmenter(ensemble: fast.ensemble, classes: fast.classes, features: features)
    for index in 0..<6 {
      let image = TinyWorld.scene(index, width: 32, height: 32).0
      let (a, b) = (try fast.segment(image), try reference.segment(image))
      #expect(a.labels == b.labels)
      // Were they equal to the bit, the same convolutions would have run.
      #expect(a.uncertainty != b.uncertainty)
    }
  }

  @Test func otherSeedsGiveOtherSegmenters() throws {
    let world = try TinyWorld()
    let (a, b) = (try world.train(seed: 1), try world.train(seed: 2))
    #expect(a.ensemble.members[0].linear0.weight != b.ensemble.members[0].linear0.weight)
    #expect(a.ensemble.members[0].linear0.weight != a.ensemble.members[1].linear0.weight)
  }

  @Test(arguments: [FeatureNoise.shared(seed: 3), .perImage(seed: 3)])
  func fileKeepsEverything(noise: FeatureNoise) throws {
    let world = try TinyWorld()
    let segmenter = try world.train(noise: noise)
    let path = world.folder.path("s.safetensors")
    try segmenter.write(to: path)
    let read = try Segmenter(contentsOf: path)
    #expect(
      read.classes == segmenter.classes && read.fit == segmenter.fit && read.training == segmenter.training)
    let record = read.features.models[0].record
    #expect(record == segmenter.features.models[0].record && record.options == TinyWorld.options.record)
    #expect(record.selection["steps"] == "50,250" && record.selection["blocks"] == "1,3")
    let image = TinyWorld.scene(4, width: 32, height: 32).0
    for name in ["a.png", "b.png"] {
      let (a, b) = (try segmenter.segment(image, name: name), try read.segment(image, name: name))
      #expect(a.labels == b.labels && a.uncertainty == b.uncertainty)
    }
  }

  @Test(arguments: [(40, 32), (32, 75), (50, 20), (64, 64), (7, 9)], ImageFit.everyKind)
  func masksComeBackAtTheSizeOfThePicture(_ size: (width: Int, height: Int), fit: ImageFit) throws {
    let world = try TinyWorld(width: 40, height: 33)
    let segmenter = try world.train(fit: fit)
    let image = TinyWorld.scene(1, width: size.width, height: size.height).0
    let result = try segmenter.segment(image, withProbabilities: true)
    #expect(result.labels.width == size.width && result.labels.height == size.height)
    #expect(result.uncertainty.count == size.width * size.height)
    #expect(result.uncertainty.allSatisfy { $0.isFinite })
    let hasUnknown = result.labels.labels.contains(255)
    #expect(hasUnknown == (fit == .crop && size.width != size.height))
    #expect(
      result.probabilities?.shape == [2, result.labelsAtModelSize.height, result.labelsAtModelSize.width])
  }

  @Test func probabilitiesComeOnlyWhenAskedFor() throws {
    let world = try TinyWorld()
    let segmenter = try world.train()
    let image = TinyWorld.scene(2, width: 32, height: 32).0
    let (without, with) = (
      try segmenter.segment(image), try segmenter.segment(image, withProbabilities: true)
    )
    #expect(without.probabilities == nil)
    #expect(without.labels == with.labels && without.uncertainty == with.uncertainty)
    let probabilities = try #require(with.probabilities)
    for row in 0..<with.labelsAtModelSize.height {
      for column in 0..<with.labelsAtModelSize.width {
        #expect(abs(probabilities[0, row, column] + probabilities[1, row, column] - 1) < 1e-5)
      }
    }
  }

  @Test func progressReachesItsEnd() throws {
    let world = try TinyWorld()
    let seen = Mutex((pictures: 0, members: Set<Int>()))
    _ = try Segmenter.train(
      on: world.labelled(), features: world.features(), options: .init(members: 2, epochs: 1, maxEpochs: 1)
    ) { progress in
      seen.withLock { seen in
        switch progress {
        case .features(let done, let count):
          #expect(done <= count)
          seen.pictures = max(seen.pictures, done)
        case .training(let progress, _): seen.members.insert(progress.member)
        }
      }
    }
    #expect(seen.withLock { $0.pictures == 3 && $0.members == [0, 1] })
  }

  @Test func anotherCheckpointIsRefused() throws {
    let world = try TinyWorld()
    let path = world.folder.path("s.safetensors")
    try world.train().write(to: path)
    var writer = SafetensorsWriter()
    for tensor in try randomNetworkTensors(.tiny, seed: 9) { writer.append(tensor.name, tensor.array) }
    try writer.write(to: world.folder.path("other.safetensors"))
    let error = #expect(throws: DataError.self) {
      try Segmenter(contentsOf: path, checkpoint: world.folder.path("other.safetensors"))
    }
    #expect(error?.item == "SHA-256" && error?.kind == .malformed)
  }

  @Test func movedCheckpointIsFoundBesideTheSegmenterOrNamed() throws {
    let world = try TinyWorld()
    let elsewhere = try world.folder.folder("elsewhere")
    try world.train().write(to: "\(elsewhere)/s.safetensors")
    try FileManager.default.moveItem(atPath: world.checkpoint, toPath: world.folder.path("moved.safetensors"))
    let error = #expect(throws: DataError.self) { try Segmenter(contentsOf: "\(elsewhere)/s.safetensors") }
    #expect(error?.kind == .noInput && error?.kind == .noInput)
    _ = try Segmenter(
      contentsOf: "\(elsewhere)/s.safetensors", checkpoint: world.folder.path("moved.safetensors"))
    try FileManager.default.moveItem(
      atPath: world.folder.path("moved.safetensors"), toPath: "\(elsewhere)/tiny.safetensors")
    _ = try Segmenter(contentsOf: "\(elsewhere)/s.safetensors")
  }

  @Test func writingFailsWithoutATrace() throws {
    let world = try TinyWorld()
    let segmenter = try world.train()
    let error = #expect(throws: DataError.self) {
      try segmenter.write(to: world.folder.path("nowhere/s.safetensors"))
    }
    #expect(error?.kind == .cannotCreate)
    // A model that somebody wrote to while it was in use can be named by no digest; the old file stays.
    let path = try world.folder.file("s.safetensors", [1, 2, 3])
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: world.checkpoint))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data([0]))
    try handle.close()
    let overwritten = #expect(throws: DataError.self) { try segmenter.write(to: path) }
    #expect(overwritten?.isAboutContent == true && overwritten?.file == world.checkpoint)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data([1, 2, 3]))
    #expect(try world.folder.contents().filter { $0.hasSuffix(".tmp") }.isEmpty)
  }

  @Test(arguments: ["{", "{}", "{\"format\": 99}", "{\"format\": \"1\"}", "{\"format\": 1}"])
  func damagedSettingsAreRefused(_ settings: String) throws {
    let world = try TinyWorld()
    var writer = SafetensorsWriter(metadata: ["segmenter": settings])
    writer.append("noise", Tensor(zeros: [3, 32, 32]))
    let path = world.folder.path("bad.safetensors")
    try writer.write(to: path)
    let error = #expect(throws: DataError.self) { try Segmenter(contentsOf: path) }
    #expect(error?.file == path && error?.isAboutContent == true)
  }

  /// A segmenter's file with a part of its settings or tensors replaced.
  private func tampered(
    _ world: TinyWorld, settings: (String) -> String = { $0 }, tensor name: String = "", element: Float = 0
  ) throws -> String {
    let path = world.folder.path("s.safetensors")
    try world.train().write(to: path)
    let file = try SafetensorsFile(contentsOf: path)
    var writer = SafetensorsWriter(metadata: file.metadata.mapValues(settings))
    for tensor in file.tensors {
      var values = tensor.array.tensor().elements
      if tensor.name == name { values[0] = element }
      writer.append(tensor.name, NumericArray(values, shape: tensor.array.shape))
    }
    try writer.write(to: world.folder.path("tampered.safetensors"))
    return world.folder.path("tampered.safetensors")
  }

  @Test(arguments: [
    ("features.noise", Float.nan), ("member.1.layers.0.weight", .infinity),
    ("member.0.layers.2.running_var", -1),
  ])
  func numbersThatCannotBeAreRefused(_ name: String, element: Float) throws {
    let world = try TinyWorld()
    let path = try tampered(world, tensor: name, element: element)
    let error = #expect(throws: DataError.self) {
      // The folder goes with the world.
      try withExtendedLifetime(world) { try Segmenter(contentsOf: path) }
    }
    #expect(error?.item == name && error?.isAboutContent == true)
  }

  @Test(arguments: [
    (#""featurePrecision":"float""#, #""featurePrecision":"double""#),
    (#""noise":"recorded""#, #""noise":"none""#), (#""noises":"1""#, #""noises":"3""#),
    (#""noises":"1""#, #""noises":"4""#), (#""noises":"1""#, #""noises":"0""#),
    (#""noises":"1""#, #""noises":"two""#), (#""noises":"1""#, #""noise_count":"1""#),
    (#""kind":"guided-diffusion""#, #""kind":"other""#),
    (#""fit":"pad""#, #""fit":"stretch""#), (#""image-size":"32""#, #""image-size":"31""#),
    (#""members":3"#, #""members":4"#),
    (#""steps":"50,250""#, #""steps":"50,5000""#), (#""blocks":"1,3""#, #""blocks":"""#),
    (#""attention-order":"legacy""#, #""attention-order":"old""#),
    (#""diffusion-steps":"1000""#, #""diffusion-steps":"0""#),
  ])
  func settingsThatCannotBeAreRefused(_ right: String, wrong: String) throws {
    let world = try TinyWorld()
    let path = try tampered(
      world,
      settings: { text in
        #expect(text.contains(right))
        return text.replacingOccurrences(of: right, with: wrong)
      })
    let error = #expect(throws: DataError.self) {
      try withExtendedLifetime(world) { try Segmenter(contentsOf: path) }
    }
    #expect(error.map { $0.kind == .invalidArgument || $0.isAboutContent } == true)
  }

  @Test func evaluationNeedsLabels() throws {
    let world = try TinyWorld(pictures: 1)
    let segmenter = try world.train()
    try NpyFile.write(
      NumericArray([UInt8](repeating: 255, count: 1024), shape: [32, 32]), to: "\(world.images)/scene0.npy")
    let error = #expect(throws: DataError.self) { try segmenter.evaluate(on: world.labelled()) }
    #expect(error?.expected == "labelled pixels")
  }

  @Test func plainCheckpointIsNoSegmenter() throws {
    let world = try TinyWorld()
    let error = #expect(throws: DataError.self) { try Segmenter(contentsOf: world.checkpoint) }
    #expect(error?.file == world.checkpoint)
  }
}
