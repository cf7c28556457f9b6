import Foundation

/// Linear layer by its definition. x: `[N, in]`, weight: `[out, in]`.
public func naiveLinear(_ x: NaiveTensor, weight: NaiveTensor, bias: NaiveTensor?) -> NaiveTensor {
  var y = NaiveTensor(zeros: [x.shape[0], weight.shape[0]])
  for n in 0..<x.shape[0] {
    for o in 0..<weight.shape[0] {
      y[n, o] = (0..<x.shape[1]).reduce(bias?[o] ?? 0) { $0 + x[n, $1] * weight[o, $1] }
    }
  }
  return y
}

public func naiveReLU(_ x: NaiveTensor) -> NaiveTensor {
  NaiveTensor(x.elements.map { max($0, 0) }, shape: x.shape)
}

/// Softmax of every row by its definition. x: `[N, K]`.
public func naiveSoftmax(_ x: NaiveTensor) -> NaiveTensor {
  var y = x
  for n in 0..<x.shape[0] {
    let row = (0..<x.shape[1]).map { x[n, $0] }
    let largest = row.max()!
    let total = row.reduce(0) { $0 + exp($1 - largest) }
    for k in row.indices { y[n, k] = exp(row[k] - largest) / total }
  }
  return y
}

/// Mean over the rows of `-log softmax(x)[target]`. x: `[N, K]`.
public func naiveCrossEntropy(_ x: NaiveTensor, targets: [Int]) -> Double {
  let losses = (0..<x.shape[0]).map { n in
    let row = (0..<x.shape[1]).map { x[n, $0] }
    let largest = row.max()!
    return largest + log(row.reduce(0) { $0 + exp($1 - largest) }) - row[targets[n]]
  }
  return losses.reduce(0, +) / Double(losses.count)
}

/// Mean and biased variance of every column. x: `[N, C]`.
public func naiveColumnStatistics(_ x: NaiveTensor) -> (mean: NaiveTensor, variance: NaiveTensor) {
  let (rows, columns) = (x.shape[0], x.shape[1])
  var mean = NaiveTensor(zeros: [columns])
  var variance = mean
  for c in 0..<columns {
    let column = (0..<rows).map { x[$0, c] }
    mean[c] = column.reduce(0, +) / Double(rows)
    variance[c] = column.reduce(0) { $0 + ($1 - mean[c]) * ($1 - mean[c]) } / Double(rows)
  }
  return (mean, variance)
}

/// Batch normalisation by its definition, with the given statistics. x: `[N, C]`.
public func naiveBatchNorm(
  _ x: NaiveTensor, mean: NaiveTensor, variance: NaiveTensor, weight: NaiveTensor, bias: NaiveTensor,
  eps: Double
) -> NaiveTensor {
  var y = x
  for n in 0..<x.shape[0] {
    for c in 0..<x.shape[1] {
      y[n, c] = (x[n, c] - mean[c]) / (variance[c] + eps).squareRoot() * weight[c] + bias[c]
    }
  }
  return y
}

/// Adam, one weight at a time, as the papers write it.
public struct NaiveAdam {
  public var learningRate, beta1, beta2, eps, weightDecay: Double
  /// Whether decay shrinks the weight (AdamW) or joins the gradient.
  public var isDecoupled: Bool
  private var (mean, square, step) = (0.0, 0.0, 0.0)

  public init(
    learningRate: Double, beta1: Double, beta2: Double, eps: Double, weightDecay: Double, isDecoupled: Bool
  ) {
    self.learningRate = learningRate
    self.beta1 = beta1
    self.beta2 = beta2
    self.eps = eps
    self.weightDecay = weightDecay
    self.isDecoupled = isDecoupled
  }

  /// The weight after one more step.
  public mutating func step(_ weight: Double, gradient: Double) -> Double {
    step += 1
    let g = isDecoupled ? gradient : gradient + weightDecay * weight
    mean = beta1 * mean + (1 - beta1) * g
    square = beta2 * square + (1 - beta2) * g * g
    let decayed = isDecoupled ? weight - learningRate * weightDecay * weight : weight
    let (meanHat, squareHat) = (mean / (1 - pow(beta1, step)), square / (1 - pow(beta2, step)))
    return decayed - learningRate * meanHat / (squareHat.squareRoot() + eps)
  }
}
