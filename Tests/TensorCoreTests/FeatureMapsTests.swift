import Foundation
import TensorCore
import TestSupport
import Testing

@Suite("Feature maps")
struct FeatureMapsTests {
  struct Picture: CustomTestStringConvertible, Sendable {
    var height: Int
    var width: Int
    /// Channels, height, width of each map.
    var maps: [[Int]]
    var testDescription: String { "\(height)×\(width) from \(maps)" }
  }

  static let pictures = [
    Picture(height: 16, width: 16, maps: [[5, 4, 4], [8, 8, 8], [3, 16, 16]]),
    Picture(height: 13, width: 9, maps: [[7, 5, 3], [17, 13, 9], [1, 1, 1], [20, 7, 9]]),
    Picture(height: 3, width: 40, maps: [[33, 6, 11]]),
    Picture(height: 1, width: 1, maps: [[4, 2, 2]]),
  ]

  private func activations(_ picture: Picture) -> [Tensor] {
    var random = Philox(seed: 10)
    return picture.maps.map { random.normal(shape: $0) }
  }

  private func features(_ picture: Picture, _ activations: [Tensor], _ precision: FeaturePrecision)
    -> FeatureMaps
  {
    FeatureMaps(
      maps: activations.enumerated().map {
        FeatureMap(step: 50, block: $0.offset, activation: $0.element, precision: precision)
      }, height: picture.height, width: picture.width)
  }

  /// All vectors of a picture by upsampling and concatenation: `[H · W, channels]`.
  private func upsampled(_ picture: Picture, _ activations: [Tensor]) -> Tensor {
    let planes = activations.map { activation in
      resizeBilinear(
        activation.reshaped([1] + activation.shape), height: picture.height, width: picture.width)
    }
    let joined = planes.map(\.channelsLast).reduce(nil as Tensor?) { joined, next in
      joined.map { ConvolutionInput($0, joinedWith: next).tensor } ?? next
    }!
    return joined.reshaped([picture.height * picture.width, joined.shape[3]])
  }

  @Test("a pixel's vector is bit for bit that of bilinear upsampling", arguments: pictures)
  func gatheredFloats(picture: Picture) {
    let activations = activations(picture)
    let features = features(picture, activations, .float)
    let all = Array(0..<features.pixelCount)
    #expect(features.vectors(at: all) == upsampled(picture, activations))
  }

  @Test("from halves it is bit for bit that of upsampling the rounded numbers", arguments: pictures)
  func gatheredHalves(picture: Picture) {
    let activations = activations(picture)
    let rounded = activations.map { activation in
      Tensor(activation.elements.map { Float16Bits.widen(Float16Bits.narrow($0)) }, shape: activation.shape)
    }
    let features = features(picture, activations, .half)
    let all = Array(0..<features.pixelCount)
    #expect(features.vectors(at: all) == upsampled(picture, rounded))
  }

  @Test("pixels come in the order asked for, and again when asked again")
  func order() {
    let picture = Self.pictures[1]
    let features = features(picture, activations(picture), .float)
    let all = features.vectors(at: Array(0..<features.pixelCount))
    let asked = [100, 3, 3, 0, 116]
    let found = features.vectors(at: asked)
    for (row, pixel) in asked.enumerated() { #expect(found.slice(row) == all.slice(pixel)) }
    #expect(features.vectors(at: []).shape == [0, features.channels])
  }

  @Test(
    "an activation comes back as it went in",
    arguments: [[1, 1, 1], [5, 3, 7], [64, 17, 19], [300, 20, 20]])
  func roundTrip(shape: [Int]) {
    var random = Philox(seed: 11)
    let activation = random.normal(shape: shape)
    #expect(FeatureMap(step: 0, block: 0, activation: activation).tensor == activation)
    let half = FeatureMap(step: 0, block: 0, activation: activation, precision: .half)
    #expect(half.precision == .half)
    #expect(half.tensor.elements == activation.elements.map { Float16Bits.widen(Float16Bits.narrow($0)) })
  }

  @Test("one picture of a batch is taken, and channel-last input is the same map")
  func batchAndChannelsLast() {
    var random = Philox(seed: 12)
    let batch = random.normal(shape: [3, 4, 5, 6])
    let map = FeatureMap(step: 0, block: 0, activation: batch, index: 1)
    #expect(map.tensor == batch.slice(1))
    let vectors = transposed(batch.slice(1).reshaped([4, 30])).reshaped([5, 6, 4])
    #expect(FeatureMap(step: 0, block: 0, channelsLast: vectors).tensor == batch.slice(1))
  }

  @Test("a map that halves cannot hold is kept as floats", arguments: [70_000, Float.infinity, .nan])
  func beyondHalf(value: Float) {
    var activation = Tensor(repeating: 1, shape: [2, 20, 20])
    activation[1, 19, 19] = value
    let map = FeatureMap(step: 0, block: 0, activation: activation, precision: .half)
    #expect(map.precision == .float)
    #expect(map.byteCount == 2 * 400 * 4)
    let last = map.tensor.elements.last!
    #expect(last == value || (last.isNaN && value.isNaN))
  }

  @Test("the smallest halves keep their value through interpolation")
  func subnormalHalves() {
    let tiny = Float.leastNonzeroMagnitude.isZero ? 0 : Float(0x1p-24)
    let activation = Tensor([tiny, -tiny, 3 * tiny, 0, tiny * 1000, -65504, 65504, 1], shape: [2, 2, 2])
    let picture = Picture(height: 5, width: 5, maps: [[2, 2, 2]])
    let features = features(picture, [activation], .half)
    #expect(features.maps[0].precision == .half)
    #expect(features.vectors(at: Array(0..<25)) == upsampled(picture, [activation]))
  }

  @Test("maps stand step by step as given, blocks ascending")
  func mapOrder() {
    let map = { (step: Int, block: Int, channels: Int) in
      FeatureMap(
        step: step, block: block, activation: Tensor(repeating: Float(channels), shape: [channels, 2, 2]))
    }
    let features = FeatureMaps(
      maps: [map(250, 8, 3), map(50, 12, 2), map(250, 5, 1), map(50, 6, 4)], height: 4, width: 4)
    #expect(features.maps.map(\.step) == [250, 250, 50, 50])
    #expect(features.maps.map(\.block) == [5, 8, 6, 12])
    #expect(features.channels == 10)
    #expect(features.byteCount == 10 * 4 * 4)
    #expect(features.vectors(at: [7]).elements == [1, 3, 3, 3, 4, 4, 4, 4, 2, 2])
  }

  @Test("the same bits with any number of threads", arguments: FeaturePrecision.allCases)
  func threads(precision: FeaturePrecision) {
    let picture = Picture(height: 40, width: 33, maps: [[70, 10, 12], [30, 40, 33]])
    let activations = activations(picture)
    let before = Threads.count
    defer { Threads.count = before }
    let results = [1, 2, 3, 5].map { threads in
      Threads.count = threads
      let features = features(picture, activations, precision)
      return features.vectors(at: Array(0..<features.pixelCount))
    }
    #expect(results.allSatisfy { $0 == results[0] })
  }
}
