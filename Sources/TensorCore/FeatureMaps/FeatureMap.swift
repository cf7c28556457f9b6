/// Pixels of a map that one thread fills at a time.
private let fillBlock = 256

/// The activation of one block of a network at one diffusion step, at its own resolution.
///
/// Stored channel-last, `[height, width, channels]`: the vector of a pixel is contiguous, and the whole
/// map is a matrix with one row a pixel.
public struct FeatureMap: Sendable {
  /// Diffusion step that the activation belongs to.
  public let step: Int
  /// Index of the network's output block.
  public let block: Int
  public let channels: Int
  public let height: Int
  public let width: Int
  let storage: FeatureStorage

  /// How the numbers are kept: `.float` also where halves were asked for but cannot hold them.
  public var precision: FeaturePrecision { storage.precision }
  /// Number of pixels.
  public var pixelCount: Int { height * width }
  /// Bytes of the numbers.
  public var byteCount: Int { storage.count * storage.precision.byteCount }

  /// One picture of a batch of activations.
  ///
  /// - Parameters:
  ///   - step: diffusion step
  ///   - block: output block
  ///   - activation: `[channels, height, width]`, or `[batch, channels, height, width]`
  ///   - index: which picture of the batch
  ///   - precision: how to keep the numbers
  /// - Precondition: no dimension is 0, and the batch has that picture.
  public init(
    step: Int, block: Int, activation: Tensor, index: Int = 0, precision: FeaturePrecision = .float
  ) {
    let shape = Array(activation.shape.suffix(3))
    let size = Tensor.elementCount(of: shape)
    precondition(
      (activation.rank == 3 || activation.rank == 4) && size > 0 && index >= 0
        && index < activation.count / size,
      "picture \(index) of activations \(activation.shape)")
    let (channels, pixels) = (shape[0], shape[1] * shape[2])
    self.init(
      step: step, block: block, channels: channels, height: shape[1], width: shape[2], precision: precision
    ) { range, target in
      withPointers(activation) { planes in
        transpose(planes + index * size, rows: channels, columns: pixels, range: range, into: target)
      }
    }
  }

  /// An activation that is channel-last already.
  ///
  /// - Parameter vectors: `[height, width, channels]`
  /// - Precondition: no dimension is 0.
  public init(step: Int, block: Int, channelsLast vectors: Tensor, precision: FeaturePrecision = .float) {
    precondition(vectors.rank == 3 && vectors.count > 0, "feature map of \(vectors.shape)")
    let channels = vectors.shape[2]
    self.init(
      step: step, block: block, channels: channels, height: vectors.shape[0], width: vectors.shape[1],
      precision: precision
    ) { range, target in
      withPointers(vectors) { vectors in
        target.update(from: vectors + range.lowerBound * channels, count: range.count * channels)
      }
    }
  }

  /// `fill` writes the vectors of a range of pixels, `[range.count, channels]`; it is called from
  /// several threads at once, and for a pixel up to twice.
  private init(
    step: Int, block: Int, channels: Int, height: Int, width: Int, precision: FeaturePrecision,
    _ fill: (Range<Int>, UnsafeMutablePointer<Float>) -> Void
  ) {
    self.step = step
    self.block = block
    self.channels = channels
    self.height = height
    self.width = width
    let pixels = height * width
    if precision == .half,
      let halves = FeatureMap.halves(channels: channels, pixels: pixels, fill)
    {
      storage = halves
    } else {
      storage = FeatureStorage(count: pixels * channels, precision: .float) { base in
        let floats = base.assumingMemoryBound(to: Float.self)
        parallelFor(pixels, inBlocksOf: fillBlock) { fill($0, floats + $0.lowerBound * channels) }
      }
    }
  }

  /// The numbers as halves, or nil where one of them is not finite as a half: `FeatureGather` reads
  /// halves by a rule that holds for finite ones.
  private static func halves(
    channels: Int, pixels: Int, _ fill: (Range<Int>, UnsafeMutablePointer<Float>) -> Void
  ) -> FeatureStorage? {
    let blocks = (pixels + fillBlock - 1) / fillBlock
    // One place a block, so that threads need no lock.
    var largest = [UInt16](repeating: 0, count: blocks)
    let storage = FeatureStorage(count: pixels * channels, precision: .half) { base in
      let halves = base.assumingMemoryBound(to: UInt16.self)
      largest.withUnsafeMutableBufferPointer { largest in
        let largest = largest.baseAddress!
        parallelFor(pixels, inBlocksOf: fillBlock) { range in
          let count = range.count * channels
          let target = UnsafeMutableBufferPointer(start: halves + range.lowerBound * channels, count: count)
          withScratch(count: count) { scratch in
            fill(range, scratch)
            Float16Bits.narrow(UnsafeBufferPointer(start: scratch, count: count), into: target)
          }
          largest[range.lowerBound / fillBlock] = largestMagnitude(target)
        }
      }
    }
    return largest.allSatisfy { $0 < 0x7C00 } ? storage : nil
  }

  private static func largestMagnitude(_ halves: UnsafeMutableBufferPointer<UInt16>) -> UInt16 {
    var largest: UInt16 = 0
    for bits in halves { largest = max(largest, bits & 0x7FFF) }
    return largest
  }
}

// MARK: Reading

extension FeatureMap {
  /// The activation as the network gives it: `[channels, height, width]`, floats.
  public var tensor: Tensor {
    transposed(vectors(ofRows: 0..<height)).reshaped([channels, height, width])
  }

  /// The vectors of some rows of pixels as a matrix of floats, `[rows.count * width, channels]`: the
  /// stored ones without a copy, or widened ones.
  package func vectors(ofRows rows: Range<Int>) -> Tensor {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= height, "rows \(rows) of \(height)")
    let shape = [rows.count * width, channels]
    let (start, count) = (rows.lowerBound * width * channels, rows.count * width * channels)
    switch storage.precision {
    case .float:
      return Tensor(
        borrowing: UnsafeBufferPointer(start: storage.floats + start, count: count), owner: storage,
        shape: shape)
    case .half:
      return Tensor(shape: shape) { floats in
        parallelFor(count, inBlocksOf: elementwiseBlock) { range in
          Float16Bits.widen(
            UnsafeBufferPointer(start: storage.halves + start + range.lowerBound, count: range.count),
            into: UnsafeMutableBufferPointer(start: floats + range.lowerBound, count: range.count))
        }
      }
    }
  }
}
