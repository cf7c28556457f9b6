import Base
import DiffusionCore
import Features
import TensorCore

extension LatentDiffusion {
  public func features(
    _ selection: LatentDiffusionSelection, tensors: [String: Tensor], notices: Notices
  ) throws(DataError) -> any ModelFeatures {
    let diffusion = selection.diffusion
    guard let noise = diffusion.noise ?? tensors[DiffusionSelection.noiseTensor].map({ .fixed($0) }) else {
      throw DataError(.malformed, file: "noise", expected: "a tensor beside the settings", found: "none")
    }
    let features = LatentDiffusionFeatures(
      self, steps: diffusion.steps,
      blocks: diffusion.blocks ?? LatentDiffusionConfiguration.defaultBlocks(of: network.configuration),
      noise: noise,
      noiseCount: diffusion.noiseCount,
      condition: try condition(selection, tensors: tensors, notices: notices))
    try features.validate()
    return features
  }

  /// What the network is told.
  /// - Throws: `DataError` when it cannot be told that, or has to be told something.
  private func condition(
    _ selection: LatentDiffusionSelection, tensors: [String: Tensor], notices: Notices
  ) throws(DataError) -> LatentDiffusionFeatures.Condition {
    let number = selection.diffusion.conditioningClass
    guard let channels = network.configuration.transformer?.contextChannels else {
      if selection.context != nil {
        throw DataError(
          .invalidArgument, file: "context", expected: "none, for a network without transformers",
          found: "one")
      }
      guard let count = network.configuration.classCount else {
        try network.configuration.check(conditioningClass: number)
        return .none
      }
      return .label(try checked(number, of: count, notices: notices))
    }
    switch selection.context {
    case .zero: return .zero
    case .tokens(let tokens): return .tokens(try checked(tokens, channels: channels, file: "context"))
    case .recorded:
      guard let tokens = tensors[LatentDiffusionSelection.contextTensor] else {
        throw DataError(.malformed, file: "context", expected: "a tensor beside the settings", found: "none")
      }
      return .tokens(try checked(tokens, channels: channels, file: "context"))
    case nil: break
    }
    guard let classEmbedder else {
      throw DataError(
        .invalidArgument, file: number == nil ? "context" : "class",
        expected: number == nil
          ? "what a text encoder makes of a text, a file of [tokens, \(channels)], or zero"
          : "none, for a network that is told a context",
        found: number.map { "\($0)" } ?? "none")
    }
    return .label(try checked(number, of: classEmbedder.classCount, notices: notices))
  }

  /// A class; where nobody said it, the one that stands for none, as a thousand classes of ImageNet have one more.
  private func checked(_ number: Int?, of count: Int, notices: Notices) throws(DataError) -> Int {
    guard let number else {
      let guessed = count == 1001 ? 1000 : 0
      notices.add(
        .guessed, file: origin.path,
        "the model is told one of \(count) classes; it is told \(guessed) (--class NUMBER for another)")
      return guessed
    }
    guard (0..<count).contains(number) else {
      throw DataError(.invalidArgument, file: "--class", expected: "0 to \(count - 1)", found: "\(number)")
    }
    return number
  }

  private func checked(_ tokens: Tensor, channels: Int, file: String) throws(DataError) -> Tensor {
    guard tokens.rank == 2, tokens.shape[0] > 0, tokens.shape[1] == channels else {
      throw DataError(
        .invalidArgument, file: file, expected: "shape [tokens, \(channels)]", found: "shape \(tokens.shape)")
    }
    return tokens
  }
}
