import TensorCore

/// How 8-bit samples become the numbers a network was trained on. All arithmetic is Float32, in the
/// order of the reference, so the results have its bits.
public enum Normalization: Sendable, Hashable, CaseIterable {
  /// 2 (v / 255) - 1, in -1...1: pictures whose features are taken (ddpm-segmentation).
  case ddpm
  /// v / 127.5 - 1, in -1...1: pictures a diffusion model is trained on (guided-diffusion). The same
  /// as `ddpm` but for rounding.
  case ddpmTraining
  /// (v / 255 - mean) / deviation by channel, with the statistics of ImageNet.
  case imageNet

  /// Mean of each channel over ImageNet, of samples in 0...1.
  public static let imageNetMean: [Float] = [0.485, 0.456, 0.406]
  /// Deviation of each channel over ImageNet, of samples in 0...1.
  public static let imageNetDeviation: [Float] = [0.229, 0.224, 0.225]

  /// The number for each sample value, channel after channel: `[3, 256]`.
  var table: [Float] {
    let (mean, deviation) = (Self.imageNetMean, Self.imageNetDeviation)
    return (0..<3).flatMap { channel in
      (0..<256).map { value in
        switch self {
        case .ddpm: 2 * (Float(value) / 255) - 1
        case .ddpmTraining: Float(value) / 127.5 - 1
        case .imageNet: (Float(value) / 255 - mean[channel]) / deviation[channel]
        }
      }
    }
  }
}

extension Image {
  /// The picture as a network takes it, `[3, height, width]`.
  public func tensor(normalization: Normalization) -> Tensor {
    let table = normalization.table
    let count = width * height
    return Tensor(unsafeUninitializedShape: [3, height, width]) { output in
      pixels.withUnsafeBufferPointer { pixels in
        for channel in 0..<3 {
          for index in 0..<count {
            output[channel * count + index] = table[256 * channel + Int(pixels[3 * index + channel])]
          }
        }
      }
    }
  }

  /// The picture that a network was given, from what it was given.
  /// - Parameters:
  ///   - tensor: `[3, height, width]`, as `tensor(normalization:)` makes it; other numbers are rounded to the nearest
  ///     samples, NaN to 0
  ///   - normalization: how the numbers were made
  /// - Precondition: the tensor has three dimensions, the first is 3 and none is 0.
  public init(tensor: Tensor, normalization: Normalization) {
    precondition(
      tensor.rank == 3 && tensor.shape[0] == 3,
      "a tensor of shape \(tensor.shape) is no picture [3, height, width]")
    let (height, width) = (tensor.shape[1], tensor.shape[2])
    let count = pixelCount(width: width, height: height)
    let table = normalization.table
    let samples = tensor.withUnsafeBufferPointer { planes in
      [UInt8](unsafeUninitializedCapacity: 3 * count) { samples, filled in
        for channel in 0..<3 {
          let (zero, step) = (table[256 * channel], (table[256 * channel + 255] - table[256 * channel]) / 255)
          for index in 0..<count {
            let sample = ((planes[channel * count + index] - zero) / step).rounded()
            samples[3 * index + channel] = sample > 0 ? UInt8(min(sample, 255)) : 0
          }
        }
        filled = 3 * count
      }
    }
    self.init(width: width, height: height, pixels: samples)
  }

  /// The picture of a diffusion model's output, `[3, height, width]` in -1...1.
  ///
  /// Samples are (x + 1) * 127.5 cut to 0...255 and truncated, as guided-diffusion does; NaN becomes 0.
  /// - Precondition: the tensor has three dimensions, the first is 3 and none is 0.
  public init(tensor: Tensor) {
    precondition(
      tensor.rank == 3 && tensor.shape[0] == 3,
      "a tensor of shape \(tensor.shape) is no picture [3, height, width]")
    let (height, width) = (tensor.shape[1], tensor.shape[2])
    let count = pixelCount(width: width, height: height)
    let samples = tensor.withUnsafeBufferPointer { planes in
      [UInt8](unsafeUninitializedCapacity: 3 * count) { samples, filled in
        for index in 0..<count {
          for channel in 0..<3 {
            samples.initializeElement(
              at: 3 * index + channel, to: Image.sample(fromSigned: planes[channel * count + index]))
          }
        }
        filled = 3 * count
      }
    }
    self.init(width: width, height: height, pixels: samples)
  }

  /// The 8-bit sample of a number in -1...1: (x + 1) * 127.5 cut to 0...255 and truncated; 0 for NaN.
  @inline(__always)
  public static func sample(fromSigned x: Float) -> UInt8 {
    let scaled = (x + 1) * 127.5
    guard scaled > 0 else { return 0 }
    return scaled >= 255 ? 255 : UInt8(scaled)
  }
}
