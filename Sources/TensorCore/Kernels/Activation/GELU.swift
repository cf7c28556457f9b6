import CKernels

/// GELU of every element: `x Φ(x)` with the normal distribution function, not its approximation by tanh. Any shape.
///
/// Source: Hendrycks and Gimpel 2016; `torch.nn.functional.gelu`.
public func gelu(_ x: Tensor) -> Tensor {
  Tensor(shape: x.shape) { y in
    withPointers(x) { x0 in
      parallelFor(x.count, inBlocksOf: elementwiseBlock) { range in
        dseg_gelu(x0 + range.lowerBound, y + range.lowerBound, range.count)
      }
    }
  }
}

/// Gradient of `gelu` with respect to its input x, from the gradient at its output. Any shape.
public func geluBackward(_ gradient: Tensor, x: Tensor) -> Tensor {
  precondition(gradient.count == x.count, "gradient \(gradient.shape) of GELU of \(x.shape)")
  return Tensor(shape: x.shape) { y in
    withPointers(gradient, x) { gradient, x0 in
      parallelFor(x.count, inBlocksOf: elementwiseBlock) { range in
        let start = range.lowerBound
        dseg_gelu_gradient(x0 + start, gradient + start, y + start, range.count)
      }
    }
  }
}

/// GEGLU: the first half of the channels times the GELU of the second, `[…, 2C]` gives `[…, C]`.
///
/// Source: Shazeer 2020; `GEGLU` of latent-diffusion's `attention.py`.
public func geglu(_ x: Tensor) -> Tensor {
  let (rows, width) = halves(of: x)
  return Tensor(shape: x.shape.dropLast() + [width]) { y in
    withPointers(x) { x in
      parallelFor(rows, inBlocksOf: max(1, elementwiseBlock / max(1, width))) { range in
        let start = range.lowerBound
        dseg_geglu(x + start * 2 * width, y + start * width, range.count, width)
      }
    }
  }
}

/// Gradient of `geglu` with respect to its input x, `[…, 2C]`, from the gradient at its output, `[…, C]`.
public func gegluBackward(_ gradient: Tensor, x: Tensor) -> Tensor {
  let (rows, width) = halves(of: x)
  precondition(
    gradient.shape == x.shape.dropLast() + [width], "gradient \(gradient.shape) of GEGLU of \(x.shape)")
  return Tensor(shape: x.shape) { y in
    withPointers(gradient, x) { gradient, x in
      parallelFor(rows, inBlocksOf: max(1, elementwiseBlock / max(1, width))) { range in
        let start = range.lowerBound
        dseg_geglu_gradient(
          x + start * 2 * width, gradient + start * width, y + start * 2 * width, range.count, width)
      }
    }
  }
}

private func halves(of x: Tensor) -> (rows: Int, width: Int) {
  precondition(x.rank >= 1 && x.shape[x.rank - 1] % 2 == 0, "GEGLU of \(x.shape)")
  return (x.shape.dropLast().reduce(1, *), x.shape[x.rank - 1] / 2)
}
