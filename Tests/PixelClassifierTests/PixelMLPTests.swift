import PixelClassifier
import TensorCore
import TestSupport
import Testing

@Suite("Pixel classifier")
struct PixelMLPTests {
  @Test("gives the logits of its layers in double precision", arguments: [(7, 3), (40, 15), (9, 30), (1, 1)])
  func forward(features: Int, classes: Int) {
    let classifier = randomClassifier(features: features, classes: classes, seed: 1)
    var random = Philox(seed: 2)
    let x = random.normal(shape: [37, features])
    func norm(_ x: NaiveTensor, _ state: BatchNorm1dState) -> NaiveTensor {
      naiveBatchNorm(
        x, mean: NaiveTensor(state.runningMean), variance: NaiveTensor(state.runningVariance),
        weight: NaiveTensor(state.weight), bias: NaiveTensor(state.bias), eps: Double(state.eps))
    }
    func layer(_ x: NaiveTensor, _ layer: LinearParameters) -> NaiveTensor {
      naiveLinear(x, weight: NaiveTensor(layer.weight), bias: NaiveTensor(layer.bias))
    }
    let hidden1 = norm(naiveReLU(layer(NaiveTensor(x), classifier.linear0)), classifier.norm2)
    let hidden2 = norm(naiveReLU(layer(hidden1, classifier.linear3)), classifier.norm5)
    expectClose(classifier.logits(x), layer(hidden2, classifier.linear6), absolute: 2e-5, relative: 2e-5)
  }

  @Test(
    "has the reference's widths", arguments: [(1, 128, 32), (29, 128, 32), (30, 256, 128), (34, 256, 128)])
  func widths(classes: Int, first: Int, second: Int) {
    let classifier = PixelMLP(featureCount: 5, classCount: classes, random: Philox(seed: 0))
    #expect(classifier.hiddenWidths.first == first && classifier.hiddenWidths.second == second)
    #expect(classifier.classCount == classes && classifier.featureCount == 5)
  }

  @Test("starts with normal weights of deviation 0.02, zero biases and neutral norms")
  func initialization() {
    let classifier = PixelMLP(featureCount: 500, classCount: 15, random: Philox(seed: 3))
    for layer in [classifier.linear0, classifier.linear3, classifier.linear6] {
      let values = layer.weight.elements.map(Double.init)
      let mean = values.reduce(0, +) / Double(values.count)
      let deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count))
        .squareRoot()
      let expectedError = 0.02 / Double(values.count).squareRoot()
      #expect(abs(mean) < 5 * expectedError)
      #expect(abs(deviation - 0.02) < 4 * expectedError)
      #expect(layer.bias.elements.allSatisfy { $0 == 0 })
    }
    #expect(classifier.norm2.runningVariance == Tensor(repeating: 1, shape: [128]))
    #expect(classifier.batchesTracked == 0)
  }

  @Test("agrees with a classifier of the reference", arguments: [15, 30])
  func reference(classes: Int) throws {
    let classifier = try PixelMLP(contentsOf: Golden.path("seg_models/classifier_\(classes).pth"))
    let logits = classifier.logits(try Golden.tensor("classifier_\(classes)/in/x"))
    let expected = NaiveTensor(try Golden.tensor("classifier_\(classes)/out/logits"))
    expectClose(logits, expected, absolute: 2.3e-5)
  }
}
