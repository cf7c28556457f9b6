import Layers
import TensorCore
import Testing

struct ConvolutionPolicyTests {
  /// Large pictures with few channels down to small ones with many, as in a U-Net.
  private let convolutions = [(256, 256), (512, 64), (512, 32), (1024, 16), (1024, 8)].map {
    PlannedConvolution(inChannels: $0.0, outChannels: $0.0, side: $0.1)
  }

  private func algorithms(
    _ precision: ConvolutionPolicy.Precision = .fast, budget: Int, factor: Double? = nil
  ) -> [ConvolutionAlgorithm] {
    let chooser = ConvolutionChooser(
      ConvolutionPolicy(precision: precision, memoryBudget: budget, memoryFactor: factor),
      convolutions: convolutions)
    return convolutions.map(chooser.algorithm)
  }

  private func bytes(_ algorithms: [ConvolutionAlgorithm]) -> Int {
    zip(convolutions, algorithms).reduce(0) {
      $0 + 4 * $1.1.keptWeights * $1.0.inChannels * $1.0.outChannels
    }
  }

  @Test func withoutNeedEveryLayerGetsTheFastest() {
    let fastest = convolutions.map {
      ConvolutionAlgorithm.fastest(
        inChannels: $0.inChannels, outChannels: $0.outChannels, height: $0.side, width: $0.side)
    }
    #expect(algorithms(budget: .max) == fastest)
    #expect(fastest.contains(.winograd4) && fastest.contains(.winograd2))
  }

  @Test(arguments: [0.95, 0.8, 0.6])
  func budgetIsKeptWhereItCanBe(share: Double) {
    let budget = Int(Double(bytes(algorithms(budget: .max))) * share)
    let chosen = algorithms(budget: budget)
    #expect(bytes(chosen) <= budget)
    // Large pictures gain most, so they keep their algorithm to the last.
    #expect(chosen[0] == .winograd4)
  }

  /// Only where it is asked for are weights made for each picture: of the large pictures, as the small ones have little
  /// work to hide it in.
  @Test func aFactorKeepsWeightsSmall() {
    let file = bytes(algorithms(.reference, budget: .max))
    let chosen = algorithms(budget: .max, factor: 1.1)
    #expect(Double(bytes(chosen)) <= 1.1 * Double(file))
    #expect(chosen[0] == .winograd4Remade && chosen[4] == .im2col)
    #expect(algorithms(budget: .max, factor: 4) == algorithms(budget: .max))
    #expect(algorithms(.reference, budget: .max, factor: 1.1).allSatisfy { $0 == .im2col })
  }

  @Test func withoutMemoryAndForReferenceThereIsOnlyIm2col() {
    #expect(Set(algorithms(budget: 0)) == [.im2col])
    #expect(Set(algorithms(.reference, budget: .max)) == [.im2col])
  }
}
