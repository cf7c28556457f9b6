import TensorCore
import TestSupport
import Testing

struct DropoutTests {
  @Test(arguments: [Float(0), 0.25, 0.9])
  func dropsAShareAndKeepsTheMean(_ probability: Float) {
    let x = Tensor(repeating: 1, shape: [100, 200])
    let y = dropout(x, probability: probability, random: Philox(seed: 1)).elements
    let share = Float(y.count { $0 == 0 }) / Float(y.count)
    #expect(abs(share - probability) < 0.01)
    #expect(y.allSatisfy { $0 == 0 || $0 == 1 / (1 - probability) })
  }

  @Test func sameBitsWithAnyNumberOfThreads() {
    let x = Tensor(repeating: 1, shape: [30_000])
    let results = withThreadCounts([1, 2, 3]) { dropout(x, probability: 0.5, random: Philox(seed: 2)) }
    #expect(results.allSatisfy { $0 == results[0] })
    #expect(dropout(x, probability: 0.5, random: Philox(seed: 3)) != results[0])
  }
}
