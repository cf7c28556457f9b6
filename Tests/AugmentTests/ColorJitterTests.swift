import Augment
import Images
import TestSupport
import Testing

/// What albumentations 1.3.1 gives (`adjust_contrast_torchvision` and its siblings), for factors at the ends of their
/// ranges.
struct ColorJitterTests {
  private func picture(_ pixels: [UInt8]) -> Image {
    Image(width: pixels.count / 3, height: 1, pixels: pixels)
  }

  /// A mean of 10.5 is rounded to 11 where nothing but it is left, and cut everywhere else.
  @Test func noContrastIsTheRoundedMean() {
    let image = picture([10, 10, 10, 11, 11, 11])
    #expect(ColorJitter(contrast: 0).apply(to: image) == picture([UInt8](repeating: 11, count: 6)))
    #expect(ColorJitter(contrast: 1e-9).apply(to: image) == picture([UInt8](repeating: 10, count: 6)))
    #expect(ColorJitter(contrast: 0).apply(to: picture([255, 255, 255])) == picture([255, 255, 255]))
  }

  /// 10 · 0.7 is 7 in double precision; with 0.7 rounded to a float it is a little less, which was cut to 6.
  @Test func factorsHaveDoublePrecision() {
    #expect(ColorJitter(brightness: 0.7).apply(to: picture([10, 20, 30])) == picture([7, 14, 21]))
  }

  @Test func ends() {
    let image = picture([0, 128, 255, 40, 50, 60])
    #expect(ColorJitter(brightness: 0).apply(to: image) == picture([UInt8](repeating: 0, count: 6)))
    #expect(ColorJitter(brightness: 300).apply(to: image) == picture([0, 255, 255, 255, 255, 255]))
    #expect(ColorJitter(saturation: 0).apply(to: image) == image.gray())
    #expect(ColorJitter().apply(to: image) == image)
  }
}
