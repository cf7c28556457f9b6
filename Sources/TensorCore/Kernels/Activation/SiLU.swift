/// `x · sigmoid(x)`.
@inline(__always)
package func siluValue(_ x: Float) -> Float { x / (1 + fastExp(-x)) }

/// SiLU of every element: `x / (1 + exp(-x))`. Any shape.
public func silu(_ x: Tensor) -> Tensor {
  let count = x.count
  return Tensor(shape: x.shape) { y in
    withPointers(x) { x in
      parallelFor(count, inBlocksOf: elementwiseBlock) { range in
        for index in range { y[index] = siluValue(x[index]) }
      }
    }
  }
}
