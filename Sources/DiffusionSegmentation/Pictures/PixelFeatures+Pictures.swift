import Augment
import Base
import Features
import Images

extension PixelFeatures {
  /// How a picture is brought to the model.
  /// - Throws: `DataError` when it would be too large for it or for the memory, or has no pixels.
  public func geometry(
    for image: Image, fit: ImageFit, precision: FeaturePrecision = .float, pixelSize: PixelSize? = nil,
    name: String
  ) throws(DataError) -> FittedGeometry {
    let geometry = try fit.geometry(
      width: image.width, height: image.height, input: input, pixelSize: pixelSize, name: name)
    if let tiling = fit.tiling {
      guard isAcceptableSize(width: geometry.networkWidth, height: geometry.networkHeight) else {
        throw DataError(
          .unsupported, file: name, item: "size",
          expected: "at most \(Image.maximumPixelCount) pixels at the size at which it is cut into tiles",
          found: "\(geometry.networkWidth) x \(geometry.networkHeight) (\(tiling))")
      }
      try checkMemory(height: input.size, width: input.size, precision: precision, name: name)
      return geometry
    }
    let (height, width) = (geometry.networkHeight, geometry.networkWidth)
    guard height * width <= input.largestPixels else {
      let longest = input.largestPixels / (input.size * input.size)
      throw DataError(
        .unsupported, file: name, item: "size",
        expected: "a long side of at most \(longest) short ones; crop or cut the picture",
        found: "\(image.width) x \(image.height)")
    }
    try checkMemory(height: height, width: width, precision: precision, name: name)
    return geometry
  }

  func checkMemory(
    height: Int, width: Int, precision: FeaturePrecision, name: String
  ) throws(DataError) {
    try AvailableMemory.require(
      workingBytes(height: height, width: width)
        + mapBytes(height: height, width: width, precision: precision),
      file: name, item: "memory of the features of a picture of \(width) x \(height) pixels")
  }

  /// The features of a picture that `geometry` brings to the model.
  /// - Throws: `DataError` when the model cannot take it.
  public func extract(
    _ image: Image, by geometry: FittedGeometry, precision: FeaturePrecision = .float, name: String
  ) throws(DataError) -> FeatureMaps {
    try extract(
      geometry.apply(image).tensor(normalization: input.normalization),
      FeatureContext(name: name, precision: precision))
  }
}
