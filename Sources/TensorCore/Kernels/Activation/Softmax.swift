import CKernels
import Foundation

// x, y: [rows, K]; the last dimension is normalised.

/// Softmax over the last dimension. Shape `[…, K]`.
public func softmax(_ x: Tensor) -> Tensor {
  mapRows(x) { x, y, width in
    y.update(from: x, count: width)
    softmaxRow(y, width)
  }
}

/// Logarithm of the softmax over the last dimension. Shape `[…, K]`.
public func logSoftmax(_ x: Tensor) -> Tensor {
  mapRows(x) { x, y, width in
    let shift = logSumExp(x, width)
    for k in 0..<width { y[k] = Float(Double(x[k]) - shift) }
  }
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
  _ x: Tensor, _ body: (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void
) -> Tensor {
  precondition(x.rank >= 1 && x.shape[x.rank - 1] > 0, "softmax over the last dimension of \(x.shape)")
  let width = x.shape[x.rank - 1]
  return Tensor(shape: x.shape) { y in
    withPointers(x) { source in
      parallelFor(x.count / width, inBlocksOf: max(1, elementwiseBlock / width)) { rows in
        for row in rows { body(source + row * width, y + row * width, width) }
      }
    }
  }
}
