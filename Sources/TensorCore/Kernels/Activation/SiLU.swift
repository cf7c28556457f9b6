import CKernels

/// SiLU of every element: `x / (1 + exp(-x))`. Any shape.
public func silu(_ x: Tensor) -> Tensor {
  let count = x.count
  return Tensor(shape: x.shape) { y in
    withPointers(x) { x in
      parallelFor(count, inBlocksOf: elementwiseBlock) { range in
        dseg_silu(x + range.lowerBound, y + range.lowerBound, range.count)
      }
    }
  }
}
