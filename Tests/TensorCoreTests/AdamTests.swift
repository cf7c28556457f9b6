import TensorCore
import TestSupport
import Testing

@Suite("Adam")
struct AdamTests {
  struct Setting: CustomTestStringConvertible, Sendable {
    var adam: Adam
    var testDescription: String {
      "\(adam.decay.rawValue), weight decay \(adam.weightDecay), eps \(adam.eps)"
    }
  }

  static let settings = [
    Setting(adam: Adam()),
    Setting(adam: Adam(learningRate: 0.01, weightDecay: 0.1)),
    Setting(adam: Adam(learningRate: 0.01, weightDecay: 0.1, decay: .decoupled)),
    Setting(adam: Adam(learningRate: 0.1, beta1: 0.5, beta2: 0.9, eps: 0.1)),
  ]

  @Test("follows the papers for many steps, in every place of a long tensor", arguments: settings)
  func trace(setting: Setting) {
    let adam = setting.adam
    var random = Philox(seed: 9)
    // Longer than a block of one thread and not a multiple of a vector.
    let count = (1 << 15) + 7
    var weight = random.normal(shape: [count])
    var moments = AdamMoments(shape: [count])
    let watched = [0, 1, 3, 4, 5, 17, (1 << 15) - 1, 1 << 15, count - 2, count - 1]
    var expected = watched.map { Double(weight.elements[$0]) }
    var naive = watched.map { _ in
      NaiveAdam(
        learningRate: adam.learningRate, beta1: adam.beta1, beta2: adam.beta2,
        eps: adam.eps, weightDecay: adam.weightDecay, isDecoupled: adam.decay == .decoupled)
    }
    for _ in 0..<10 {
      let gradient = random.normal(shape: [count])
      adam.update(&weight, gradient: gradient, moments: &moments)
      for (i, position) in watched.enumerated() {
        expected[i] = naive[i].step(expected[i], gradient: Double(gradient.elements[position]))
        #expect(abs(Double(weight.elements[position]) - expected[i]) <= 2e-6)
      }
    }
    #expect(moments.step == 10)
  }

  @Test("the first step has the length of the learning rate, whatever the gradient")
  func firstStep() {
    var weight = Tensor(zeros: [4])
    var moments = AdamMoments(shape: [4])
    Adam(learningRate: 0.5).update(
      &weight, gradient: Tensor([1e-3, -1e-3, 1e3, -1e3], shape: [4]), moments: &moments)
    expectClose(weight, NaiveTensor([-0.5, 0.5, -0.5, 0.5], shape: [4]), absolute: 1e-5)
  }

  @Test("a gradient of zero moves nothing, and an empty tensor is no trouble")
  func nothing() {
    var weight = Tensor([3], shape: [1])
    var moments = AdamMoments(shape: [1])
    Adam().update(&weight, gradient: Tensor(zeros: [1]), moments: &moments)
    #expect(weight.item == 3)
    var empty = Tensor(zeros: [0])
    var none = AdamMoments(shape: [0])
    Adam().update(&empty, gradient: Tensor(zeros: [0]), moments: &none)
    #expect(empty.count == 0)
  }

  @Test("decoupled decay shrinks a weight even without a gradient")
  func decay() {
    var weight = Tensor([2], shape: [1])
    var moments = AdamMoments(shape: [1])
    Adam(learningRate: 0.1, weightDecay: 0.5, decay: .decoupled).update(
      &weight, gradient: Tensor(zeros: [1]), moments: &moments)
    #expect(abs(weight.item - 1.9) < 1e-6)
  }
}
