import Augment
import Base
import Features
import Images
import TestSupport
import Testing

@Suite struct ImageFitTests {
  @Test(arguments: [
    (1024, 768, 341, 256, 352, 256), (768, 1024, 256, 341, 256, 352), (300, 300, 256, 256, 256, 256),
    (1, 1000, 256, 256_000, 256, 256_000), (500, 333, 384, 256, 384, 256),
  ])
  func `padding makes the shorter side the image size and the longer one a multiple`(
    width: Int, height: Int, resizedWidth: Int, resizedHeight: Int, networkWidth: Int, networkHeight: Int
  ) throws {
    let geometry = try ImageFit.pad.geometry(width: width, height: height, input: .square(256, multiple: 32))
    #expect((geometry.resizedWidth, geometry.resizedHeight) == (resizedWidth, resizedHeight))
    #expect((geometry.networkWidth, geometry.networkHeight) == (networkWidth, networkHeight))
    #expect((geometry.contentWidth, geometry.contentHeight) == (resizedWidth, resizedHeight))
  }

  @Test func `cropping takes the middle square`() throws {
    let geometry = try ImageFit.crop.geometry(width: 1024, height: 768, input: .square(256, multiple: 32))
    #expect((geometry.contentX, geometry.contentY) == (42, 0))
    #expect((geometry.networkWidth, geometry.networkHeight) == (256, 256))
  }

  @Test func `a picture can be too long to pad and still be cropped`() throws {
    let error = try #require(throws: DataError.self) {
      try ImageFit.pad.geometry(
        width: 1, height: 2_000_000, input: .square(256, multiple: 32), name: "rope.png")
    }
    #expect(error.kind == .unsupported && error.file == "rope.png")
    let geometry = try ImageFit.crop.geometry(width: 1, height: 2_000_000, input: .square(256, multiple: 32))
    let crop = geometry.apply(Image(width: 1, height: 2_000_000, color: RGB(9, 8, 7)))
    #expect(crop == Image(width: 256, height: 256, color: RGB(9, 8, 7)))
  }

  @Test(
    arguments: [ImageFit.pad, .crop],
    [(0, 5), (5, 0), (-1, 5), (0, 0), (Int.max, Int.max), (Int.max, 1), (1 << 15, 1 << 15)])
  func `sizes that are none are refused`(fit: ImageFit, size: (Int, Int)) {
    #expect(throws: DataError.self) {
      try fit.geometry(width: size.0, height: size.1, input: .square(256, multiple: 32))
    }
  }

  @Test(
    arguments: [ImageFit.pad, .crop], [(0, 32), (256, 0), (100, 32), (-32, 32), (Int.max, 1), (32, -32)])
  func `image sizes that the network cannot halve are refused`(fit: ImageFit, network: (Int, Int)) {
    #expect(throws: DataError.self) {
      try fit.geometry(width: 64, height: 48, input: .square(network.0, multiple: network.1))
    }
  }

  /// Into the only size that a network takes, the longer side fits; the rest is mirrored back and forth.
  @Test(arguments: [(200, 20), (20, 200), (64, 64), (640, 10), (33, 32)])
  func fixedSizes(width: Int, height: Int) throws {
    let input = InputSpecification(size: 32, isFixedSize: true, normalization: .imageNet)
    let geometry = try ImageFit.pad.geometry(width: width, height: height, input: input)
    #expect(geometry.networkWidth == 32 && geometry.networkHeight == 32 && !geometry.isCropped)
    #expect(max(geometry.contentWidth, geometry.contentHeight) == 32)
    let pixels = (0..<width * height).flatMap { index -> [UInt8] in
      [UInt8(index % width * 255 / width), UInt8(index / width * 255 / height), 7]
    }
    let image = Image(width: width, height: height, pixels: pixels)
    let seen = geometry.apply(image)
    let content = image.resized(
      width: geometry.contentWidth, height: geometry.contentHeight, filter: .bilinear)
    func mirrored(_ index: Int, _ size: Int) -> Int {
      var (place, step) = (0, size > 1 ? 1 : 0)
      for _ in 0..<index {
        if !(0..<size).contains(place + step) { step = -step }
        place += step
      }
      return place
    }
    for y in 0..<32 {
      for x in 0..<32 {
        let (column, row) = (mirrored(x, content.width), mirrored(y, content.height))
        for channel in 0..<3 {
          #expect(
            seen.pixels[3 * (y * 32 + x) + channel]
              == content.pixels[3 * (row * content.width + column) + channel])
        }
      }
    }
    let labels = geometry.restore(
      LabelMask(
        width: geometry.contentWidth, height: geometry.contentHeight,
        labels: [UInt8](repeating: 3, count: geometry.contentWidth * geometry.contentHeight)))
    #expect(labels.width == width && labels.height == height && labels.labels.allSatisfy { $0 == 3 })
  }
}
