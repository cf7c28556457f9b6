import Augment
import Images
import TensorCore
import TestSupport
import Testing

/// A picture's size.
struct PictureSize: Sendable, CustomStringConvertible {
  var width: Int
  var height: Int

  var description: String { "\(width) x \(height)" }

  static let odd = [
    (1, 1), (1, 50), (50, 1), (2, 3), (37, 61), (61, 37), (64, 64), (63, 65), (200, 31), (17, 300), (128, 96),
  ]
  .map { PictureSize(width: $0.0, height: $0.1) }
}

@Suite struct FittedGeometryTests {
  private func ramp(_ size: PictureSize) -> Image {
    Image(
      width: size.width, height: size.height,
      pixels: (0..<size.width * size.height).flatMap { pixel -> [UInt8] in
        [UInt8(pixel % size.width % 256), UInt8(pixel / size.width % 256), UInt8(pixel * 7 % 256)]
      })
  }

  /// Blobs of labels 0...4 a quarter of the shorter side large.
  private func mask(_ size: PictureSize) -> LabelMask {
    let cell = max(min(size.width, size.height) / 4, 1)
    return LabelMask(
      width: size.width, height: size.height,
      labels: (0..<size.width * size.height).map { pixel in
        UInt8((pixel % size.width / cell + 2 * (pixel / size.width / cell)) % 5)
      })
  }

  @Test(arguments: [ImageFit.pad, .crop], [32, 64, 96])
  func `a square picture gets the plain resize of the reference and nothing else`(fit: ImageFit, side: Int)
    throws
  {
    let size = PictureSize(width: side, height: side)
    let geometry = try fit.geometry(width: side, height: side, input: .square(64, multiple: 32))
    #expect(!geometry.isPadded && !geometry.isCropped)
    #expect(geometry.apply(ramp(size)) == ramp(size).resized(shortSide: 64))
    #expect(geometry.apply(mask(size)) == mask(size).resized(width: 64, height: 64))
  }

  @Test(arguments: [ImageFit.pad, .crop], PictureSize.odd)
  func `network inputs have sides that can be halved, and contents the picture`(
    fit: ImageFit, size: PictureSize
  ) throws {
    let geometry = try fit.geometry(width: size.width, height: size.height, input: .square(32, multiple: 16))
    let input = geometry.apply(ramp(size))
    #expect(input.width % 16 == 0 && input.height % 16 == 0 && min(input.width, input.height) == 32)
    let content = input.cropped(x: 0, y: 0, width: geometry.contentWidth, height: geometry.contentHeight)
    let resized = ramp(size).resized(shortSide: 32)
    switch fit {
    case .pad: #expect(content == resized)
    case .tile: Issue.record("not among the arguments")
    case .crop:
      #expect(
        content
          == resized.cropped(
            x: (resized.width - 32) / 2, y: (resized.height - 32) / 2, width: 32, height: 32))
    }
  }

  @Test func `padding mirrors without repeating the border`() throws {
    // 40 x 32 to a multiple of 16 lacks 8 columns at the right.
    let geometry = try ImageFit.pad.geometry(width: 40, height: 32, input: .square(32, multiple: 16))
    let picture = ramp(PictureSize(width: 40, height: 32))
    let input = geometry.apply(picture)
    #expect((input.width, input.height) == (48, 32))
    for x in 40..<48 { #expect(input[x, 5] == picture[78 - x, 5]) }

    let tall = try ImageFit.pad.geometry(width: 4, height: 5, input: .square(4, multiple: 4))
    let rows = tall.apply(ramp(PictureSize(width: 4, height: 5)))
    #expect((0..<8).map { rows[0, $0].green } == [0, 1, 2, 3, 4, 3, 2, 1])
  }

  @Test func `as much as can be padded is mirrored`() throws {
    let geometry = try ImageFit.pad.geometry(width: 17, height: 16, input: .square(16, multiple: 16))
    #expect(geometry.networkWidth == 32 && geometry.contentWidth == 17)
    let input = geometry.apply(ramp(PictureSize(width: 17, height: 16)))
    #expect((0..<32).map { Int(input[$0, 0].red) } == Array(0...16) + (1...15).reversed())
  }

  @Test func `labels of mirrored pixels are ignored`() throws {
    let geometry = try ImageFit.pad.geometry(width: 40, height: 32, input: .square(32, multiple: 16))
    let input = geometry.apply(LabelMask(width: 40, height: 32, label: 3), ignoreLabel: 99)
    #expect((0..<32).allSatisfy { y in (0..<48).allSatisfy { input[$0, y] == ($0 < 40 ? 3 : 99) } })
  }

  @Test(arguments: [ImageFit.pad, .crop], PictureSize.odd)
  func `cutting back keeps the content of masks, numbers and planes`(fit: ImageFit, size: PictureSize) throws
  {
    let geometry = try fit.geometry(width: size.width, height: size.height, input: .square(32, multiple: 16))
    let numbers = (0..<geometry.networkWidth * geometry.networkHeight).map { Float($0) }
    let cut = geometry.cropToContent(numbers)
    #expect(cut.count == geometry.contentWidth * geometry.contentHeight)
    #expect(
      cut.indices.allSatisfy { index in
        let (x, y) = (index % geometry.contentWidth, index / geometry.contentWidth)
        return cut[index] == Float(y * geometry.networkWidth + x)
      })
    let planes = Tensor(
      numbers + numbers.map { -$0 }, shape: [2, 1, geometry.networkHeight, geometry.networkWidth])
    let cutPlanes = geometry.cropToContent(planes)
    #expect(cutPlanes.shape == [2, 1, geometry.contentHeight, geometry.contentWidth])
    #expect(cutPlanes.elements == cut + cut.map { -$0 })
    let labels = LabelMask(
      width: geometry.networkWidth, height: geometry.networkHeight, wrapping: numbers.map { Int($0) })
    #expect(geometry.cropToContent(labels).labels == cut.map { UInt8(truncatingIfNeeded: Int($0)) })
  }

  @Test(arguments: PictureSize.odd.filter { min($0.width, $0.height) == 64 || $0.width == $0.height })
  func `without a change of size a mask comes back exactly`(size: PictureSize) throws {
    let side = min(size.width, size.height)
    let geometry = try ImageFit.pad.geometry(
      width: size.width, height: size.height, input: .square(side, multiple: 1))
    let original = mask(size)
    #expect(geometry.restore(geometry.cropToContent(geometry.apply(original))) == original)
  }

  @Test(arguments: PictureSize.odd, [32, 64, 128])
  func `a mask comes back nearly the same, and no border moves`(size: PictureSize, imageSize: Int) throws {
    let geometry = try ImageFit.pad.geometry(
      width: size.width, height: size.height, input: .square(imageSize, multiple: 32))
    let original = mask(size)
    let content = original.resizedCentered(width: geometry.resizedWidth, height: geometry.resizedHeight)
    let restored = geometry.restore(content)
    #expect((restored.width, restored.height) == (size.width, size.height))
    // Pixels may change only where a border is nearer than one pixel of the coarser grid.
    let reach = max(1, (size.width + geometry.resizedWidth - 1) / geometry.resizedWidth)
    for y in 0..<size.height {
      for x in 0..<size.width where restored[x, y] != original[x, y] {
        let isNearBorder = (max(y - reach, 0)...min(y + reach, size.height - 1)).contains { row in
          (max(x - reach, 0)...min(x + reach, size.width - 1)).contains {
            original[$0, row] != original[x, y]
          }
        }
        #expect(isNearBorder, "pixel (\(x), \(y))")
      }
    }
    if geometry.resizedWidth % size.width == 0 && geometry.resizedHeight % size.height == 0 {
      #expect(restored == original)
    }
  }

  @Test func `outside of a crop nothing is known`() throws {
    let geometry = try ImageFit.crop.geometry(width: 100, height: 50, input: .square(50, multiple: 1))
    #expect(geometry.isCropped && geometry.contentX == 25)
    let restored = geometry.restore(LabelMask(width: 50, height: 50, label: 4))
    let scores = geometry.restore(Array(repeating: Float(0.5), count: 2500))
    for x in 0..<100 {
      #expect(restored[x, 7] == ((25..<75).contains(x) ? 4 : LabelMask.ignoreLabel))
      #expect((25..<75).contains(x) ? scores[700 + x] == 0.5 : scores[700 + x].isNaN)
    }
  }

  @Test(arguments: [ImageFit.pad, .crop], PictureSize.odd)
  func `numbers are restored by interpolation between centres`(fit: ImageFit, size: PictureSize) throws {
    let geometry = try fit.geometry(width: size.width, height: size.height, input: .square(32, multiple: 16))
    // A number that is the place itself in original pixels, linear along both directions.
    func place(_ x: Int, _ resized: Int, _ original: Int, _ start: Int) -> Float {
      (Float(x + start) + 0.5) * Float(original) / Float(resized)
    }
    let scores = (0..<geometry.contentWidth * geometry.contentHeight).map { index in
      place(index % geometry.contentWidth, geometry.resizedWidth, size.width, geometry.contentX)
        + place(index / geometry.contentWidth, geometry.resizedHeight, size.height, geometry.contentY)
    }
    let restored = geometry.restore(scores, outside: -1)
    #expect(restored.count == size.width * size.height)
    // Beyond the outermost centres of the content the number stays that of the border.
    let slack = Float(size.width) / Float(geometry.resizedWidth) + 0.02
    for index in restored.indices where restored[index] != -1 {
      let expected = Float(index % size.width) + Float(index / size.width) + 1
      #expect(abs(restored[index] - expected) <= slack)
    }
    #expect(restored.contains(-1) == geometry.isCropped)
  }

  @Test func `an uncertainty at its own size comes back unchanged`() throws {
    let geometry = try ImageFit.pad.geometry(width: 48, height: 32, input: .square(32, multiple: 32))
    let scores = (0..<48 * 32).map { Float($0) * 0.37 }
    #expect(geometry.restore(scores) == scores)
  }
}
