import Base
import Checkpoints
import Images
import Students
import TensorCore
import TestSupport
import Testing

struct GeneratedPicturesTests {
  private static let (count, height, width) = (80, 3, 5)

  /// Arrays of a file of pictures, each with its number in its samples.
  private static func arrays(
    latents: Bool = false, labels: NumericArray? = nil, scores: [Float]? = nil
  ) -> [NumericArray] {
    let pixels = height * width
    let samples = (0..<count * pixels * 3).map { UInt8($0 / (pixels * 3)) }
    let classes = (0..<count * pixels).map { UInt8($0 / pixels % 7) }
    return [NumericArray(samples, shape: [count, height, width, 3])]
      + [labels ?? NumericArray(classes, shape: [count, height, width])]
      + (latents ? [NumericArray([Float](repeating: 0, count: count * 2), shape: [count, 2])] : [])
      + [NumericArray(scores ?? (0..<count).map { Float(($0 * 7) % count) }, shape: [count])]
  }

  private func opened(_ arrays: [NumericArray]) throws -> GeneratedPictures {
    let folder = try TemporaryFolder()
    let path = folder.path("samples.npz")
    try NpzFile.write(
      arrays.enumerated().map { NamedArray(name: "arr_\($0)", array: $1) }, to: path)
    return try GeneratedPictures(contentsOf: path)
  }

  @Test(arguments: [false, true])
  func readsBothForms(latents: Bool) throws {
    let file = try opened(Self.arrays(latents: latents))
    #expect(file.count == 80 && file.width == 5 && file.height == 3)
    #expect(file.uncertainties[3] == 21)
    #expect(file.image(41).pixels.allSatisfy { $0 == 41 })
    #expect(file.mask(41).labels == [UInt8](repeating: 41 % 7, count: 15))
  }

  @Test func labelsMayBeOfAnyWholeType() throws {
    let classes = (0..<80 * 15).map { Int64($0 / 15 % 7) }
    let file = try opened(Self.arrays(labels: NumericArray(classes, shape: [80, 3, 5])))
    #expect(file.mask(79).labels == [UInt8](repeating: 79 % 7, count: 15))
  }

  @Test func filterFollowsTheReference() throws {
    let file = try opened(Self.arrays())
    #expect(try file.kept(portion: 0) == Array(0..<80))
    #expect(try file.kept(most: 10, portion: 0) == Array(0..<10))
    let kept = try file.kept(portion: 0.5)
    #expect(kept.map { file.uncertainties[$0] } == (30..<70).map(Float.init))
    for (most, portion) in [(0, 0.1), (60, 0.5), (0, 1.5), (-1, 0.5)] {
      #expect(throws: DataError.self) { try file.kept(most: most, portion: portion) }
    }
  }

  @Test func otherArraysAreRefused() throws {
    var arrays = Self.arrays()
    #expect(throws: DataError.self) { try opened(Array(arrays.prefix(2))) }
    arrays[0] = NumericArray([UInt8](repeating: 0, count: 80 * 15), shape: [80, 3, 5, 1])
    #expect(try refusal(arrays) == "arr_0")
    let fractions = NumericArray([Float](repeating: 0, count: 80 * 15), shape: [80, 3, 5])
    #expect(try refusal(Self.arrays(labels: fractions)) == "arr_1")
    let few = NumericArray([UInt8](repeating: 0, count: 15), shape: [1, 3, 5])
    #expect(try refusal(Self.arrays(labels: few)) == "arr_1")
    var scores = [Float](repeating: 0, count: 80)
    scores[5] = .nan
    #expect(try refusal(Self.arrays(scores: scores)) == "arr_2[5]")
  }

  private func refusal(_ arrays: [NumericArray]) throws -> String? {
    #expect(throws: DataError.self) { try opened(arrays) }?.item
  }

  @Test func itemsAreOfTheSideOfTheNetwork() throws {
    let file = try opened(Self.arrays())
    let item = DeepLabV3.item(file.image(51), file.mask(51), side: 4)
    #expect(item.picture.shape == [3, 4, 4])
    #expect(abs(item.picture[2, 1, 3] - (0.2 - 0.406) / 0.225) < 1e-6)
    #expect(item.labels == [UInt8](repeating: 51 % 7, count: 16))
  }

  // MARK: Choice of an epoch

  @Test func theFirstBestEpochInTextOrderIsChosen() throws {
    func epoch(_ number: Int, _ score: Double) -> EpochScores.Epoch {
      .init(file: EpochScores.file(ofEpoch: number), validation: score, testing: Double(number))
    }
    let scores = EpochScores([epoch(2, 0.5), epoch(10, 0.5), epoch(0, 0.1), epoch(3, 0.4)])
    #expect(scores.epochs.map(\.testing) == [0, 10, 2, 3])
    #expect(try scores.chosen().file == "deeplab_epoch_10.pth")
    #expect(throws: DataError.self) { try EpochScores([epoch(0, 0), epoch(1, 0)]).chosen() }
    #expect(throws: DataError.self) { try EpochScores([]).chosen() }
  }
}
