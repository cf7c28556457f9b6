import CKernels

// x, y: […, C]   weight, bias: [C]

/// Layer normalisation over the last dimension, with biased variance and `eps` inside the root.
///
/// - Parameters:
///   - x: `[…, C]`
///   - weight: `[C]`
///   - bias: `[C]`
///   - eps: added to the variance
/// - Returns: `[…, C]`
/// Source: Ba et al. 2016; `torch.nn.LayerNorm`.
public func layerNorm(_ x: Tensor, weight: Tensor, bias: Tensor, eps: Float = 1e-5) -> Tensor {
  let (rows, width) = rows(of: x, weight: weight)
  precondition(bias.shape == weight.shape, "layer norm with weight \(weight.shape) and bias \(bias.shape)")
  return Tensor(shape: x.shape) { y in
    withPointers(x, weight, bias) { x, weight, bias in
      parallelFor(rows, inBlocksOf: max(1, elementwiseBlock / width)) { range in
        let start = range.lowerBound * width
        dseg_layer_norm(x + start, weight, bias, eps, y + start, range.count, width)
      }
    }
  }
}

/// Gradients of `layerNorm`.
public struct LayerNormGradients: Sendable {
  /// `[…, C]`
  public var x: Tensor
  /// `[C]`
  public var weight: Tensor
  /// `[C]`
  public var bias: Tensor
}

/// Gradients of a scalar with respect to the arguments of `layerNorm`, from its gradient at the output.
///
/// With `n` the normalised input, `s` the inverse deviation and `h = g · weight`:
/// `dx = s (h - mean(h) - n mean(h n))`, `dweight = Σ g n`, `dbias = Σ g`.
/// - Parameters:
///   - gradient: `[…, C]`
///   - x: as given to `layerNorm`, `[…, C]`
///   - weight: `[C]`
///   - eps: as given to `layerNorm`
public func layerNormBackward(
  _ gradient: Tensor, x: Tensor, weight: Tensor, eps: Float = 1e-5
) -> LayerNormGradients {
  let (rows, width) = rows(of: x, weight: weight)
  precondition(gradient.shape == x.shape, "gradient \(gradient.shape) of a layer norm of \(x.shape)")
  // Sums of parts that depend on the shape alone, added in order.
  let block = max(16, elementwiseBlock / width)
  let parts = max(1, (rows + block - 1) / block)
  var (weightSums, biasSums) = (Tensor(zeros: [parts, width]), Tensor(zeros: [parts, width]))
  let dx = Tensor(shape: x.shape) { y in
    weightSums.withMutablePointer { weightSums in
      biasSums.withMutablePointer { biasSums in
        withPointers(gradient, x, weight) { gradient, x, weight in
          parallelFor(rows, inBlocksOf: block) { range in
            let (start, part) = (range.lowerBound * width, range.lowerBound / block)
            dseg_layer_norm_gradient(
              dseg_layer_norm_parts(
                x: x + start, gradient: gradient + start, weight: weight, eps: eps, y: y + start,
                weight_sum: weightSums + part * width, bias_sum: biasSums + part * width, rows: range.count,
                width: width))
          }
        }
      }
    }
  }
  return LayerNormGradients(x: dx, weight: sumOfRows(weightSums), bias: sumOfRows(biasSums))
}

private func rows(of x: Tensor, weight: Tensor) -> (rows: Int, width: Int) {
  precondition(
    x.rank >= 1 && weight.shape == [x.shape[x.rank - 1]] && weight.count > 0,
    "layer norm of \(x.shape) with weight \(weight.shape)")
  return (x.count / weight.count, weight.count)
}
