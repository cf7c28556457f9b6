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
    self.init(height: height, width: width, classes: withProbabilities ? classes : nil) { output in
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
    var pixels: Int
  }

  /// - Parameters:
  ///   - classes: K, when probabilities are wanted
  ///   - body: writes the verdict on every pixel
  init(height: Int, width: Int, classes: Int?, _ body: (Output) -> Void) {
    let pixels = height * width
    var labels = [UInt8](repeating: 0, count: pixels)
    var uncertainty = [Float](repeating: 0, count: pixels)
    var probabilities = classes.map { Tensor(unsafeUninitializedShape: [$0, height, width]) { _ in } }
    labels.withUnsafeMutableBufferPointer { labels in
      uncertainty.withUnsafeMutableBufferPointer { uncertainty in
        var output = Output(
          labels: labels.baseAddress!, uncertainty: uncertainty.baseAddress!, probabilities: nil,
          pixels: pixels)
        if probabilities == nil { return body(output) }
        probabilities!.withMutablePointer {
          output.probabilities = $0
          body(output)
        }
      }
    }
    self.height = height
    self.width = width
    self.labels = labels
    self.uncertainty = uncertainty
    self.probabilities = probabilities
  }
}
