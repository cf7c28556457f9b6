import TensorCore
import TestSupport
import Testing

struct MaxPoolTests {
  @Test(arguments: [
    ([1, 1, 1, 1], 1, 1, 0), ([2, 8, 7, 3], 3, 2, 1), ([1, 2, 1, 4], 3, 2, 1), ([2, 9, 12, 17], 2, 2, 0),
    ([1, 6, 6, 2], 3, 1, 1), ([3, 16, 16, 5], 3, 2, 1),
  ])
  func equalsDefinition(shape: [Int], kernelSize: Int, stride: Int, padding: Int) {
    var random = Philox(seed: 1)
    // Few values, so that many are equal; all below 0, so that a border of zeros would show.
    let x = random.normal(shape: shape).rounded * 0.5 + Tensor(repeating: -4, shape: shape)
    let expected = naiveMaxPool(NaiveTensor(x), kernelSize: kernelSize, stride: stride, padding: padding)
    let y = maxPool2d(x, kernelSize: kernelSize, stride: stride, padding: padding)
    expectClose(y, expected.y, absolute: 0)
    let gradient = random.normal(shape: y.shape)
    var slope = NaiveTensor(zeros: shape)
    for (index, place) in expected.places.enumerated() {
      slope.elements[place] += Double(gradient.elements[index])
    }
    expectClose(
      maxPool2dBackward(gradient, x: x, kernelSize: kernelSize, stride: stride, padding: padding), slope,
      absolute: 1e-6)
  }

  @Test func numbersThatAreNoneGoThrough() {
    let x = Tensor([1, .nan, 3, 0], shape: [1, 2, 2, 1])
    #expect(maxPool2d(x, kernelSize: 2, stride: 2).elements[0].isNaN)
  }
}

extension Tensor {
  fileprivate var rounded: Tensor { Tensor(elements.map { $0.rounded() }, shape: shape) }
}
