import TensorCore

// M members, K classes, N = height · width pixels

/// What an ensemble says about a picture.
public struct PixelPrediction: Sendable {
  public let height: Int
  public let width: Int
  /// The class that most members chose, the smallest of equals; `height * width` of them, row by row.
  public let labels: [UInt8]
  /// Disagreement of the members about each pixel: the Jensen-Shannon divergence of their class
  /// probabilities, in nats, 0 to ln M (and to ln K) up to rounding.
  public let uncertainty: [Float]
  /// Class probabilities averaged over the members, `[K, height, width]`, when they were asked for.
  public let probabilities: Tensor?
  /// Members that chose each class, `[K, height, width]`, when they were asked for.
  package let votes: Tensor?

  /// How uncertain the picture is as a whole, see `imageUncertaintyScore`.
  public var imageUncertainty: Float { imageUncertaintyScore(uncertainty) }

  /// The verdict of an ensemble that gave these logits.
  ///
  /// - Parameters:
  ///   - logits: `[M, N, K]`
  ///   - height: of the picture
  ///   - width: of the picture
  ///   - withProbabilities: whether the members' averaged probabilities are kept too
  /// - Precondition: N is `height * width` and not 0, and K at most 256.
  public init(logits: Tensor, height: Int, width: Int, withProbabilities: Bool = false) {
    precondition(
      logits.rank == 3 && logits.shape[1] == height * width && logits.count > 0 && logits.shape[2] <= 256,
      "logits \(logits.shape) of \(height)×\(width) pixels")
    let (members, pixels, classes) = (logits.shape[0], height * width, logits.shape[2])
    let votes = EnsembleVotes(members: members, classes: classes)
    let planes = Planes(classes: classes, hasProbabilities: withProbabilities, hasVotes: false)
    self.init(height: height, width: width, planes: planes) { output in
      parallelFor(pixels, inBlocksOf: 256) { range in
        votes.collect(pixels: range, into: output) { member, columns in
          withPointers(logits) { logits in
            transpose(
              logits + (member * pixels + range.lowerBound) * classes, rows: range.count, columns: classes,
              range: 0..<classes, into: columns)
          }
        }
      }
    }
  }

  /// Where the verdicts on single pixels are written.
  struct Output {
    var labels: UnsafeMutablePointer<UInt8>
    var uncertainty: UnsafeMutablePointer<Float>
    /// `[K, N]`
    var probabilities: UnsafeMutablePointer<Float>?
    /// `[K, N]`
    var votes: UnsafeMutablePointer<Float>?
    var pixels: Int
  }

  /// What is wanted of every class.
  struct Planes {
    var classes: Int
    var hasProbabilities: Bool
    var hasVotes: Bool
  }

  /// - Parameters:
  ///   - planes: what is wanted of every class
  ///   - body: writes the verdict on every pixel
  init(height: Int, width: Int, planes: Planes, _ body: (Output) -> Void) {
    let pixels = height * width
    func plane(_ isWanted: Bool) -> Tensor? {
      isWanted ? Tensor(unsafeUninitializedShape: [planes.classes, height, width]) { _ in } : nil
    }
    var labels = [UInt8](repeating: 0, count: pixels)
    var uncertainty = [Float](repeating: 0, count: pixels)
    var (probabilities, votes) = (plane(planes.hasProbabilities), plane(planes.hasVotes))
    labels.withUnsafeMutableBufferPointer { labels in
      uncertainty.withUnsafeMutableBufferPointer { uncertainty in
        body(
          Output(
            labels: labels.baseAddress!, uncertainty: uncertainty.baseAddress!,
            // The pointers stay valid: nobody else has these tensors before the body has returned.
            probabilities: probabilities?.withMutablePointer { $0 }, votes: votes?.withMutablePointer { $0 },
            pixels: pixels))
      }
    }
    self.height = height
    self.width = width
    self.labels = labels
    self.uncertainty = uncertainty
    (self.probabilities, self.votes) = (probabilities, votes)
  }
}
