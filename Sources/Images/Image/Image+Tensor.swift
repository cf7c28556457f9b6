import TensorCore

/// How 8-bit samples become the numbers a network was trained on. All arithmetic is Float32, in the
/// order of the reference, so the results have its bits.
public enum Normalization: Sendable, Hashable {
  /// 2 (v / 255) - 1, in -1...1: pictures whose features are taken (ddpm-segmentation).
  case ddpm
  /// v / 127.5 - 1, in -1...1: pictures a diffusion model is trained on (guided-diffusion). The same
  /// as `ddpm` but for rounding.
  case ddpmTraining
  /// (v / 255 - mean) / deviation by channel, with the statistics of ImageNet.
  case imageNet
  /// (v / 255 - mean) / deviation by channel, with statistics of samples in 0...1.
  case statistics(mean: [Float], deviation: [Float])

  /// Mean of each channel over ImageNet, of samples in 0...1.
  public static let imageNetMean: [Float] = [0.485, 0.456, 0.406]
  /// Deviation of each channel over ImageNet, of samples in 0...1.
  public static let imageNetDeviation: [Float] = [0.229, 0.224, 0.225]

  /// The number for each sample value, channel after channel: `[3, 256]`.
  var table: [Float] {
    func table(_ value: (_ sample: Float, _ channel: Int) -> Float) -> [Float] {
      (0..<3).flatMap { channel in (0..<256).map { value(Float($0), channel) } }
    }
    switch self {
    case .ddpm: return table { sample, _ in 2 * (sample / 255) - 1 }
    case .ddpmTraining: return table { sample, _ in sample / 127.5 - 1 }
    case .imageNet:
      return Self.statistics(mean: Self.imageNetMean, deviation: Self.imageNetDeviation).table
    case .statistics(let mean, let deviation):
      precondition(
        mean.count == 3 && deviation.count == 3 && deviation.allSatisfy { $0 > 0 },
        "means \(mean) and deviations \(deviation) of three channels")
      return table { sample, channel in (sample / 255 - mean[channel]) / deviation[channel] }
    }
  }

  /// The statistics of some pictures, each channel over all of their pixels.
  /// - Parameter images: at least one with a pixel
  /// - Returns: `statistics`; deviations are at least a grey level, which those of pictures of one colour are not
  public init(of images: [Image]) {
    var (sums, squares, count) = ([0, 0, 0], [0, 0, 0], 0)
    for image in images {
      count += image.width * image.height
      image.pixels.withUnsafeBufferPointer { pixels in
        for index in pixels.indices {
          sums[index % 3] += Int(pixels[index])
          squares[index % 3] += Int(pixels[index]) * Int(pixels[index])
        }
      }
    }
    precondition(count > 0, "the statistics of \(images.count) pictures without pixels")
    let means = sums.map { Double($0) / Double(count) }
    let deviations = zip(squares, means).map { square, mean in
      max(1, (Double(square) / Double(count) - mean * mean).squareRoot())
    }
    self = .statistics(mean: means.map { Float($0 / 255) }, deviation: deviations.map { Float($0 / 255) })
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
