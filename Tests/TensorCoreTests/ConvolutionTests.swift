import TensorCore
import TestSupport
import Testing

struct ConvolutionCase: Sendable, CustomTestStringConvertible {
  var n = 1, c = 1, h = 1, w = 1, o = 1, k = 3, stride = 1, padding = 1
  var testDescription: String {
    "\(n)×\(c)×\(h)×\(w) → \(o), kernel \(k), stride \(stride), padding \(padding)"
  }

  static let all: [ConvolutionCase] = [
    .init(), .init(n: 2, c: 3, h: 7, w: 5, o: 4), .init(n: 3, c: 5, h: 1, w: 9, o: 2),
    .init(c: 2, h: 9, w: 1, o: 3), .init(n: 2, c: 4, h: 8, w: 8, o: 6, stride: 2),
    .init(n: 1, c: 3, h: 7, w: 11, o: 5, stride: 2), .init(n: 2, c: 6, h: 5, w: 4, o: 3, k: 1, padding: 0),
    .init(n: 1, c: 6, h: 5, w: 4, o: 3, k: 1, stride: 2, padding: 0),
    .init(n: 1, c: 2, h: 6, w: 6, o: 2, k: 5, padding: 2), .init(n: 1, c: 2, h: 6, w: 7, o: 2, padding: 0),
    .init(n: 1, c: 1, h: 2, w: 2, o: 1, k: 3, padding: 2),
    .init(n: 1, c: 2, h: 5, w: 5, o: 2, stride: 3, padding: 2),
    .init(n: 5, c: 40, h: 3, w: 3, o: 70), .init(n: 1, c: 33, h: 4, w: 6, o: 130),
    // Wide enough to be cut into strips of rows.
    .init(n: 1, c: 3, h: 40, w: 64, o: 2), .init(n: 2, c: 8, h: 33, w: 70, o: 9, stride: 2),
    .init(n: 3, c: 4, h: 30, w: 31, o: 5, k: 1, padding: 0),
  ]
}

struct ConvolutionTests {
  @Test(arguments: ConvolutionCase.all)
  func equalsDefinition(_ c: ConvolutionCase) {
    var random = Philox(seed: 7)
    let x = random.normal(shape: [c.n, c.c, c.h, c.w])
    let weight = random.normal(shape: [c.o, c.c, c.k, c.k])
    let bias = random.normal(shape: [c.o])
    let y = conv2d(x, weight: weight, bias: bias, stride: c.stride, padding: c.padding)
    let expected = naiveConv2d(
      NaiveTensor(x), weight: NaiveTensor(weight), bias: NaiveTensor(bias), stride: c.stride,
      padding: c.padding)
    expectClose(y, expected, absolute: 1e-5 * Double(c.c * c.k * c.k).squareRoot())
  }

  @Test(arguments: [ConvolutionCase.all[1], ConvolutionCase.all[12], ConvolutionCase.all[14]])
  func addsResidualAndDoesWithoutBias(_ c: ConvolutionCase) {
    var random = Philox(seed: 8)
    let x = random.normal(shape: [c.n, c.c, c.h, c.w])
    let weight = random.normal(shape: [c.o, c.c, c.k, c.k])
    let residual = random.normal(shape: [c.n, c.o, c.h, c.w])
    let y = conv2d(x, weight: weight, padding: c.padding, residual: residual)
    var expected = naiveConv2d(
      NaiveTensor(x), weight: NaiveTensor(weight), bias: nil, stride: 1, padding: c.padding)
    for (index, value) in residual.elements.enumerated() { expected.elements[index] += Double(value) }
    expectClose(y, expected, absolute: 1e-5 * Double(c.c * c.k * c.k).squareRoot())
  }

  @Test(arguments: [(1, 0, 1), (3, 1, 1), (3, 0, 2), (5, 2, 3)])
  func oneDimension(kernel: Int, padding: Int, stride: Int) {
    var random = Philox(seed: 9)
    let x = random.normal(shape: [2, 6, 13])
    let weight = random.normal(shape: [4, 6, kernel])
    let y = conv1d(x, weight: weight, stride: stride, padding: padding)
    // As rows of a picture whose other rows do not exist.
    let length = (13 + 2 * padding - kernel) / stride + 1
    var expected = NaiveTensor(zeros: [2, 4, length])
    let (nx, nw) = (NaiveTensor(x), NaiveTensor(weight))
    for n in 0..<2 {
      for o in 0..<4 {
        for l in 0..<length {
          for c in 0..<6 {
            for k in 0..<kernel {
              expected[n, o, l] += nw[o, c, k] * nx[padded: n, c, l * stride + k - padding]
            }
          }
        }
      }
    }
    expectClose(y, expected, absolute: 1e-5)
  }

  @Test func emptyBatchGivesEmptyResult() {
    let y = conv2d(Tensor(zeros: [0, 3, 8, 8]), weight: Tensor(zeros: [4, 3, 3, 3]), padding: 1)
    #expect(y.shape == [0, 4, 8, 8])
  }
}
