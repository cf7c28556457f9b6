// N elements of any shape.

/// `max(x, 0)` of every element. A NaN stays a NaN.
public func relu(_ x: Tensor) -> Tensor {
  x.mapped { $0 < 0 ? 0 : $0 }
}

/// Gradient of `relu` with respect to its input, from its output `y` and the gradient at it.
public func reluBackward(_ gradient: Tensor, output y: Tensor) -> Tensor {
  gradient.combined(with: y) { $1 > 0 ? $0 : 0 }
}
