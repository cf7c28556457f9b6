import Images

/// A change of brightness, contrast, saturation and hue, one after the other, each on the 8-bit result of the
/// one before.
///
/// Source: albumentations 1.3.1 (`ColorJitter`, torchvision's meaning of the factors) on OpenCV.
public struct ColorJitter: Sendable, Hashable {
  public enum Stage: Int, Sendable, Hashable, CaseIterable {
    case brightness
    case contrast
    case saturation
    case hue
  }

  /// Factor of all samples, 0 or above; 1 changes nothing.
  public var brightness: Double
  /// Factor of the distance from the mean luma, 0 or above; 1 changes nothing.
  public var contrast: Double
  /// Factor of the distance from grey, 0 or above; 1 changes nothing.
  public var saturation: Double
  /// Turn of the hue, -0.5 to 0.5 of the whole circle; 0 changes nothing.
  public var hue: Double
  /// The order of the four.
  public var order: [Stage]

  public init(
    brightness: Double = 1, contrast: Double = 1, saturation: Double = 1, hue: Double = 0,
    order: [Stage] = Stage.allCases
  ) {
    self.brightness = brightness
    self.contrast = contrast
    self.saturation = saturation
    self.hue = hue
    self.order = order
  }

  public func apply(to image: Image) -> Image {
    order.reduce(image) { image, stage in
      switch stage {
      case .brightness where brightness != 1:
        image.mapped(table { Double($0) * brightness })
      case .contrast where contrast != 1:
        adjustedContrast(image)
      case .saturation where saturation != 1:
        image.saturated(saturation)
      case .hue where hue != 0:
        image.hueTurned(hue)
      default: image
      }
    }
  }

  private func adjustedContrast(_ image: Image) -> Image {
    let lumas = image.lumas
    let mean = Double(lumas.reduce(0) { $0 + Int($1) }) / Double(lumas.count)
    // Where nothing but the mean is left, the library rounds it rather than drop its fraction.
    if contrast == 0 { return image.mapped([UInt8](repeating: UInt8(mean + 0.5), count: 256)) }
    return image.mapped(table { Double($0) * contrast + mean * (1 - contrast) })
  }

  /// What becomes of each sample value: cut to 0...255, the fraction dropped.
  private func table(_ body: (UInt8) -> Double) -> [UInt8] {
    (0...UInt8.max).map { UInt8(min(max(body($0), 0), 255)) }
  }
}

extension Image {
  /// 8-bit luma of each pixel, in OpenCV's fixed point.
  var lumas: [UInt8] {
    (0..<width * height).map { pixel in
      let (red, green, blue) = (
        Int(pixels[3 * pixel]), Int(pixels[3 * pixel + 1]), Int(pixels[3 * pixel + 2])
      )
      return UInt8((9798 * red + 19235 * green + 3735 * blue + 16384) >> 15)
    }
  }

  /// The picture with every sample looked up in a table of 256.
  fileprivate func mapped(_ table: [UInt8]) -> Image {
    Image(width: width, height: height, pixels: pixels.map { table[Int($0)] })
  }

  /// Grey plus `factor` times the difference from it.
  fileprivate func saturated(_ factor: Double) -> Image {
    let lumas = lumas
    let (share, rest) = (Float(factor), Float(1 - factor))
    var samples = pixels
    for index in samples.indices {
      let value = Float(pixels[index]) * share + Float(lumas[index / 3]) * rest
      samples[index] = UInt8(min(max(value.rounded(.toNearestOrEven), 0), 255))
    }
    return Image(width: width, height: height, pixels: samples)
  }
}
