/// Zeros around a picture.
public struct Padding2D: Sendable, Equatable, ExpressibleByIntegerLiteral, CustomStringConvertible {
  public var top: Int
  public var left: Int
  public var bottom: Int
  public var right: Int

  /// So many pixels on each side.
  public init(_ pixels: Int) { self.init(top: pixels, left: pixels, bottom: pixels, right: pixels) }

  public init(integerLiteral pixels: Int) { self.init(pixels) }

  public init(top: Int, left: Int, bottom: Int, right: Int) {
    (self.top, self.left, self.bottom, self.right) = (top, left, bottom, right)
  }

  public var description: String {
    self == Padding2D(top) ? "\(top)" : "top \(top), left \(left), bottom \(bottom), right \(right)"
  }

  var isNegative: Bool { min(top, left, bottom, right) < 0 }
  var height: Int { top + bottom }
  var width: Int { left + right }
}

/// What follows a convolution before its result is stored.
public enum ConvolutionActivation: Sendable {
  case none
  /// `max(y, 0)`, after bias and residual.
  case relu
}

/// The sizes of one convolution.
///
/// x: `[N, H, W, C]`, weight: `[O, C, kh, kw]`, y: `[N, Ho, Wo, O]`; zeros around x.
struct ConvolutionShape {
  var batch: Int
  var inChannels: Int
  var height: Int
  var width: Int
  var outChannels: Int
  var kernelHeight: Int
  var kernelWidth: Int
  var stride: Int
  var padding: Padding2D
  /// Pixels from tap to tap of the kernel.
  var dilation = 1

  /// Pixels that a kernel spans.
  var spanHeight: Int { dilation * (kernelHeight - 1) + 1 }
  var spanWidth: Int { dilation * (kernelWidth - 1) + 1 }
  var outHeight: Int { (height + padding.height - spanHeight) / stride + 1 }
  var outWidth: Int { (width + padding.width - spanWidth) / stride + 1 }
  /// Inputs of one output.
  var patchSize: Int { kernelHeight * kernelWidth * inChannels }
  /// Whether every output depends on one pixel, in the same place.
  var isPointwise: Bool { kernelHeight == 1 && kernelWidth == 1 && stride == 1 && padding == 0 }
  /// The same pointwise convolution of a picture of one column, which can be cut anywhere.
  var asColumn: ConvolutionShape {
    var column = self
    (column.height, column.width) = (height * width, 1)
    return column
  }
  /// Whether the kernel fits into the padded picture at least once.
  var isPossible: Bool {
    stride >= 1 && dilation >= 1 && !padding.isNegative && height + padding.height >= spanHeight
      && width + padding.width >= spanWidth
  }
}

/// Rows of several samples in one count: calls `body` with each sample's part of `rows`.
func forEachSample(
  _ rows: Range<Int>, rowsPerSample: Int, _ body: (_ sample: Int, _ rows: Range<Int>) -> Void
) {
  var row = rows.lowerBound
  while row < rows.upperBound {
    let sample = row / rowsPerSample
    let end = min(rows.upperBound, (sample + 1) * rowsPerSample)
    body(sample, row - sample * rowsPerSample..<end - sample * rowsPerSample)
    row = end
  }
}
