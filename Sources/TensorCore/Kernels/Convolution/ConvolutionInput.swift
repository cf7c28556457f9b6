// x: [N, …, C], C = C1 + C2

/// An activation as a convolution reads it: perhaps two tensors side by side, perhaps normalised.
///
/// Nothing is computed before the convolution copies its piece of the input into the cache, so neither a
/// concatenation nor a normalised activation ever exists in memory as a whole.
public struct ConvolutionInput: Sendable {
  /// `[N, …, C1]`
  public let first: Tensor
  /// `[N, …, C2]`, the channels after those of `first`.
  public let second: Tensor?
  /// Applied to each channel on the way in.
  public let normalization: ChannelNormalization?
  /// Whether SiLU follows the normalisation.
  public let appliesSiLU: Bool

  /// - Parameters:
  ///   - first: `[N, …, C1]`
  ///   - second: `[N, …, C2]`; joined after the channels of `first`, as in the skips of a U-Net
  public init(_ first: Tensor, joinedWith second: Tensor? = nil) {
    if let second {
      precondition(
        first.rank == second.rank && first.shape.dropLast() == second.shape.dropLast(),
        "shapes \(first.shape) and \(second.shape) cannot be joined along the channels")
    }
    precondition(first.rank >= 2, "an activation of shape \(first.shape)")
    self.init(first, second, nil, false)
  }

  private init(
    _ first: Tensor, _ second: Tensor?, _ normalization: ChannelNormalization?, _ appliesSiLU: Bool
  ) {
    self.first = first
    self.second = second
    self.normalization = normalization
    self.appliesSiLU = appliesSiLU
  }

  /// Whether it is one tensor as it is.
  public var isPlain: Bool { second == nil && normalization == nil }
  /// Number of channels.
  public var channels: Int { first.shape[first.rank - 1] + (second.map { $0.shape[$0.rank - 1] } ?? 0) }
  /// `[N, …, C]`
  public var shape: [Int] { first.shape.dropLast() + [channels] }

  /// The input normalised, then perhaps through SiLU.
  /// - Precondition: it was not normalised before, and the normalisation is for this shape.
  public func normalized(by normalization: ChannelNormalization, applyingSiLU: Bool = false) -> Self {
    precondition(self.normalization == nil, "an input can be normalised once")
    precondition(
      normalization.factor.shape == [shape[0], channels],
      "normalisation \(normalization.factor.shape) of an input \(shape)")
    return ConvolutionInput(first, second, normalization, applyingSiLU)
  }

  /// What the convolution reads, as a tensor `[N, …, C]`.
  public var tensor: Tensor {
    if second == nil && normalization == nil { return first }
    let pixels = shape.dropFirst().dropLast().reduce(1, *)
    guard first.count > 0 || (second?.count ?? 0) > 0 else { return Tensor(zeros: shape) }
    let block = max(1, elementwiseBlock / channels)
    return Tensor(shape: shape) { y in
      withReader(height: 1, width: pixels) { reader in
        let blocks = (pixels + block - 1) / block
        parallelFor(shape[0] * blocks) { item in
          let (n, start) = (item / blocks, item % blocks * block)
          let end = min(pixels, start + block)
          reader.read(
            sample: n, pixels: start..<end, into: y + (n * pixels + start) * channels, stride: channels)
        }
      }
    }
  }

  /// Calls `body` with the input in the form that convolutions read: samples of `height × width` pixels.
  func withReader<Result>(height: Int, width: Int, _ body: (BandReader) -> Result) -> Result {
    func withSecond(_ body: (BandReader.Part?) -> Result) -> Result {
      guard let second else { return body(nil) }
      let offset = channels - second.shape[second.rank - 1]
      return withPointers(second) {
        body(BandReader.Part(base: $0, channels: channels - offset, offset: offset))
      }
    }
    func withAffine(_ body: (BandReader.Affine?) -> Result) -> Result {
      guard let normalization else { return body(nil) }
      return withPointers(normalization.mean, normalization.factor, normalization.offset) {
        body(BandReader.Affine(mean: $0, factor: $1, offset: $2))
      }
    }
    return withPointers(first) { base in
      withSecond { second in
        withAffine { affine in
          body(
            BandReader(
              first: BandReader.Part(base: base, channels: first.shape[first.rank - 1], offset: 0),
              second: second, height: height, width: width, affine: affine, appliesSiLU: appliesSiLU))
        }
      }
    }
  }
}
