/// The sizes of one convolution.
///
/// x: `[N, C, H, W]`, weight: `[O, C, kh, kw]`, y: `[N, O, Ho, Wo]`; zeros around x.
package struct ConvolutionShape {
  package var batch: Int
  package var inChannels: Int
  package var height: Int
  package var width: Int
  package var outChannels: Int
  package var kernelHeight: Int
  package var kernelWidth: Int
  package var stride: Int
  package var paddingHeight: Int
  package var paddingWidth: Int

  package var outHeight: Int { (height + 2 * paddingHeight - kernelHeight) / stride + 1 }
  package var outWidth: Int { (width + 2 * paddingWidth - kernelWidth) / stride + 1 }
  /// Output positions of one sample.
  package var outPlane: Int { outHeight * outWidth }
  /// Rows of the column matrix: one for each weight of an output channel.
  package var columnRows: Int { inChannels * kernelHeight * kernelWidth }
  /// Whether the column matrix is the input itself.
  package var isPointwise: Bool {
    kernelHeight == 1 && kernelWidth == 1 && stride == 1 && paddingHeight == 0 && paddingWidth == 0
  }
}
