import Augment
import Base
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
    arguments: ImageFit.allCases,
    [(0, 5), (5, 0), (-1, 5), (0, 0), (Int.max, Int.max), (Int.max, 1), (1 << 15, 1 << 15)])
  func `sizes that are none are refused`(fit: ImageFit, size: (Int, Int)) {
    #expect(throws: DataError.self) {
      try fit.geometry(width: size.0, height: size.1, input: .square(256, multiple: 32))
    }
  }

  @Test(arguments: ImageFit.allCases, [(0, 32), (256, 0), (100, 32), (-32, 32), (Int.max, 1), (32, -32)])
  func `image sizes that the network cannot halve are refused`(fit: ImageFit, network: (Int, Int)) {
    #expect(throws: DataError.self) {
      try fit.geometry(width: 64, height: 48, input: .square(network.0, multiple: network.1))
    }
  }
}
