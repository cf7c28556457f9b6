import TensorCore

/// One activation of a model for one picture, at its own resolution.
///
/// Stored channel-last, `[height, width, channels]`: the vector of a pixel is contiguous, and the whole
/// map is a matrix with one row a pixel.
public struct FeatureMap: Sendable {
  public let key: FeatureKey
  public let channels: Int
  public let height: Int
  public let width: Int
  let storage: FeatureStorage

  /// How the numbers are kept: `.float` also where halves were asked for but cannot hold them.
  public var precision: FeaturePrecision {
    switch storage.numbers {
    case .floats: .float
    case .halves: .half
    }
  }
  /// Number of pixels.
  public var pixelCount: Int { height * width }
  /// Bytes of the numbers.
  public var byteCount: Int { storage.byteCount }

  /// One picture of a batch of activations.
  ///
  /// - Parameters:
  ///   - key: name and position of the activation
  ///   - activation: `[batch, height, width, channels]`
  ///   - index: which picture of the batch
  ///   - precision: how to keep the numbers
  /// - Precondition: no dimension is 0, and the batch has that picture.
  public init(
    _ key: FeatureKey, activation: Tensor, index: Int = 0, precision: FeaturePrecision = .float
  ) {
    precondition(
      activation.rank == 4 && activation.count > 0 && index >= 0 && index < activation.shape[0],
      "picture \(index) of activations \(activation.shape)")
    self.key = key
    height = activation.shape[1]
    width = activation.shape[2]
    channels = activation.shape[3]
    let (pixels, channels) = (height * width, channels)
    storage = withPointers(activation) { activation in
      let vectors = activation + index * pixels * channels
      if precision == .half,
        let halves = FeatureStorage(narrowing: vectors, pixels: pixels, channels: channels)
      {
        return halves
      }
      return FeatureStorage(copying: vectors, pixels: pixels, channels: channels)
    }
  }

  private init(_ map: FeatureMap, key: FeatureKey) {
    self.key = key
    (channels, height, width, storage) = (map.channels, map.height, map.width, map.storage)
  }

  /// The same map under another name, at another position of a pixel's vector.
  func renamed(_ key: FeatureKey) -> FeatureMap { FeatureMap(self, key: key) }
}

// MARK: Reading

extension FeatureMap {
  /// The activation in the order of the reference: `[channels, height, width]`, floats.
  public var tensor: Tensor {
    let vectors = Tensor(shape: [pixelCount, channels]) { floats in
      parallelFor(pixelCount, inBlocksOf: 256) { pixels in
        copyVectors(ofPixels: pixels, channels: 0..<channels, into: floats + pixels.lowerBound * channels)
      }
    }
    return transposed(vectors).reshaped([channels, height, width])
  }

  /// Some channels of the vectors of some pixels as a matrix of floats, `[pixels.count, channels.count]`:
  /// the stored numbers in their place, or widened ones in `scratch`.
  ///
  /// - Parameter scratch: room for the whole matrix
  /// - Returns: a matrix that is valid as long as the map and `scratch`
  package func vectors(
    ofPixels pixels: Range<Int>, channels range: Range<Int>, scratch: UnsafeMutablePointer<Float>
  ) -> Matrix {
    precondition(
      pixels.lowerBound >= 0 && pixels.upperBound <= pixelCount && range.lowerBound >= 0
        && range.upperBound <= channels, "pixels \(pixels), channels \(range) of \(pixelCount), \(channels)")
    if case .floats(let floats) = storage.numbers {
      return Matrix(
        floats + pixels.lowerBound * channels + range.lowerBound, rows: pixels.count, columns: range.count,
        stride: channels)
    }
    copyVectors(ofPixels: pixels, channels: range, into: scratch)
    return Matrix(scratch, rows: pixels.count, columns: range.count)
  }

  /// Writes `[pixels.count, range.count]` floats.
  private func copyVectors(
    ofPixels pixels: Range<Int>, channels range: Range<Int>, into target: UnsafeMutablePointer<Float>
  ) {
    for (row, pixel) in pixels.enumerated() {
      let (start, line) = (pixel * channels + range.lowerBound, target + row * range.count)
      switch storage.numbers {
      case .floats(let floats): line.update(from: floats + start, count: range.count)
      case .halves(let halves, let offsets):
        widen(halves + start, plus: offsets + range.lowerBound, count: range.count, into: line)
      }
    }
  }
}

private func widen(
  _ halves: UnsafePointer<UInt16>, plus offsets: UnsafePointer<Float>, count: Int,
  into floats: UnsafeMutablePointer<Float>
) {
  for c in 0..<count { floats[c] = scaledHalf(halves[c]) * 0x1p112 + offsets[c] }
}

/// A finite half times 2^-112: its fields moved into their place in a float.
private func scaledHalf(_ half: UInt16) -> Float {
  let word = Int32(bitPattern: UInt32(half) << 16) >> 3
  return Float(bitPattern: UInt32(bitPattern: word) & 0x8FFF_E000)
}
