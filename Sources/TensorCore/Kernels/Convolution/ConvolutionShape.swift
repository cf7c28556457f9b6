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
  var paddingHeight: Int
  var paddingWidth: Int

  var outHeight: Int { (height + 2 * paddingHeight - kernelHeight) / stride + 1 }
  var outWidth: Int { (width + 2 * paddingWidth - kernelWidth) / stride + 1 }
  /// Inputs of one output.
  var patchSize: Int { kernelHeight * kernelWidth * inChannels }
  /// Whether every output depends on one pixel, in the same place.
  var isPointwise: Bool {
    kernelHeight == 1 && kernelWidth == 1 && stride == 1 && paddingHeight == 0 && paddingWidth == 0
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
