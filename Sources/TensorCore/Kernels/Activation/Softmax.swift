import CKernels
import Foundation

// x, y: [rows, K]; the last dimension is normalised.

/// Softmax over the last dimension. Shape `[…, K]`.
public func softmax(_ x: Tensor) -> Tensor {
  mapRows(x) { x, y, width, _ in
    y.update(from: x, count: width)
    softmaxRow(y, width)
  }
}

/// Logarithm of the softmax over the last dimension. Shape `[…, K]`.
public func logSoftmax(_ x: Tensor) -> Tensor {
  mapRows(x) { x, y, width, _ in
    let shift = logSumExp(x, width)
    for k in 0..<width { y[k] = Float(Double(x[k]) - shift) }
  }
}

/// Gradient of `softmax` with respect to its input, from its output `y` and the gradient g at it:
/// `y (g - Σ g y)`. Shape `[…, K]`.
public func softmaxBackward(_ gradient: Tensor, output y: Tensor) -> Tensor {
  precondition(gradient.shape == y.shape, "gradient \(gradient.shape) of a softmax \(y.shape)")
  return withPointers(gradient) { all in
    mapRows(y) { y, result, width, row in softmaxGradientRow(y, all + row * width, result, width) }
  }
}

/// Gradient of `logSoftmax` with respect to its input, from its output `y` and the gradient g at it:
/// `g - exp(y) Σ g`. Shape `[…, K]`.
public func logSoftmaxBackward(_ gradient: Tensor, output y: Tensor) -> Tensor {
  precondition(gradient.shape == y.shape, "gradient \(gradient.shape) of a log softmax \(y.shape)")
  return withPointers(gradient) { all in
    mapRows(y) { y, result, width, row in
      let gradient = all + row * width
      var sum = 0.0
      for k in 0..<width { sum += Double(gradient[k]) }
      for k in 0..<width { result[k] = gradient[k] - fastExp(y[k]) * Float(sum) }
    }
  }
}

/// One row of `softmaxBackward`; `result` may be `gradient`.
@inline(__always)
func softmaxGradientRow(
  _ y: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>, _ result: UnsafeMutablePointer<Float>,
  _ width: Int
) {
  dseg_softmax_gradient(y, gradient, result, width)
}

/// Softmax of one row in place.
@inline(__always)
package func softmaxRow(_ row: UnsafeMutablePointer<Float>, _ width: Int) { dseg_softmax(row, width) }

/// `log Σ exp(x)` of one row, without overflow.
package func logSumExp(_ row: UnsafePointer<Float>, _ width: Int) -> Double {
  let largest = Double(maximum(row, width))
  var sum = 0.0
  for k in 0..<width { sum += exp(Double(row[k]) - largest) }
  return largest + log(sum)
}

@inline(__always)
private func maximum(_ row: UnsafePointer<Float>, _ width: Int) -> Float {
  var lanes = SIMD8<Float>(repeating: -.infinity)
  var k = 0
  while k + 8 <= width {
    let values = UnsafeRawPointer(row + k).loadUnaligned(as: SIMD8<Float>.self)
    lanes = lanes.replacing(with: values, where: values .> lanes)
    k += 8
  }
  var largest = lanes.max()
  while k < width {
    if row[k] > largest { largest = row[k] }
    k += 1
  }
  return largest
}

private func mapRows(
  _ x: Tensor,
  _ body: (_ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ width: Int, _ row: Int) -> Void
) -> Tensor {
  precondition(x.rank >= 1 && x.shape[x.rank - 1] > 0, "softmax over the last dimension of \(x.shape)")
  let width = x.shape[x.rank - 1]
  return Tensor(shape: x.shape) { y in
    withPointers(x) { source in
      parallelFor(x.count / width, inBlocksOf: max(1, elementwiseBlock / width)) { rows in
        for row in rows { body(source + row * width, y + row * width, width, row) }
      }
    }
  }
}
