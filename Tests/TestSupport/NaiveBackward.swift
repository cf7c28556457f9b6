import TensorCore

/// Gradients of `naiveConv2d` by the chain rule, term by term.
/// - Parameters:
///   - gradient: `[N, O, Ho, Wo]`
///   - x: `[N, C, H, W]`
///   - weight: `[O, C, kh, kw]`
public func naiveConv2dBackward(
  _ gradient: NaiveTensor, x: NaiveTensor, weight: NaiveTensor, stride: Int, padding: Padding2D,
  dilation: Int = 1
) -> (x: NaiveTensor, weight: NaiveTensor, bias: NaiveTensor) {
  var dx = NaiveTensor(zeros: x.shape)
  var dWeight = NaiveTensor(zeros: weight.shape)
  var dBias = NaiveTensor(zeros: [weight.shape[0]])
  for n in 0..<gradient.shape[0] {
    for o in 0..<gradient.shape[1] {
      for row in 0..<gradient.shape[2] {
        for column in 0..<gradient.shape[3] {
          let g = gradient[n, o, row, column]
          dBias[o] += g
          for ky in 0..<weight.shape[2] {
            let y = row * stride + ky * dilation - padding.top
            guard y >= 0 && y < x.shape[2] else { continue }
            for kx in 0..<weight.shape[3] {
              let place = column * stride + kx * dilation - padding.left
              guard place >= 0 && place < x.shape[3] else { continue }
              for c in 0..<x.shape[1] {
                dx[n, c, y, place] += g * weight[o, c, ky, kx]
                dWeight[o, c, ky, kx] += g * x[n, c, y, place]
              }
            }
          }
        }
      }
    }
  }
  return (dx, dWeight, dBias)
}
