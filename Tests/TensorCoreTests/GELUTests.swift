import TensorCore
import TestSupport
import Testing

struct GELUTests {
  @Test(arguments: [1, 15, 16, 33, 100_003])
  func equalsDefinition(count: Int) {
    var random = Philox(seed: 1)
    let x = random.normal(shape: [count]) * 2
    expectClose(gelu(x), naiveGELU(NaiveTensor(x)), absolute: 1e-7, relative: 1e-6)
  }

  /// At the borders between the polynomials, and far out, where the result is x or all but nothing.
  @Test func everywhere() {
    let x = Tensor((-1300...1300).map { Float($0) / 100 }, shape: [2601])
    expectClose(gelu(x), naiveGELU(NaiveTensor(x)), absolute: 1e-9, relative: 3e-6)
    let far = Tensor([-1e4, 1e4, -.infinity, .nan], shape: [4])
    let y = gelu(far).elements
    #expect(abs(y[0]) < 1e-30 && y[1] == 1e4 && y[3].isNaN)
  }

  @Test(arguments: [1, 17, 40])
  func gradientEqualsFiniteDifferences(count: Int) {
    var random = Philox(seed: 2)
    let (x, gradient) = (random.normal(shape: [count]) * 2, random.normal(shape: [count]))
    let expected = finiteDifferenceGradient(at: NaiveTensor(x)) { dot(naiveGELU($0), NaiveTensor(gradient)) }
    expectClose(geluBackward(gradient, x: x), expected, absolute: 2e-6)
  }

  @Test(arguments: [(1, 1), (3, 16), (2, 21), (700, 80)])
  func gated(rows: Int, width: Int) {
    var random = Philox(seed: 3)
    let x = random.normal(shape: [rows, 2 * width])
    expectClose(geglu(x), naiveGEGLU(NaiveTensor(x)), absolute: 1e-6)
    guard rows < 10 else { return }
    let gradient = random.normal(shape: [rows, width])
    let expected = finiteDifferenceGradient(at: NaiveTensor(x)) { dot(naiveGEGLU($0), NaiveTensor(gradient)) }
    expectClose(gegluBackward(gradient, x: x), expected, absolute: 2e-6)
  }

  @Test func threadsChangeNothing() {
    var random = Philox(seed: 4)
    let x = random.normal(shape: [90, 2048])
    let results = withThreadCounts([1, 2, 3]) { [gelu(x), geglu(x), geluBackward(x, x: x)] }
    #expect(results[0] == results[1] && results[0] == results[2])
  }
}
