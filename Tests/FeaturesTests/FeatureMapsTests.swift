import Features
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

  /// `[C, H, W]` as a map.
  private func map(_ activation: Tensor, block: Int = 0, _ precision: FeaturePrecision) -> FeatureMap {
    FeatureMap(
      FeatureKey("step50/block\(block)", order: block), activation: channelsLast(activation),
      precision: precision)
  }

  private func features(_ picture: Picture, _ activations: [Tensor], _ precision: FeaturePrecision)
    -> FeatureMaps
  {
    FeatureMaps(
      maps: activations.enumerated().map {
        map($0.element, block: $0.offset, precision)
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

  @Test("from halves it is that of upsampling what the maps hold", arguments: pictures)
  func gatheredHalves(picture: Picture) {
    let features = features(picture, activations(picture), .half)
    #expect(features.maps.allSatisfy { $0.precision == .half })
    let all = Array(0..<features.pixelCount)
    let expected = NaiveTensor(upsampled(picture, features.maps.map(\.tensor)))
    expectClose(features.vectors(at: all), expected, absolute: 1e-6, relative: 1e-6)
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
    #expect(map(activation, .float).tensor == activation)
  }

  @Test(
    "a half errs by a share of how far the number is from the mean of its channel, however large that is",
    arguments: [[1, 1, 1], [5, 3, 7], [40, 17, 19], [30, 40, 33]], [Float(0), -3, 1000])
  func halfErrors(shape: [Int], level: Float) {
    var random = Philox(seed: 13)
    let pixels = shape[1] * shape[2]
    let activation = random.normal(shape: shape).mapped { $0 + level }
    let half = map(activation, .half)
    #expect(half.precision == .half)
    #expect(half.byteCount == activation.count * 2 + shape[0] * 4)
    let (stored, given) = (half.tensor.elements, activation.elements)
    for channel in 0..<shape[0] {
      let range = channel * pixels..<(channel + 1) * pixels
      let mean = range.reduce(0.0) { $0 + Double(given[$1]) } / Double(pixels)
      let worst = range.map { index in
        abs(Double(stored[index]) - Double(given[index])) - abs(Double(given[index]) - mean) * 0x1p-11
      }.max()!
      // Besides, the mean and the sum are floats.
      #expect(worst <= max(1, Double(abs(level))) * 0x1p-22)
    }
  }

  @Test("the LSUN network's features of 30 pictures are at most 1.6 GB as halves")
  func memory() {
    // Blocks 5, 6, 7, 8, 12 for 256×256 pixels, at three steps. Zeros: the numbers do not matter.
    let blocks = [(1024, 32), (512, 32), (512, 32), (512, 64), (256, 128)]
    let maps = blocks.enumerated().map { index, block in
      FeatureMap(
        FeatureKey("step0/block\(index)", order: index),
        activation: Tensor(zeros: [1, block.1, block.1, block.0]), precision: .half)
    }
    let bytes = 3 * maps.reduce(0) { $0 + $1.byteCount }
    #expect(3 * maps.reduce(0) { $0 + $1.channels } == 8448)
    #expect(bytes == 2 * 25_165_824 + 4 * 8448)
    #expect(30 * bytes < 1_600_000_000)
  }

  @Test("one picture of a batch is taken", arguments: FeaturePrecision.allCases)
  func batch(precision: FeaturePrecision) {
    var random = Philox(seed: 12)
    let batch = random.normal(shape: [3, 5, 6, 4])
    for index in 0..<3 {
      let map = FeatureMap(
        FeatureKey("step0/block0", order: 0), activation: batch, index: index, precision: precision)
      let alone = FeatureMap(
        FeatureKey("step0/block0", order: 0), activation: batch.slice(index).reshaped([1, 5, 6, 4]),
        precision: precision)
      #expect(map.tensor == alone.tensor)
      #expect(map.channels == 4 && map.height == 5 && map.width == 6)
    }
    let map = FeatureMap(FeatureKey("step0/block0", order: 0), activation: batch, index: 1)
    #expect(map.tensor[3, 4, 5] == batch[1, 4, 5, 3])
  }

  @Test("a part of the vectors of some pixels is what all of them say", arguments: FeaturePrecision.allCases)
  func parts(precision: FeaturePrecision) {
    var random = Philox(seed: 14)
    let map = map(random.normal(shape: [37, 6, 5]), precision)
    let whole = map.tensor
    let (pixels, channels) = (7..<23, 5..<36)
    withScratch(count: pixels.count * channels.count) { scratch in
      let part = map.vectors(ofPixels: pixels, channels: channels, scratch: scratch)
      #expect(part.rows == 16 && part.columns == 31)
      for (row, pixel) in pixels.enumerated() {
        for (column, channel) in channels.enumerated() {
          #expect(part.base[row * part.stride + column] == whole[channel, pixel / 5, pixel % 5])
        }
      }
    }
  }

  @Test("a map that halves cannot hold is kept as floats", arguments: [70_000, Float.infinity, .nan])
  func beyondHalf(value: Float) {
    var activation = Tensor(repeating: 1, shape: [2, 20, 20])
    activation[1, 19, 19] = value
    let map = map(activation, .half)
    #expect(map.precision == .float)
    #expect(map.byteCount == 2 * 400 * 4)
    let last = map.tensor.elements.last!
    #expect(last == value || (last.isNaN && value.isNaN))
  }

  @Test("numbers beyond the halves are no obstacle where they are all alike")
  func largeLevel() {
    let map = map(Tensor(repeating: 70_000, shape: [2, 20, 20]), .half)
    #expect(map.precision == .half)
    #expect(map.tensor == Tensor(repeating: 70_000, shape: [2, 20, 20]))
  }

  @Test("the smallest halves keep their value through interpolation")
  func subnormalHalves() {
    let tiny = Float.leastNonzeroMagnitude.isZero ? 0 : Float(0x1p-24)
    // The mean of both channels is 0, so that the halves are these numbers.
    let activation = Tensor(
      [tiny, -tiny, 3 * tiny, -3 * tiny, -65504, 65504, 1000 * tiny, -1000 * tiny], shape: [2, 2, 2])
    let picture = Picture(height: 5, width: 5, maps: [[2, 2, 2]])
    let features = features(picture, [activation], .half)
    #expect(features.maps[0].precision == .half)
    #expect(features.maps[0].tensor == activation)
    #expect(features.vectors(at: Array(0..<25)) == upsampled(picture, [activation]))
  }

  @Test("maps stand in the order of their keys, whatever order they come in")
  func mapOrder() {
    let map = { (name: String, order: Int, channels: Int) in
      FeatureMap(
        FeatureKey(name, order: order),
        activation: Tensor(repeating: Float(channels), shape: [1, 2, 2, channels]))
    }
    let features = FeatureMaps(
      maps: [map("b", 1, 3), map("d", 7, 2), map("a", 0, 1), map("c", 5, 4)], height: 4, width: 4)
    #expect(features.maps.map(\.key.name) == ["a", "b", "c", "d"])
    #expect(features.channels == 10)
    #expect(features.byteCount == 10 * 4 * 4)
    #expect(features.vectors(at: [7]).elements == [1, 3, 3, 3, 4, 4, 4, 4, 2, 2])
  }

  @Test("the same bits with any number of threads", arguments: FeaturePrecision.allCases)
  func threads(precision: FeaturePrecision) {
    let picture = Picture(height: 40, width: 33, maps: [[70, 10, 12], [30, 40, 33]])
    let activations = activations(picture)
    let results = withThreadCounts([1, 2, 3, 5]) {
      let features = features(picture, activations, precision)
      #expect(features.maps.allSatisfy { $0.precision == precision })
      return features.vectors(at: Array(0..<features.pixelCount))
    }
    #expect(results.allSatisfy { $0 == results[0] })
  }
}
