import Layers
import TensorCore
import Testing

struct ConvolutionPolicyTests {
  /// Large pictures with few channels down to small ones with many, as in a U-Net.
  private let convolutions = [(256, 256), (512, 64), (512, 32), (1024, 16), (1024, 8)].map {
    PlannedConvolution(inChannels: $0.0, outChannels: $0.0, side: $0.1)
  }

  private func algorithms(
    _ precision: ConvolutionPolicy.Precision = .fast, budget: Int
  ) -> [ConvolutionAlgorithm] {
    let chooser = ConvolutionChooser(
      ConvolutionPolicy(precision: precision, memoryBudget: budget), convolutions: convolutions)
    return convolutions.map(chooser.algorithm)
  }

  private func bytes(_ algorithms: [ConvolutionAlgorithm]) -> Int {
    zip(convolutions, algorithms).reduce(0) {
      $0 + 4 * $1.1.frequencies * $1.0.inChannels * $1.0.outChannels
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

  @Test func withoutMemoryAndForReferenceThereIsOnlyIm2col() {
    #expect(Set(algorithms(budget: 0)) == [.im2col])
    #expect(Set(algorithms(.reference, budget: .max)) == [.im2col])
  }
}
