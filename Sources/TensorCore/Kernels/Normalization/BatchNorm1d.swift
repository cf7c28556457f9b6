// x, y: [N, C]   weight, bias, means, variances: [C]

/// Parameters and running statistics of a batch normalisation over `[N, C]`.
public struct BatchNorm1dState: Sendable {
  /// `[C]`
  public var weight: Tensor
  /// `[C]`
  public var bias: Tensor
  /// `[C]`
  public var runningMean: Tensor
  /// `[C]`
  public var runningVariance: Tensor
  /// Added to the variance inside the root.
  public var eps: Float
  /// Share of the new batch in the running statistics.
  public var momentum: Float

  /// PyTorch's defaults: weight 1, bias 0, mean 0, variance 1.
  public init(channels: Int, eps: Float = 1e-5, momentum: Float = 0.1) {
    self.init(
      weight: Tensor(repeating: 1, shape: [channels]), bias: Tensor(zeros: [channels]),
      runningMean: Tensor(zeros: [channels]), runningVariance: Tensor(repeating: 1, shape: [channels]),
      eps: eps, momentum: momentum)
  }

  public init(
    weight: Tensor, bias: Tensor, runningMean: Tensor, runningVariance: Tensor, eps: Float = 1e-5,
    momentum: Float = 0.1
  ) {
    precondition(
      weight.rank == 1 && bias.shape == weight.shape && runningMean.shape == weight.shape
        && runningVariance.shape == weight.shape,
      "batch norm of \(weight.shape), \(bias.shape), \(runningMean.shape), \(runningVariance.shape)")
    self.weight = weight
    self.bias = bias
    self.runningMean = runningMean
    self.runningVariance = runningVariance
    self.eps = eps
    self.momentum = momentum
  }
}

/// What the backward pass of a batch normalisation needs.
public struct BatchNorm1dSaved: Sendable {
  /// `(x - mean) / sqrt(variance + eps)`, `[N, C]`.
  public var normalized: Tensor
  /// `1 / sqrt(variance + eps)`, `[C]`.
  public var inverseDeviation: Tensor
  /// Whether mean and variance came from the batch itself.
  public var usesBatchStatistics: Bool
}

/// Batch normalisation with the statistics of the batch (biased variance). Updates the running
/// statistics, the variance with the unbiased estimate.
/// - Precondition: at least two rows, as in PyTorch.
public func batchNorm1dTraining(_ x: Tensor, state: inout BatchNorm1dState) -> (
  y: Tensor, saved: BatchNorm1dSaved
) {
  precondition(
    x.rank == 2 && x.shape[1] == state.weight.count && x.shape[0] > 1,
    "training batch norm over \(state.weight.count) channels of \(x.shape)")
  let (rows, channels) = (x.shape[0], x.shape[1])
  let sums = columnSums(x) { value, _ in value }
  let means = sums.map { $0 / Double(rows) }
  let squares = columnSums(x) { value, c in (value - means[c]) * (value - means[c]) }
  let momentum = Double(state.momentum)
  state.runningMean.withMutablePointer { running in
    for c in 0..<channels { running[c] = Float((1 - momentum) * Double(running[c]) + momentum * means[c]) }
  }
  state.runningVariance.withMutablePointer { running in
    for c in 0..<channels {
      let unbiased = squares[c] / Double(rows - 1)
      running[c] = Float((1 - momentum) * Double(running[c]) + momentum * unbiased)
    }
  }
  let eps = Double(state.eps)
  let inverse = squares.map { Float(1 / ($0 / Double(rows) + eps).squareRoot()) }
  return normalize(
    x, means: means.map(Float.init), inverseDeviation: Tensor(inverse, shape: [channels]), state: state,
    usesBatchStatistics: true)
}

/// Batch normalisation with the running statistics.
public func batchNorm1dEvaluation(_ x: Tensor, state: BatchNorm1dState) -> (
  y: Tensor, saved: BatchNorm1dSaved
) {
  precondition(
    x.rank == 2 && x.shape[1] == state.weight.count,
    "batch norm over \(state.weight.count) channels of \(x.shape)")
  let inverse = state.runningVariance.mapped { 1 / ($0 + state.eps).squareRoot() }
  return normalize(
    x, means: state.runningMean.elements, inverseDeviation: inverse, state: state, usesBatchStatistics: false)
}

private func normalize(
  _ x: Tensor, means: [Float], inverseDeviation: Tensor, state: BatchNorm1dState, usesBatchStatistics: Bool
) -> (y: Tensor, saved: BatchNorm1dSaved) {
  let (rows, channels) = (x.shape[0], x.shape[1])
  let normalized = Tensor(shape: x.shape) { out in
    withPointers(x, inverseDeviation) { x, inverse in
      means.withUnsafeBufferPointer { means in
        forEachRow(rows, channels) { row in
          let (line, to) = (x + row * channels, out + row * channels)
          for c in 0..<channels { to[c] = (line[c] - means[c]) * inverse[c] }
        }
      }
    }
  }
  let y = Tensor(shape: x.shape) { y in
    withPointers(normalized, state.weight, state.bias) { normalized, weight, bias in
      forEachRow(rows, channels) { row in
        let (line, to) = (normalized + row * channels, y + row * channels)
        for c in 0..<channels { to[c] = line[c] * weight[c] + bias[c] }
      }
    }
  }
  return (
    y,
    BatchNorm1dSaved(
      normalized: normalized, inverseDeviation: inverseDeviation, usesBatchStatistics: usesBatchStatistics)
  )
}

/// Gradients of a batch normalisation.
public struct BatchNorm1dGradients: Sendable {
  /// `[N, C]`
  public var x: Tensor
  /// `[C]`
  public var weight: Tensor
  /// `[C]`
  public var bias: Tensor
}

/// Gradients of a scalar with respect to input, weight and bias, from its gradient at the output.
///
/// With batch statistics: `dx = weight · s · (g - mean(g) - n · mean(g · n))` with `n` the normalised
/// input and `s` the inverse deviation (Ioffe and Szegedy 2015, section 3). Without: `dx = weight · s · g`.
public func batchNorm1dBackward(_ gradient: Tensor, saved: BatchNorm1dSaved, weight: Tensor)
  -> BatchNorm1dGradients
{
  precondition(
    gradient.shape == saved.normalized.shape, "gradient \(gradient.shape) of \(saved.normalized.shape)")
  let (rows, channels) = (gradient.shape[0], gradient.shape[1])
  // Many rows are summed in pieces; up to 256 come to the same bits as one after the other.
  let whole = [1, rows, channels]
  let biasGradient = sumOfPixels(gradient.reshaped(whole)).reshaped([channels])
  let weightGradient = sumOfPixels((gradient * saved.normalized).reshaped(whole)).reshaped([channels])
  let share: Float = saved.usesBatchStatistics ? 1 / Float(rows) : 0
  let xGradient = Tensor(shape: gradient.shape) { out in
    withPointers(gradient, saved.normalized) { gradient, normalized in
      withPointers(weight, saved.inverseDeviation) { weight, inverse in
        withPointers(biasGradient, weightGradient) { sums, products in
          forEachRow(rows, channels) { row in
            let start = row * channels
            let (g, n, to) = (gradient + start, normalized + start, out + start)
            for c in 0..<channels {
              to[c] = weight[c] * inverse[c] * (g[c] - share * (sums[c] + n[c] * products[c]))
            }
          }
        }
      }
    }
  }
  return BatchNorm1dGradients(x: xGradient, weight: weightGradient, bias: biasGradient)
}

/// Calls `body` with each row of `[rows, channels]`, blocks of them on several threads.
@inline(__always)
private func forEachRow(_ rows: Int, _ channels: Int, _ body: (Int) -> Void) {
  parallelFor(rows, inBlocksOf: max(1, elementwiseBlock / max(1, channels))) { range in
    for row in range { body(row) }
  }
}

/// Sum over the rows of `[N, C]` of something of each element and its column, in double precision: in pieces of 4096 rows
/// that are put together in their order.
@inline(__always)
private func columnSums(_ x: Tensor, _ body: (_ value: Double, _ column: Int) -> Double) -> [Double] {
  let (rows, channels) = (x.shape[0], x.shape[1])
  let pieceSize = 4096
  let pieces = (rows + pieceSize - 1) / pieceSize
  var table = [Double](repeating: 0, count: pieces * channels)
  table.withUnsafeMutableBufferPointer { table in
    // Each piece has a line of its own.
    nonisolated(unsafe) let table = table
    withPointers(x) { x in
      parallelFor(rows, inBlocksOf: pieceSize) { range in
        let sums = table.baseAddress! + range.lowerBound / pieceSize * channels
        for row in range {
          let line = x + row * channels
          for c in 0..<channels { sums[c] += body(Double(line[c]), c) }
        }
      }
    }
  }
  return (0..<channels).map { c in
    (0..<pieces).reduce(0) { $0 + table[$1 * channels + c] }
  }
}
