import Base
import DiffusionSegmentation
import Features
import TensorCore
import TestSupport
import Testing

struct ComponentPicturesTests {
  /// One picture: three regions whose features differ in three directions of different strength.
  private func maps(_ width: Int, offset: Float = 0) -> FeatureMaps {
    var values: [Float] = []
    for pixel in 0..<8 * width {
      let region = pixel % width * 3 / width
      values += [[9, 0, 0, 1], [0, 5, 0, 1], [0, 0, 2, 1]][region].map { $0 + offset }
    }
    let map = FeatureMap(
      FeatureKey("step0/block0", order: 0), activation: Tensor(values, shape: [1, 8, width, 4]))
    return FeatureMaps(maps: [map], height: 8, width: width)
  }

  @Test func regionsHaveColoursOfTheirOwn() throws {
    let image = try ComponentPictures([maps(12)]).images[0]
    #expect(image.width == 12 && image.height == 8)
    let colours = [image[1, 1], image[6, 1], image[11, 1]]
    #expect(Set(colours.map { "\($0)" }).count == 3)
    for y in 0..<8 { for x in 0..<12 { #expect(image[x, y] == colours[x / 4]) } }
    // Each channel uses its whole range.
    #expect(Set(colours.map(\.red)).isSuperset(of: [0, 255]))
    #expect(Set(colours.map(\.green)).isSuperset(of: [0, 255]))
  }

  @Test func picturesShareTheColours() throws {
    let together = try ComponentPictures([maps(12), maps(6)]).images
    #expect(together[0][0, 0] == together[1][0, 0] && together[0][11, 7] == together[1][5, 7])
    #expect(try ComponentPictures([maps(12, offset: 4)]).images == ComponentPictures([maps(12)]).images)
  }

  @Test func nothingToTellApart() {
    let flat = FeatureMap(
      FeatureKey("step0/block0", order: 0), activation: Tensor(repeating: 1, shape: [1, 4, 4, 3]))
    #expect(throws: DataError.self) {
      try ComponentPictures([FeatureMaps(maps: [flat], height: 4, width: 4)])
    }
  }
}
