import Checkpoints
import DiffusionCore
import Layers
import TensorCore
import TestSupport
import Testing
import Training

struct TrainingPartsTests {
  @Test func everyPictureComesOnceAnEpoch() {
    var order = PictureOrder(count: 7, random: Philox(seed: 1))
    let epochs = (0..<3).map { epoch in (0..<7).map { order.picture(at: 7 * epoch + $0) } }
    for epoch in epochs { #expect(epoch.sorted() == Array(0..<7)) }
    #expect(epochs[0] != epochs[1])
    var again = PictureOrder(count: 7, random: Philox(seed: 1))
    #expect(again.picture(at: 16) == epochs[2][2])
  }

  @Test(arguments: [1, 4, 5])
  func fourQuarterTurnsAreNone(side: Int) {
    var random = Philox(seed: 2)
    let picture = random.normal(shape: [3, side, side])
    func turned(_ turn: PictureTurn) -> Tensor {
      var copy = picture
      copy.withMutablePointer { turn.apply(to: $0, side: side) }
      return copy
    }
    #expect(turned(PictureTurn()) == picture)
    #expect(turned(PictureTurn(quarters: 4)) == picture)
    let quarter = turned(PictureTurn(quarters: 1))
    let mirrored = turned(PictureTurn(mirrors: true))
    for channel in 0..<3 {
      for row in 0..<side {
        for column in 0..<side {
          #expect(quarter[channel, side - 1 - column, row] == picture[channel, row, column])
          #expect(mirrored[channel, row, side - 1 - column] == picture[channel, row, column])
        }
      }
    }
  }

  @Test func initialWeightsAreThoseOfTheReference() throws {
    let parameters = try UNet.initialParameters(.tiny, random: Philox(seed: 3))
    #expect(parameters.map(\.name) == (try UNet.parameterShapes(.tiny).map(\.name)))
    func tensor(_ name: String) -> [Float] { parameters.first { $0.name == name }!.tensor.elements }
    for name in ["out.2.weight", "out.2.bias", "input_blocks.1.0.out_layers.3.weight"] {
      #expect(tensor(name).allSatisfy { $0 == 0 })
    }
    #expect(tensor("out.0.weight").allSatisfy { $0 == 1 } && tensor("out.0.bias").allSatisfy { $0 == 0 })
    // Uniform in ±1 / sqrt(32 · 9), for the bias too.
    let bound = 1 / Float(288).squareRoot()
    for name in ["input_blocks.1.0.in_layers.2.weight", "input_blocks.1.0.in_layers.2.bias"] {
      let values = tensor(name)
      #expect(values.allSatisfy { abs($0) <= bound } && values.contains { abs($0) > 0.9 * bound })
    }
  }

  @Test func secondMomentsLearnWhereTheLossIs() {
    var sampler = TimestepSampler(.lossSecondMoment, steps: 4)
    #expect(sampler.probabilities == [0.25, 0.25, 0.25, 0.25])
    for _ in 0..<12 { sampler.note(losses: [1, 1, 2, 4], at: [0, 1, 2, 3]) }
    let expected = [1.0, 1, 2, 4].map { $0 / 8 * 0.999 + 0.001 / 4 }
    for (found, expected) in zip(sampler.probabilities, expected) { #expect(abs(found - expected) < 1e-12) }
    var random = Philox(seed: 4)
    let (t, weights) = sampler.draw(4000, random: &random)
    for step in 0..<4 {
      let share = Double(t.filter { $0 == step }.count) / 4000
      #expect(abs(share - expected[step]) < 0.03)
    }
    // Weighted, every step counts alike.
    #expect(abs(weights.reduce(0, +) / 4000 - 1) < 0.05)
    #expect(weights.indices.allSatisfy { abs(Double(weights[$0]) * 4 * expected[t[$0]] - 1) < 1e-5 })
    #expect(sampler.history.allSatisfy { $0.count == 10 })
  }

  @Test func dropoutKeepsTheMean() {
    let tape = Tape()
    let x = Tensor(repeating: 2, shape: [40_000])
    let y = dropout(x, probability: 0.25, tape: tape)
    let dropped = y.elements.filter { $0 == 0 }.count
    #expect(abs(Double(dropped) / 40_000 - 0.25) < 0.02)
    #expect(y.elements.allSatisfy { $0 == 0 || abs($0 - 2 / 0.75) < 1e-6 })
    let gradient = tape.gradients(at: y, Tensor(repeating: 3, shape: [40_000]))[x]!
    #expect(zip(gradient.elements, y.elements).allSatisfy { ($0 == 0) == ($1 == 0) })
  }

  /// The order that earlier versions showed pictures in, so that their trainings go on.
  @Test func orderOfASeed() {
    var order = PictureOrder(count: 10, random: Philox(seed: 1))
    #expect((0..<10).map { order.picture(at: $0) } == [3, 0, 8, 2, 5, 4, 7, 6, 9, 1])
    #expect((10..<20).map { order.picture(at: $0) } == [0, 9, 8, 1, 3, 4, 6, 7, 5, 2])
  }

  /// Time for a step must not grow with the number of pictures.
  @Test func anOrderIsMadeOnceAnEpoch() {
    var order = PictureOrder(count: 1000, random: Philox(seed: 1))
    for place in 0..<3000 { _ = order.picture(at: place) }
    #expect(order.ordersMade == 3)
  }

  @Test func lossesOfNothingPreferNoStep() {
    for loss in [Float(0), .infinity] {
      var sampler = TimestepSampler(.lossSecondMoment, steps: 3)
      for _ in 0..<10 { sampler.note(losses: [loss, loss, loss], at: [0, 1, 2]) }
      #expect(sampler.probabilities.allSatisfy { $0 == 1.0 / 3 })
    }
  }
}
