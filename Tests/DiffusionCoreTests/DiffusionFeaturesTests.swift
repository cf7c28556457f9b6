import Base
import Checkpoints
import DiffusionCore
import TensorCore
import TestSupport
import Testing

struct DiffusionFeaturesTests {
  static func backbone() throws -> DiffusionBackbone {
    try DiffusionBackbone(
      network: randomNetwork(.tiny), options: DiffusionOptions(imageSize: 16), checkpointPath: "random")
  }

  @Test func mapsComeStepByStepAtTheirOwnResolution() throws {
    var random = Philox(seed: 3)
    let image = random.normal(shape: [3, 16, 16])
    let features = DiffusionFeatures(try Self.backbone(), steps: [150, 50], blocks: [3, 0, 1])
    let maps = try features.extract(image)
    #expect(
      maps.maps.map(\.key.name)
        == [150, 50].flatMap { step in
          [0, 1, 3].map { "step\(step)/block\($0)" }
        })
    #expect(maps.maps.map(\.key) == features.layout.map(\.key))
    #expect(maps.maps.map(\.channels) == features.layout.map(\.channels))
    #expect(features.layout.map { 16 / $0.stride } == [8, 16, 16, 8, 16, 16])
    #expect(maps.maps.map(\.width) == [8, 16, 16, 8, 16, 16])
    #expect(maps.channels == features.channels)
  }

  /// The same as noising by hand and looking at the network.
  @Test func featuresAreActivationsOfTheNoisedPicture() throws {
    var random = Philox(seed: 3)
    let image = random.normal(shape: [3, 16, 16])
    let noise = random.normal(shape: [3, 16, 16])
    let backbone = try Self.backbone()
    let maps = try DiffusionFeatures(backbone, steps: [400], blocks: [2], noise: .fixed(noise)).extract(image)
    let batch = [1, 3, 16, 16]
    let noised = backbone.diffusion.qSample(
      xStart: image.reshaped(batch), t: [400], noise: noise.reshaped(batch))
    let expected = backbone.network.activations(noised, timesteps: [400], outputBlocks: [2])[0]
    #expect(maps.maps[0].tensor == expected.channelsFirst.slice(0))
  }

  @Test func sharedNoiseIsSharedAndFreshNoiseIsFresh() throws {
    let image = Tensor(repeating: 0.25, shape: [3, 16, 16])
    let backbone = try Self.backbone()
    let shared = DiffusionFeatures(backbone, steps: [50], blocks: [0], noise: .shared(seed: 4))
    #expect(
      try shared.extract(image, name: "a.png").maps[0].tensor
        == shared.extract(image, name: "b.png").maps[0].tensor)
    let fresh = DiffusionFeatures(backbone, steps: [50], blocks: [0], noise: .perImage(seed: 4))
    func map(_ name: String) throws -> Tensor { try fresh.extract(image, name: name).maps[0].tensor }
    #expect(try map("a.png") != map("b.png") && map("a.png") != map("a.jpg"))
    // Whatever list it stands in, and by whatever path it is named.
    #expect(try map("a.png") == map("a.png") && map("x/a.png") == map("/y/z/a.png"))
    #expect(try map("x/a.png") == map("a.png"))
  }

  /// Each noise that was drawn, and its negative.
  @Test(arguments: [2, 4])
  func averagesOverNoises(count: Int) throws {
    var random = Philox(seed: 8)
    let image = random.normal(shape: [3, 16, 16])
    let drawn = random.normal(shape: [count / 2, 3, 16, 16])
    let backbone = try Self.backbone()
    func map(_ noise: Tensor, _ noiseCount: Int) throws -> Tensor {
      try DiffusionFeatures(
        backbone, steps: [50, 900], blocks: [1, 2], noise: .fixed(noise), noiseCount: noiseCount
      )
      .extract(image).maps[3].tensor
    }
    var sum = NaiveTensor(try map(drawn, count))
    for index in sum.elements.indices { sum.elements[index] = 0 }
    for noise in 0..<count / 2 {
      for sign in [1, -1] as [Float] {
        let one = NaiveTensor(try map(drawn.slice(noise) * sign, 1))
        for index in sum.elements.indices { sum.elements[index] += one.elements[index] / Double(count) }
      }
    }
    expectClose(try map(drawn, count), sum, absolute: 1e-5)
    // The first of a seed's noises is the one that it has alone.
    let seed = FeatureNoise.shared(seed: 3)
    let several = try #require(seed.sharedTensor(channels: 3, size: 16, count: 2))
    #expect(several.slice(0) == seed.sharedTensor(channels: 3, size: 16)?.slice(0))
    #expect(several.slice(1) != several.slice(0))
  }

  @Test func freshNoisesAreAveragedToo() throws {
    let image = Tensor(repeating: 0.25, shape: [3, 16, 16])
    func map(_ noiseCount: Int, name: String) throws -> Tensor {
      try DiffusionFeatures(
        Self.backbone(), steps: [700], blocks: [0], noise: .perImage(seed: 4), noiseCount: noiseCount
      ).extract(image, name: name).maps[0].tensor
    }
    let maps = try [map(1, name: "a"), map(2, name: "a"), map(2, name: "b"), map(4, name: "a")]
    for (index, map) in maps.enumerated() { #expect(!maps[..<index].contains(map)) }
  }

  @Test(arguments: [-2, 0, 3, 66, .max, .min])
  func oddNumbersOfNoisesAreRefused(noiseCount: Int) throws {
    let features = DiffusionFeatures(try Self.backbone(), steps: [50], blocks: [0], noiseCount: noiseCount)
    let error = #expect(throws: DataError.self) { try features.extract(Tensor(zeros: [3, 16, 16])) }
    #expect(error?.file == "noises" && error?.kind == .invalidArgument)
  }

  @Test func widePicturesAreWelcome() throws {
    var random = Philox(seed: 5)
    let maps = try DiffusionFeatures(try Self.backbone(), steps: [50], blocks: [0, 3]).extract(
      random.normal(shape: [3, 16, 40]))
    #expect(maps.maps.map { [$0.height, $0.width] } == [[8, 20], [16, 40]])
  }

  @Test(arguments: [
    ([50], [4]), ([50], []), ([50], [-1]), ([], [0]), ([1000], [0]), ([-1], [0]), ([50, 50], [0]),
  ])
  func badSelectionIsRefused(steps: [Int], blocks: [Int]) throws {
    let features = DiffusionFeatures(try Self.backbone(), steps: steps, blocks: blocks)
    let error = #expect(throws: DataError.self) { try features.extract(Tensor(zeros: [3, 16, 16])) }
    #expect(error?.kind == .invalidArgument)
  }

  @Test(arguments: [[3, 16, 15], [1, 16, 16], [3, 0, 16], [16, 16], [3, 7, 16]])
  func badPictureIsRefused(_ shape: [Int]) throws {
    let features = DiffusionFeatures(try Self.backbone(), steps: [50], blocks: [0])
    #expect(throws: DataError.self) { try features.extract(Tensor(zeros: shape)) }
  }

  @Test func noiseOfAnotherSizeIsRefused() throws {
    let features = DiffusionFeatures(
      try Self.backbone(), steps: [50], blocks: [0], noise: .fixed(Tensor(zeros: [3, 8, 8])))
    let error = #expect(throws: DataError.self) { try features.extract(Tensor(zeros: [3, 16, 16])) }
    #expect(error?.file == "noise")
  }

  @Test func halfPrecisionIsCloseToFloat() throws {
    var random = Philox(seed: 6)
    let image = random.normal(shape: [3, 16, 16])
    let backbone = try Self.backbone()
    let float = try DiffusionFeatures(backbone, steps: [50], blocks: [1]).extract(image)
    let half = try DiffusionFeatures(backbone, steps: [50], blocks: [1]).extract(image, precision: .half)
    #expect(half.byteCount == float.byteCount / 2 + 4 * half.channels)
    expectClose(half.maps[0].tensor, NaiveTensor(float.maps[0].tensor), absolute: 2e-3)
  }

  /// The linear schedule reaches a variance of 1 at 20 steps.
  @Test(arguments: [0, 2, 10, 20, -1, 2_000_000])
  func numberOfStepsMustFitTheSchedule(_ steps: Int) throws {
    let error = #expect(throws: DataError.self) {
      try DiffusionBackbone(
        network: randomNetwork(.tiny), options: DiffusionOptions(imageSize: 16, diffusionSteps: steps),
        checkpointPath: "")
    }
    #expect(error?.file == "diffusion steps")
  }

  @Test func imageSizeMustFitTheNetwork() throws {
    let error = #expect(throws: DataError.self) {
      try DiffusionBackbone(
        network: randomNetwork(.tiny), options: DiffusionOptions(imageSize: 15), checkpointPath: "")
    }
    #expect(error?.kind == .invalidArgument)
  }
}
