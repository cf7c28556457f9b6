import Augment
import Images
import Testing

struct WarpTests {
  static let borders: [Border] = [
    .reflect, .replicate, .constant(color: RGB(9, 90, 200), label: 7),
  ]

  @Test(arguments: borders)
  func identityChangesNothing(_ border: Border) {
    let (image, mask) = (randomImage(width: 7, height: 5), randomMask(width: 7, height: 5))
    let warp = AffineWarp(.identity, border: border)
    #expect(warp.apply(to: image) == image)
    #expect(warp.apply(to: mask) == mask)
  }

  /// A shift by whole pixels shows what lies beyond the edge: for (2, 1), columns -2, -1 and row -1.
  @Test func bordersOfAShift() {
    let mask = LabelMask(width: 3, height: 2, labels: [1, 2, 3, 4, 5, 6])
    func shifted(_ border: Border) -> [UInt8] {
      AffineWarp(AffineMatrix(1, 0, 2, 0, 1, 1), border: border).apply(to: mask).labels
    }
    #expect(shifted(.reflect) == [6, 5, 4, 3, 2, 1])
    #expect(shifted(.replicate) == [1, 1, 1, 1, 1, 1])
    #expect(shifted(.constant(color: .black, label: 7)) == [7, 7, 7, 7, 7, 1])
  }

  /// A turn by 90° counterclockwise takes the right column to the top row.
  @Test func quarterTurn() {
    let mask = LabelMask(width: 3, height: 3, labels: [1, 2, 3, 4, 5, 6, 7, 8, 9])
    let turn = AffineWarp(AffineMatrix(rotation: 90, width: 3, height: 3), border: .reflect)
    #expect(turn.apply(to: mask).labels == [3, 6, 9, 2, 5, 8, 1, 4, 7])
  }

  /// Half a pixel to the right lies in the middle of two pixels; the first is mixed with the border.
  @Test func halfAPixel() {
    let image = Image(width: 2, height: 1, pixels: [10, 20, 30, 20, 40, 70])
    let warp = AffineWarp(
      AffineMatrix(1, 0, 0.5, 0, 1, 0), border: .constant(color: RGB(0, 100, 50), label: 0))
    #expect(warp.samples(of: image) == [5, 60, 40, 15, 30, 50])
    #expect(warp.apply(to: image).pixels == [5, 60, 40, 15, 30, 50])
  }

  @Test func inverseOfAMatrix() throws {
    let matrix = AffineMatrix(1.5, 0.25, -3, -0.5, 2, 8)
    let inverse = try #require(matrix.inverse)
    for point in [SIMD2(0.0, 0.0), SIMD2(3, -2), SIMD2(-7, 11)] {
      let moved = matrix(point.x, point.y)
      let back = inverse(moved.x, moved.y)
      #expect(abs(back.x - point.x) < 1e-12 && abs(back.y - point.y) < 1e-12)
    }
    #expect(AffineMatrix(1, 2, 0, 2, 4, 0).inverse == nil)
  }

  @Test func matrixThroughThreePoints() throws {
    let points = [SIMD2(1.0, 2.0), SIMD2(4.0, -1.0), SIMD2(0.0, 5.0)]
    let targets = [SIMD2(0.0, 0.0), SIMD2(2.0, 7.0), SIMD2(-3.0, 1.0)]
    let matrix = try #require(AffineMatrix(points, to: targets))
    for (point, target) in zip(points, targets) {
      let moved = matrix(point.x, point.y)
      #expect(abs(moved.x - target.x) < 1e-12 && abs(moved.y - target.y) < 1e-12)
    }
    #expect(AffineMatrix([SIMD2(0.0, 0.0), SIMD2(1.0, 1.0), SIMD2(2.0, 2.0)], to: targets) == nil)
  }
}
