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

/// Gradient of `silu` with respect to its input x, from the gradient at its output. Any shape.
public func siluBackward(_ gradient: Tensor, x: Tensor) -> Tensor {
  precondition(gradient.count == x.count, "gradient \(gradient.shape) of SiLU of \(x.shape)")
  let count = x.count
  return Tensor(shape: x.shape) { y in
    withPointers(gradient, x) { gradient, x in
      parallelFor(count, inBlocksOf: elementwiseBlock) { range in
        let start = range.lowerBound
        dseg_silu_gradient(x + start, gradient + start, y + start, range.count)
      }
    }
  }
}
