import Base
import Checkpoints
import Features
import TensorCore

extension DiffusionBackbone: Backbone {
  public static var kind: String { "guided-diffusion" }
  public static var summary: String { "the U-Net of Dhariwal and Nichol 2021, published for LSUN and FFHQ" }

  public static var anchor: String { UNetConfiguration.anchor }
  public static var landmarks: [String] { UNetConfiguration.landmarks }
  public static var experiments: ExperimentNames? { ExperimentNames(types: ["ddpm"], hasSteps: true) }

  public func features(
    _ selection: DiffusionSelection, tensors: [String: Tensor], notices: Notices
  ) throws(DataError) -> any ModelFeatures {
    guard let noise = selection.noise ?? tensors[DiffusionSelection.noiseTensor].map({ .fixed($0) }) else {
      throw DataError(.malformed, file: "noise", expected: "a tensor beside the settings", found: "none")
    }
    let features = DiffusionFeatures(
      self, steps: selection.steps, blocks: try blocks(selection.blocks), noise: noise,
      noiseCount: selection.noiseCount, conditioningClass: try conditioningClass(selection, notices: notices))
    try features.validate()
    return features
  }

  private func blocks(_ chosen: [Int]?) throws(DataError) -> [Int] {
    if let chosen { return chosen }
    guard network.configuration.outputBlockCount == 18 else {
      throw DataError(
        .invalidArgument, file: "--blocks",
        expected: "some of this network's output blocks (block: channels@size): \(blockList)", found: "none")
    }
    return [5, 6, 7, 8, 12]
  }

  private func conditioningClass(
    _ selection: DiffusionSelection, notices: Notices
  ) throws(DataError) -> Int {
    try network.configuration.check(conditioningClass: selection.conditioningClass)
    if selection.conditioningClass == nil, let count = network.configuration.classCount {
      notices.add(
        .guessed, file: checkpointPath,
        "the model is told one of \(count) classes; it is told 0 (--class NUMBER for another)")
    }
    return selection.conditioningClass ?? 0
  }
}

extension UNetConfiguration {
  /// - Throws: `DataError` when there is no such class, or there are none.
  public func check(conditioningClass number: Int?) throws(DataError) {
    guard let number else { return }
    guard let classCount else {
      throw DataError(
        .invalidArgument, file: "--class", expected: "none, for a network without classes", found: "\(number)"
      )
    }
    guard (0..<classCount).contains(number) else {
      throw DataError(
        .invalidArgument, file: "--class", expected: "0 to \(classCount - 1)", found: "\(number)")
    }
  }
}
