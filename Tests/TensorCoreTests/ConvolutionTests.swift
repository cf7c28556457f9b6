import TensorCore
import TestSupport
import Testing

struct ConvolutionCase: Sendable, CustomTestStringConvertible {
  var n = 1, c = 1, h = 1, w = 1, o = 1, k = 3, stride = 1
  var padding: Padding2D = 1
  var dilation = 1
  var algorithm = ConvolutionAlgorithm.im2col
  var testDescription: String {
    "\(n)×\(c)×\(h)×\(w) → \(o), kernel \(k), stride \(stride), padding \(padding), dilation \(dilation), \(algorithm)"
  }

  /// Every shape that im2col must do.
  static let anyKernel: [ConvolutionCase] = [
    .init(), .init(n: 2, c: 3, h: 7, w: 5, o: 4), .init(n: 3, c: 5, h: 1, w: 9, o: 2),
    .init(c: 2, h: 9, w: 1, o: 3), .init(n: 2, c: 4, h: 8, w: 8, o: 6, stride: 2),
    .init(n: 1, c: 3, h: 7, w: 11, o: 5, stride: 2), .init(n: 2, c: 6, h: 5, w: 4, o: 3, k: 1, padding: 0),
    .init(n: 1, c: 6, h: 5, w: 4, o: 3, k: 1, stride: 2, padding: 0),
    .init(n: 1, c: 2, h: 6, w: 6, o: 2, k: 5, padding: 2), .init(n: 1, c: 2, h: 6, w: 7, o: 2, padding: 0),
    .init(n: 1, c: 1, h: 2, w: 2, o: 1, k: 3, padding: 2),
    .init(n: 1, c: 2, h: 5, w: 5, o: 2, stride: 3, padding: 2),
    .init(n: 5, c: 40, h: 3, w: 3, o: 70), .init(n: 1, c: 33, h: 4, w: 6, o: 130),
    // Large enough to be cut into strips of rows, also over the border of two samples.
    .init(n: 1, c: 3, h: 40, w: 64, o: 2), .init(n: 2, c: 8, h: 33, w: 70, o: 9, stride: 2),
    .init(n: 3, c: 4, h: 30, w: 31, o: 5, k: 1, padding: 0), .init(n: 7, c: 6, h: 15, w: 33, o: 5),
    .init(n: 2, c: 70, h: 24, w: 48, o: 64, k: 1, padding: 0),
  ]

  /// Kernels with gaps, and other zeros on each side: those of a latent diffusion's encoder first.
  static let windows: [ConvolutionCase] = [
    .init(c: 3, h: 8, w: 7, o: 4, stride: 2, padding: .init(top: 0, left: 0, bottom: 1, right: 1)),
    .init(n: 2, c: 2, h: 5, w: 6, o: 3, padding: .init(top: 2, left: 0, bottom: 1, right: 1)),
    .init(c: 3, h: 9, w: 11, o: 4, padding: 2, dilation: 2),
    .init(n: 2, c: 2, h: 12, w: 9, o: 3, stride: 2, padding: 4, dilation: 4),
    .init(c: 2, h: 9, w: 8, o: 3, padding: .init(top: 3, left: 1, bottom: 0, right: 2), dilation: 3),
    .init(n: 2, c: 3, h: 41, w: 64, o: 40, padding: 6, dilation: 6),
    // Maps that few taps or one alone meets.
    .init(n: 2, c: 3, h: 5, w: 6, o: 4, padding: 12, dilation: 12),
    .init(c: 5, h: 13, w: 37, o: 8, padding: 36, dilation: 36),
    .init(c: 3, h: 17, w: 18, o: 4, k: 7, stride: 2, padding: 3),
    .init(c: 3, h: 2, w: 1, o: 4, k: 7, stride: 2, padding: 3),
    .init(c: 4, h: 6, w: 5, o: 3, k: 1, padding: .init(top: 0, left: 0, bottom: 0, right: 1)),
    .init(c: 3, h: 12, w: 16, o: 5, k: 4, stride: 4, padding: 0),
  ]

  /// Winograd: no whole tiles, few and many of them, no whole lanes of channels, blocks over the border of
  /// two samples.
  static let winograd: [ConvolutionCase] = [
    ConvolutionAlgorithm.winograd2, .winograd4, .winograd4Remade,
  ].flatMap { algorithm in
    [
      .init(), .init(n: 2, c: 3, h: 7, w: 5, o: 4), .init(n: 3, c: 5, h: 1, w: 9, o: 2),
      .init(c: 2, h: 9, w: 1, o: 3), .init(n: 2, c: 16, h: 8, w: 8, o: 24),
      .init(n: 3, c: 17, h: 13, w: 11, o: 9), .init(n: 1, c: 8, h: 33, w: 70, o: 8),
      .init(n: 7, c: 9, h: 41, w: 39, o: 6), .init(n: 1, c: 4, h: 97, w: 130, o: 3),
      .init(n: 5, c: 40, h: 3, w: 3, o: 70), .init(n: 1, c: 300, h: 9, w: 9, o: 33),
      .init(n: 20, c: 8, h: 16, w: 16, o: 8),
      // So wide that rows of tiles are cut.
      .init(n: 2, c: 5, h: 9, w: 521, o: 3),
    ].map { (c: ConvolutionCase) in
      var c = c
      c.algorithm = algorithm
      return c
    }
  }

  /// Shapes that nobody chose.
  static let random: [ConvolutionCase] = (0..<40).map { index in
    var random = Philox(seed: 99).split(UInt64(index))
    func below(_ limit: Int) -> Int { Int(random.next() % UInt64(limit)) }
    return .init(
      n: 1 + below(4), c: 1 + below(40), h: 1 + below(30), w: 1 + below(30), o: 1 + below(40),
      algorithm: ConvolutionAlgorithm.allCases[below(3)])
  }
}

struct ConvolutionTests {
  @Test(
    arguments: ConvolutionCase.anyKernel + ConvolutionCase.winograd + ConvolutionCase.random
      + ConvolutionCase.windows)
  func equalsDefinition(_ c: ConvolutionCase) {
    var random = Philox(seed: 7)
    let x = random.normal(shape: [c.n, c.c, c.h, c.w])
    let weight = random.normal(shape: [c.o, c.c, c.k, c.k])
    let bias = random.normal(shape: [c.o])
    let expected = naiveConv2d(
      NaiveTensor(x), weight: NaiveTensor(weight), bias: NaiveTensor(bias), stride: c.stride,
      padding: c.padding, dilation: c.dilation)
    // Products by our own kernel, where the processor can run it, and by OpenBLAS.
    for usesBLAS in [false, true] {
      let kernel = ConvolutionWeight(
        weight, shape: weight.shape, algorithm: c.algorithm, usesBLAS: usesBLAS)
      func y(_ activation: ConvolutionActivation) -> Tensor {
        conv2d(
          ConvolutionInput(x.channelsLast), weight: kernel, bias: bias, stride: c.stride, padding: c.padding,
          dilation: c.dilation, activation: activation)
      }
      let plain = y(.none)
      expectClose(plain.channelsFirst, expected, absolute: 1e-5 * Double(c.c * c.k * c.k).squareRoot())
      #expect(y(.relu) == relu(plain))
    }
  }

  /// So many weights that they are transformed some outputs at a time.
  @Test(arguments: [(520, 1000), (1000, 513), (3000, 165)])
  func weightsThatAreNotKeptGiveTheSameNumbers(inChannels: Int, outChannels: Int) {
    var random = Philox(seed: 9)
    let x = random.normal(shape: [2, 3, 5, inChannels])
    let weight = random.normal(shape: [outChannels, inChannels, 3, 3])
    let bias = random.normal(shape: [2, outChannels])
    let residual = random.normal(shape: [2, 3, 5, outChannels])
    for usesBLAS in [false, true] {
      let results = [ConvolutionAlgorithm.winograd4, .winograd4Remade].map { algorithm in
        conv2d(
          ConvolutionInput(x),
          weight: ConvolutionWeight(weight, shape: weight.shape, algorithm: algorithm, usesBLAS: usesBLAS),
          bias: bias, padding: 1, residual: residual)
      }
      // OpenBLAS adds in another order for other sizes.
      let limit = usesBLAS ? 2e-6 * Double(9 * inChannels).squareRoot() : 0
      expectClose(results[1], NaiveTensor(results[0]), absolute: limit)
    }
  }

  /// Two inputs side by side, normalised with SiLU; a bias for each sample; a residual.
  @Test(
    arguments: ConvolutionCase.anyKernel.filter { $0.stride == 1 && $0.c > 1 }
      + ConvolutionCase.winograd.filter { $0.c > 1 })
  func readsNormalizedPartsAndAddsResidual(_ c: ConvolutionCase) {
    var random = Philox(seed: 8)
    let parts = [c.c / 2, c.c - c.c / 2].map { random.normal(shape: [c.n, c.h, c.w, $0]) }
    let weight = random.normal(shape: [c.o, c.c, c.k, c.k])
    let bias = random.normal(shape: [c.n, c.o])
    let input = ConvolutionInput(parts[0], joinedWith: parts[1])
    let normalization = ChannelNormalization.groups(
      1, of: input, weight: random.normal(shape: [c.c]), bias: random.normal(shape: [c.c]))
    let normalized = input.normalized(by: normalization, applyingSiLU: true)
    let kernel = ConvolutionWeight(weight, algorithm: c.algorithm)
    let plain = conv2d(ConvolutionInput(normalized.tensor), weight: kernel, padding: c.padding)
    var expected = naiveConv2d(
      NaiveTensor(normalized.tensor.channelsFirst), weight: NaiveTensor(weight), bias: nil, stride: 1,
      padding: c.padding)
    expectClose(plain.channelsFirst, expected, absolute: 1e-5 * Double(c.c * c.k * c.k).squareRoot())
    let residual = random.normal(shape: plain.shape)
    let y = conv2d(normalized, weight: kernel, bias: bias, padding: c.padding, residual: residual)
    let plane = plain.shape[1] * plain.shape[2]
    let added = residual.channelsFirst.elements
    for index in expected.elements.indices {
      expected.elements[index] += Double(added[index]) + Double(bias.elements[index / plane])
    }
    expectClose(y.channelsFirst, expected, absolute: 1e-5 * Double(c.c * c.k * c.k).squareRoot())
  }

  /// A pointwise convolution of two parts that are not normalised reads them where they are: few and many
  /// positions, one panel of weights and several.
  @Test(arguments: [3, 40], [32, 96, 33])
  func pointwiseReadsPartsInPlace(side: Int, outChannels: Int) {
    var random = Philox(seed: 11)
    let parts = [24, 300].map { random.normal(shape: [2, side, side, $0]) }
    let weight = random.normal(shape: [outChannels, 324, 1, 1])
    let joined = ConvolutionInput(parts[0], joinedWith: parts[1])
    let expected = naiveConv2d(
      NaiveTensor(joined.tensor.channelsFirst), weight: NaiveTensor(weight), bias: nil, stride: 1,
      padding: 0)
    for usesBLAS in [false, true] {
      let kernel = ConvolutionWeight(weight, shape: weight.shape, algorithm: .im2col, usesBLAS: usesBLAS)
      expectClose(conv2d(joined, weight: kernel).channelsFirst, expected, absolute: 2e-4)
    }
  }

  @Test(arguments: [(1, 0, 1), (3, 1, 1), (3, 0, 2), (5, 2, 3)])
  func oneDimension(kernel: Int, padding: Int, stride: Int) {
    var random = Philox(seed: 9)
    let x = random.normal(shape: [2, 6, 13])
    let weight = random.normal(shape: [4, 6, kernel])
    let y = conv1d(x.channelsLast, weight: weight, stride: stride, padding: padding)
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
    expectClose(y.channelsFirst, expected, absolute: 1e-5)
  }

  @Test(arguments: ConvolutionAlgorithm.allCases)
  func emptyBatchGivesEmptyResult(_ algorithm: ConvolutionAlgorithm) {
    let weight = ConvolutionWeight(Tensor(zeros: [4, 3, 3, 3]), algorithm: algorithm)
    let y = conv2d(ConvolutionInput(Tensor(zeros: [0, 8, 8, 3])), weight: weight, padding: 1)
    #expect(y.shape == [0, 8, 8, 4])
  }

  /// Errors of the size that each algorithm is known for, so that a constant that is a little off shows.
  @Test(arguments: [(ConvolutionAlgorithm.im2col, 6e-7), (.winograd2, 9e-7), (.winograd4, 2.2e-6)])
  func roundsAsLittleAsItShould(_ algorithm: ConvolutionAlgorithm, limit: Double) {
    var random = Philox(seed: 10)
    let x = random.normal(shape: [1, 256, 12, 12])
    let weight = random.normal(shape: [16, 256, 3, 3])
    let y = conv2d(
      ConvolutionInput(x.channelsLast), weight: ConvolutionWeight(weight, algorithm: algorithm), padding: 1)
    let expected = naiveConv2d(
      NaiveTensor(x), weight: NaiveTensor(weight), bias: nil, stride: 1, padding: 1)
    var (difference, norm) = (0.0, 0.0)
    for (a, e) in zip(y.channelsFirst.elements, expected.elements) {
      difference += (Double(a) - e) * (Double(a) - e)
      norm += e * e
    }
    #expect((difference / norm).squareRoot() < limit)
  }

  @Test func fewPixelsDoNotPayForLargeWeights() {
    func fastest(_ channels: Int, _ side: Int) -> ConvolutionAlgorithm {
      .fastest(inChannels: channels, outChannels: channels, height: side, width: side)
    }
    #expect(fastest(256, 256) == .winograd4)
    #expect(fastest(1024, 16) == .winograd2)
    #expect(fastest(3, 256) == .im2col)
  }
}
