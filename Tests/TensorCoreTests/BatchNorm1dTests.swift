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
