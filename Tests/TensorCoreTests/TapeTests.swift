import Layers
import TensorCore
import TestSupport
import Testing

struct TapeTests {
  /// `y = a · b`, elementwise, recorded.
  private func product(_ a: Tensor, _ b: Tensor, _ tape: Tape) -> Tensor {
    let y = a * b
    tape.record(y) { gradient, gradients in
      gradients.add(gradient * b, to: a)
      gradients.add(gradient * a, to: b)
    }
    return y
  }

  @Test func addsWhatComesFromSeveralPlaces() {
    let (a, b) = (Tensor([2, 3], shape: [2]), Tensor([5, 7], shape: [2]))
    let tape = Tape()
    // (a b) a: slopes 2 a b and a².
    let y = product(product(a, b, tape), a, tape)
    let gradients = tape.gradients(at: y, Tensor([1, 10], shape: [2]))
    #expect(gradients[a]?.elements == [20, 420])
    #expect(gradients[b]?.elements == [4, 90])
    #expect(gradients[Tensor(zeros: [2])] == nil)
  }

  @Test func anotherShapeIsTheSameTensor() {
    let a = Tensor([2, 3], shape: [2])
    let tape = Tape()
    let y = product(a.reshaped([1, 2]), a.reshaped([1, 2]), tape)
    let gradients = tape.gradients(at: y.reshaped([2]), Tensor([1, 1], shape: [2]))
    #expect(gradients[a] == Tensor([4, 6], shape: [2]))
  }

  @Test func changedCopyIsAnotherTensor() {
    let a = Tensor([2, 3], shape: [2])
    var copy = a
    copy[0] = 9
    #expect(copy.identity != a.identity && a.identity == a.reshaped([2, 1]).identity)
  }

  @Test func recomputingGivesTheSame() {
    let (a, b) = (Tensor([2, 3], shape: [2]), Tensor([5, 7], shape: [2]))
    let tape = Tape()
    var runs = 0
    let y = tape.recomputing { tape in
      runs += 1
      return product(product(a, b, tape), a, tape)
    }
    #expect(runs == 1)
    let gradients = tape.gradients(at: product(y, a, tape), Tensor([1, 1], shape: [2]))
    #expect(runs == 2)
    // a³ b: slopes 3 a² b and a³.
    #expect(gradients[a]?.elements == [60, 189])
    #expect(gradients[b]?.elements == [8, 27])
  }

  @Test func recomputingDrawsTheSameNumbers() {
    let tape = Tape(random: Philox(seed: 4))
    var drawn: [UInt64] = []
    let y = tape.recomputing { tape in
      var random = tape.nextRandom()
      drawn.append(random.next())
      let a = Tensor([1], shape: [1])
      return product(a, a, tape)
    }
    var other = tape.nextRandom()
    _ = tape.gradients(at: y, Tensor([1], shape: [1]))
    #expect(drawn.count == 2 && drawn[0] == drawn[1] && other.next() != drawn[0])
  }

  /// Parts within parts, each with choices before and after the inner one: the second pass must make those of the first.
  @Test(arguments: [1, 2, 3])
  func partsWithinPartsDrawTheSameNumbers(depth: Int) {
    let x = Tensor((1...16).map(Float.init), shape: [16])
    /// Dropped numbers, the rest doubled, at every level twice.
    func level(_ x: Tensor, _ depth: Int, _ tape: Tape, recomputes: Bool) -> Tensor {
      func masked(_ x: Tensor, _ tape: Tape) -> Tensor {
        let random = tape.nextRandom()
        let y = dropout(x, probability: 0.5, random: random)
        tape.record(y) { gradient, gradients in
          gradients.add(dropout(gradient, probability: 0.5, random: random), to: x)
        }
        return y
      }
      guard depth > 0 else { return masked(x, tape) }
      func body(_ tape: Tape) -> Tensor {
        masked(level(masked(x, tape), depth - 1, tape, recomputes: recomputes), tape)
      }
      return recomputes ? tape.recomputing(body) : body(tape)
    }
    let tape = Tape(random: Philox(seed: 5))
    let y = level(x, depth, tape, recomputes: true)
    let gradients = tape.gradients(at: y, Tensor(repeating: 1, shape: [16]))
    // Everything is a product with factors, so the slope is the output over the input.
    let expected = zip(y.elements, x.elements).map { $0 / $1 }
    #expect(gradients[x]!.elements == expected)
  }
}
