import TensorCore
import TestSupport
import Testing

@Suite("Batch norm over columns")
struct BatchNorm1dTests {
  /// A batch whose columns differ in mean and spread, and the parameters of a norm.
  private func arguments(rows: Int, channels: Int) -> (x: Tensor, state: BatchNorm1dState, cotangent: Tensor)
  {
    var random = Philox(seed: 3)
    var x = random.normal(shape: [rows, channels])
    for row in 0..<rows {
      for c in 0..<channels { x[row, c] = x[row, c] * Float(1 + c) + Float(3 * c) }
    }
    let state = BatchNorm1dState(
      weight: random.normal(shape: [channels]), bias: random.normal(shape: [channels]),
      runningMean: random.normal(shape: [channels]),
      runningVariance: Tensor((0..<channels).map { Float($0) + 0.5 }, shape: [channels]))
    return (x, state, random.normal(shape: [rows, channels]))
  }

  private func naiveTraining(_ x: NaiveTensor, weight: NaiveTensor, bias: NaiveTensor, eps: Double)
    -> NaiveTensor
  {
    let (mean, variance) = naiveColumnStatistics(x)
    return naiveBatchNorm(x, mean: mean, variance: variance, weight: weight, bias: bias, eps: eps)
  }

  @Test("training normalises with the batch's mean and biased variance", arguments: [2, 3, 64], [1, 5, 33])
  func trainingForward(rows: Int, channels: Int) {
    var (x, state, _) = arguments(rows: rows, channels: channels)
    let expected = naiveTraining(
      NaiveTensor(x), weight: NaiveTensor(state.weight), bias: NaiveTensor(state.bias), eps: Double(state.eps)
    )
    expectClose(batchNorm1dTraining(x, state: &state).y, expected, absolute: 1e-5, relative: 1e-5)
  }

  @Test("training moves the running statistics, the variance by the unbiased estimate")
  func runningStatistics() {
    var (x, state, _) = arguments(rows: 6, channels: 4)
    let before = state
    _ = batchNorm1dTraining(x, state: &state)
    let (mean, variance) = naiveColumnStatistics(NaiveTensor(x))
    for c in 0..<4 {
      let expectedMean = 0.9 * Double(before.runningMean[c]) + 0.1 * mean[c]
      let expectedVariance = 0.9 * Double(before.runningVariance[c]) + 0.1 * variance[c] * 6 / 5
      #expect(abs(Double(state.runningMean[c]) - expectedMean) <= 1e-6 * max(1, abs(expectedMean)))
      #expect(abs(Double(state.runningVariance[c]) - expectedVariance) <= 1e-6 * expectedVariance)
    }
    #expect(state.weight == before.weight && state.bias == before.bias)
  }

  @Test("a large mean does not drown the variance")
  func largeMean() {
    let x = Tensor([4096, 4097, 4098, 4099].map { Float($0) * 16 }, shape: [4, 1])
    var state = BatchNorm1dState(channels: 1)
    let expected = naiveTraining(
      NaiveTensor(x), weight: NaiveTensor([1], shape: [1]), bias: NaiveTensor([0], shape: [1]), eps: 1e-5)
    expectClose(batchNorm1dTraining(x, state: &state).y, expected, absolute: 1e-6)
  }

  @Test("a constant column becomes the bias")
  func constantColumn() {
    var state = BatchNorm1dState(channels: 1)
    state.bias = Tensor([0.25], shape: [1])
    let y = batchNorm1dTraining(Tensor(repeating: 7, shape: [5, 1]), state: &state).y
    #expect(y == Tensor(repeating: 0.25, shape: [5, 1]))
  }

  @Test("training gradients are those of finite differences", arguments: [2, 7], [1, 4])
  func trainingBackward(rows: Int, channels: Int) {
    var (x, state, cotangent) = arguments(rows: rows, channels: channels)
    let (naiveX, target, eps) = (NaiveTensor(x), NaiveTensor(cotangent), Double(state.eps))
    let (weight, bias) = (NaiveTensor(state.weight), NaiveTensor(state.bias))
    let saved = batchNorm1dTraining(x, state: &state).saved
    let gradients = batchNorm1dBackward(cotangent, saved: saved, weight: state.weight)
    expectClose(
      gradients.x,
      finiteDifferenceGradient(at: naiveX) {
        dot(naiveTraining($0, weight: weight, bias: bias, eps: eps), target)
      },
      absolute: 2e-5, relative: 1e-4)
    expectClose(
      gradients.weight,
      finiteDifferenceGradient(at: weight) {
        dot(naiveTraining(naiveX, weight: $0, bias: bias, eps: eps), target)
      },
      absolute: 1e-5, relative: 1e-5)
    expectClose(
      gradients.bias,
      finiteDifferenceGradient(at: bias) {
        dot(naiveTraining(naiveX, weight: weight, bias: $0, eps: eps), target)
      },
      absolute: 1e-5, relative: 1e-5)
  }

  @Test("many rows are those of the definition, with the same bits for any number of threads")
  func manyRows() {
    let (x, before, cotangent) = arguments(rows: 9001, channels: 3)
    let (mean, variance) = naiveColumnStatistics(NaiveTensor(x))
    let results = withThreadCounts([1, 3]) {
      var state = before
      let (y, saved) = batchNorm1dTraining(x, state: &state)
      let gradients = batchNorm1dBackward(cotangent, saved: saved, weight: state.weight)
      return [y, state.runningMean, state.runningVariance, gradients.x, gradients.weight, gradients.bias]
    }
    #expect(zip(results[0], results[1]).allSatisfy { $0 == $1 })
    let (weight, bias) = (NaiveTensor(before.weight), NaiveTensor(before.bias))
    expectClose(
      results[0][0],
      naiveBatchNorm(
        NaiveTensor(x), mean: mean, variance: variance, weight: weight, bias: bias, eps: Double(before.eps)),
      absolute: 1e-5, relative: 1e-5)
    for c in 0..<3 {
      let unbiased = variance[c] * 9001 / 9000
      #expect(
        abs(Double(results[0][2][c]) - 0.9 * Double(before.runningVariance[c]) - 0.1 * unbiased) < 1e-5
          * unbiased)
      let slopes = (0..<9001).map { Double(cotangent[$0, c]) }
      let normalized = (0..<9001).map {
        (Double(x[$0, c]) - mean[c]) / (variance[c] + Double(before.eps)).squareRoot()
      }
      let (sum, product) = (slopes.reduce(0, +), zip(slopes, normalized).reduce(0) { $0 + $1.0 * $1.1 })
      #expect(abs(Double(results[0][5][c]) - sum) < 1e-3 && abs(Double(results[0][4][c]) - product) < 1e-3)
      let factor = weight[c] / (variance[c] + Double(before.eps)).squareRoot()
      let worst = (0..<9001).map { row in
        abs(
          Double(results[0][3][row, c]) - factor * (slopes[row] - (sum + normalized[row] * product) / 9001))
      }.max()!
      #expect(worst < 1e-5)
    }
  }

  @Test("evaluation uses the running statistics, forward and backward, for a single row too")
  func evaluation() {
    let (x, state, cotangent) = arguments(rows: 1, channels: 5)
    func naive(_ x: NaiveTensor) -> NaiveTensor {
      naiveBatchNorm(
        x, mean: NaiveTensor(state.runningMean), variance: NaiveTensor(state.runningVariance),
        weight: NaiveTensor(state.weight), bias: NaiveTensor(state.bias), eps: Double(state.eps))
    }
    let (y, saved) = batchNorm1dEvaluation(x, state: state)
    expectClose(y, naive(NaiveTensor(x)), absolute: 1e-5, relative: 1e-5)
    expectClose(
      batchNorm1dBackward(cotangent, saved: saved, weight: state.weight).x,
      finiteDifferenceGradient(at: NaiveTensor(x)) { dot(naive($0), NaiveTensor(cotangent)) },
      absolute: 1e-5, relative: 1e-5)
  }
}
