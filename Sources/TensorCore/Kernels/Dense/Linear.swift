// x: [N, in]   weight: [out, in]   bias: [out]   y: [N, out]

/// `y = x · weightᵀ + bias`.
///
/// - Parameters:
///   - x: `[N, in]`
///   - weight: `[out, in]`
///   - bias: `[out]`
/// - Returns: `[N, out]`
public func linear(_ x: Tensor, weight: Tensor, bias: Tensor? = nil) -> Tensor {
  precondition(
    x.rank == 2 && weight.rank == 2 && x.shape[1] == weight.shape[1],
    "linear of x \(x.shape) and weight \(weight.shape)")
  let (rows, inputs, outputs) = (x.shape[0], x.shape[1], weight.shape[0])
  if let bias {
    precondition(bias.shape == [outputs], "linear of weight \(weight.shape) and bias \(bias.shape)")
  }
  return Tensor(shape: [rows, outputs]) { y in
    if let bias {
      withPointers(bias) { bias in
        for row in 0..<rows { (y + row * outputs).update(from: bias, count: outputs) }
      }
    }
    withPointers(x, weight) { x, weight in
      GEMM.parallelMultiply(
        Matrix(x, rows: rows, columns: inputs), Matrix(weight, rows: outputs, columns: inputs).transposed,
        beta: bias == nil ? 0 : 1, into: MutableMatrix(y, rows: rows, columns: outputs))
    }
  }
}

/// Gradients of `linear`.
public struct LinearGradients: Sendable {
  /// `[N, in]`
  public var x: Tensor
  /// `[out, in]`
  public var weight: Tensor
  /// `[out]`
  public var bias: Tensor
}

/// Gradients of a scalar with respect to the arguments of `linear`, from its gradient at `y`.
///
/// - Parameters:
///   - gradient: `[N, out]`
///   - x: `[N, in]`, as given to `linear`
///   - weight: `[out, in]`, as given to `linear`
public func linearBackward(_ gradient: Tensor, x: Tensor, weight: Tensor) -> LinearGradients {
  LinearGradients(
    x: linearInputGradient(gradient, weight: weight), weight: linearWeightGradient(gradient, x: x),
    bias: sumOfRows(gradient))
}

/// The gradient of `linear` at its input alone: `gradient · weight`, `[N, in]`.
public func linearInputGradient(_ gradient: Tensor, weight: Tensor) -> Tensor {
  precondition(
    gradient.rank == 2 && weight.rank == 2 && gradient.shape[1] == weight.shape[0],
    "gradient \(gradient.shape) of a linear layer with weight \(weight.shape)")
  let (rows, outputs, inputs) = (gradient.shape[0], weight.shape[0], weight.shape[1])
  return Tensor(shape: [rows, inputs]) { y in
    withPointers(gradient, weight) { gradient, weight in
      GEMM.parallelMultiply(
        Matrix(gradient, rows: rows, columns: outputs), Matrix(weight, rows: outputs, columns: inputs),
        into: MutableMatrix(y, rows: rows, columns: inputs))
    }
  }
}

/// The gradient of `linear` at its weight alone: `gradientᵀ · x`, `[out, in]`.
public func linearWeightGradient(_ gradient: Tensor, x: Tensor) -> Tensor {
  precondition(
    gradient.rank == 2 && x.rank == 2 && gradient.shape[0] == x.shape[0],
    "gradient \(gradient.shape) of a linear layer with input \(x.shape)")
  let (rows, outputs, inputs) = (gradient.shape[0], gradient.shape[1], x.shape[1])
  return Tensor(shape: [outputs, inputs]) { y in
    withPointers(gradient, x) { gradient, x in
      GEMM.parallelMultiply(
        Matrix(gradient, rows: rows, columns: outputs).transposed, Matrix(x, rows: rows, columns: inputs),
        into: MutableMatrix(y, rows: outputs, columns: inputs))
    }
  }
}

/// Sum over the first dimension: `[N, C]` gives `[C]`.
public func sumOfRows(_ x: Tensor) -> Tensor {
  precondition(x.rank == 2, "sum of the rows of \(x.shape)")
  let (rows, columns) = (x.shape[0], x.shape[1])
  return Tensor(shape: [columns]) { y in
    y.initialize(repeating: 0, count: columns)
    withPointers(x) { x in
      for row in 0..<rows {
        let line = x + row * columns
        for column in 0..<columns { y[column] += line[column] }
      }
    }
  }
}
