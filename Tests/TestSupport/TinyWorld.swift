import Augment
import Checkpoints
import DiffusionCore
import DiffusionSegmentation
import Foundation
import Images
import TensorCore

/// A small diffusion model with random weights and a few labelled pictures, in a folder of their own.
public struct TinyWorld {
  public let folder: TemporaryFolder
  public let checkpoint: String
  public let images: String
  public let classes = ClassList(names: ["ground", "square"], palette: .distinct(count: 2))

  public static let options = DiffusionOptions(
    attention: AttentionSettings(heads: .channels(32)), imageSize: 32)

  /// - Parameter size: of the pictures
  public init(pictures: Int = 3, width: Int = 32, height: Int = 32) throws {
    folder = try TemporaryFolder()
    checkpoint = folder.path("tiny.safetensors")
    var writer = SafetensorsWriter()
    for tensor in try randomNetworkTensors(.tiny) { writer.append(tensor.name, tensor.array) }
    try writer.write(to: checkpoint)
    images = try folder.folder("images")
    for index in 0..<pictures {
      let (image, mask) = Self.scene(index, width: width, height: height)
      try image.write(to: "\(images)/scene\(index).png")
      try NpyFile.write(NumericArray(mask.labels, shape: [height, width]), to: "\(images)/scene\(index).npy")
    }
  }

  /// A bright square on noisy ground.
  public static func scene(_ index: Int, width: Int, height: Int) -> (Image, LabelMask) {
    var random = Philox(seed: UInt64(index))
    let (left, top, side) = (
      3 + index * 4 % (width / 3), 2 + index * 5 % (height / 3), min(width, height) / 2
    )
    var (pixels, labels) = ([UInt8](), [UInt8]())
    for y in 0..<height {
      for x in 0..<width {
        let isInside = (left..<left + side).contains(x) && (top..<top + side).contains(y)
        labels.append(isInside ? 1 : 0)
        for channel in 0..<3 {
          let base = isInside ? [220, 120, 60][channel] : [60, 90, 110][channel]
          pixels.append(UInt8(base + Int(random.uniform() * 30)))
        }
      }
    }
    return (
      Image(width: width, height: height, pixels: pixels),
      LabelMask(width: width, height: height, labels: labels)
    )
  }

  public func features(noise: FeatureNoise = .shared(seed: 0)) throws -> DiffusionFeatures {
    DiffusionFeatures(
      try DiffusionBackbone(checkpoint: checkpoint, options: Self.options), steps: [50, 250], blocks: [1, 3],
      noise: noise)
  }

  public func labelled() throws -> LabelledImages { try LabelledImages(directory: images, classes: classes) }

  /// Makes TIFF files of the pictures, which say how large a pixel is.
  private func tellPixelSize(_ size: Double) throws {
    for name in try FileManager.default.contentsOfDirectory(atPath: images) where name.hasSuffix(".png") {
      let path = "\(images)/\(name)"
      let image = try Image(contentsOf: path)
      var writer = try TIFFWriter(
        path: path.replacing(".png", with: ".tif"), width: image.width, height: image.height, kind: .rgb,
        pixelSize: PixelSize(x: size, y: size))
      try writer.append(image.pixels)
      try writer.finish()
      try FileManager.default.removeItem(atPath: path)
    }
  }

  /// A quick training.
  /// - Parameter pixelSize: micrometres, which the pictures' files are to tell
  public func train(
    fit: ImageFit = .pad, noise: FeatureNoise = .shared(seed: 0), seed: UInt64 = 0, pixelSize: Double? = nil
  ) throws -> Segmenter {
    if let pixelSize { try tellPixelSize(pixelSize) }
    return try Segmenter.train(
      on: labelled(), features: features(noise: noise),
      options: SegmenterOptions(members: 3, epochs: 1, maxEpochs: 2, seed: seed, fit: fit))
  }
}
