import Foundation
import Synchronization
import TensorCore
import Testing

struct ParallelTests {
  @Test(arguments: [1, 2, 3, 5], [0, 1, 2, 1000])
  func everyItemRunsOnce(threads: Int, count: Int) {
    Threads.withCount(threads) {
      let visits = (0..<max(count, 1)).map { _ in Counter() }
      parallelFor(count) { visits[$0].value.add(1, ordering: .relaxed) }
      #expect(visits.prefix(count).allSatisfy { $0.value.load(ordering: .relaxed) == 1 })
    }
  }

  @Test func nestedCallsRunWhereTheyAre() {
    Threads.withCount(3) {
      let total = Counter()
      parallelFor(8) { _ in parallelFor(5) { _ in total.value.add(1, ordering: .relaxed) } }
      #expect(total.value.load(ordering: .relaxed) == 40)
    }
  }

  @Test func callersFromSeveralThreadsDoNotMix() {
    let total = Counter()
    DispatchQueue.concurrentPerform(iterations: 8) { _ in
      Threads.withCount(2) {
        for _ in 0..<50 { parallelFor(10) { _ in total.value.add(1, ordering: .relaxed) } }
      }
    }
    #expect(total.value.load(ordering: .relaxed) == 4000)
  }

  /// What one caller asks for is nothing to another, and ends with its closure.
  @Test func numbersOfThreadsHoldForTheirCallerAlone() {
    let before = Threads.count
    let inside = Mutex<[[Int]]>([])
    DispatchQueue.concurrentPerform(iterations: 8) { caller in
      for _ in 0..<100 {
        let counts = Threads.withCount(caller + 1) {
          [Threads.count, Threads.withCount(caller + 20) { Threads.count }, Threads.count]
        }
        if counts != [caller + 1, caller + 20, caller + 1] { inside.withLock { $0.append(counts) } }
      }
    }
    #expect(inside.withLock { $0 }.isEmpty)
    #expect(Threads.count == before)
  }

  @Test func blocksCoverTheRange() {
    let seen = Mutex<[Range<Int>]>([])
    parallelFor(10, inBlocksOf: 4) { range in seen.withLock { $0.append(range) } }
    #expect(seen.withLock { $0.sorted { $0.lowerBound < $1.lowerBound } } == [0..<4, 4..<8, 8..<10])
  }

  /// The kernels cut their work by shape, so every number of threads gives the same bits.
  @Test func kernelsGiveTheSameBitsForAnyNumberOfThreads() {
    var random = Philox(seed: 1)
    let x = random.normal(shape: [2, 24, 40, 32])
    let weight = random.normal(shape: [48, 32, 3, 3])
    let matrix = random.normal(shape: [700, 300])
    let qkv = random.normal(shape: [1, 300, 96])
    let large = random.normal(shape: [1, 97, 130, 32])
    func winograd(_ x: Tensor, _ algorithm: ConvolutionAlgorithm) -> Tensor {
      conv2d(
        ConvolutionInput(x), weight: ConvolutionWeight(weight, algorithm: algorithm), padding: 1)
    }
    func results() -> [Tensor] {
      [
        conv2d(x, weight: weight, padding: 1), conv2d(x, weight: weight, stride: 2, padding: 1),
        winograd(x, .winograd2), winograd(x, .winograd4), winograd(large, .winograd4),
        groupNorm(
          x, groups: 32, weight: Tensor(repeating: 1, shape: [32]), bias: Tensor(zeros: [32]),
          applyingSiLU: true),
        linear(matrix, weight: matrix), linearWeightGradient(matrix, x: matrix),
        qkvAttention(qkv, heads: 2, order: .legacy), silu(x), resizeBilinear(x, height: 50, width: 60),
      ]
    }
    let expected = Threads.withCount(1, results)
    for threads in [2, 3, 5] {
      for (index, result) in Threads.withCount(threads, results).enumerated() {
        #expect(result == expected[index], "kernel \(index) with \(threads) threads")
      }
    }
  }

  private final class Counter: Sendable { let value = Atomic<Int>(0) }
}
