import Base
import Checkpoints
import DiffusionCore
import Features
import TensorCore

/// Which activations of a latent diffusion model are the features, under which noise, and what the network is told.
public struct LatentDiffusionSelection: OptionTable {
  /// What a network with transformers looks at.
  public enum Context: Sendable, Equatable {
    /// A token of zeros, which says nothing.
    case zero
    /// `[tokens, contextChannels]`
    case tokens(Tensor)
    /// The numbers that stand beside a record.
    case recorded

    public static func == (a: Context, b: Context) -> Bool {
      switch (a, b) {
      case (.zero, .zero), (.recorded, .recorded): true
      case (.tokens(let a), .tokens(let b)): a.shape == b.shape && a.elements == b.elements
      default: false
      }
    }
  }

  /// Steps, blocks and noise, and the class that the network is told.
  public var diffusion = DiffusionSelection()
  /// Nil for a class, or for a network without a context.
  public var context: Context?

  public init() {}

  /// Name of the context among the tensors of a record.
  static let contextTensor = "context"
  /// More tokens are not believed.
  private static let mostTokens = 1 << 14

  private static func diffusion(_ key: String, help: String? = nil) -> TableOption<Self> {
    DiffusionSelection.option(key)!.inside(\.diffusion, help: help)
  }

  public static let options: [TableOption<LatentDiffusionSelection>] = [
    diffusion("steps"),
    diffusion(
      "blocks",
      help:
        "Output blocks of the U-Net, joined by commas. (default: those with half the latents' side, and the first with all of it)"
    ),
    diffusion(
      "noise",
      help:
        "Noise that latents are shown under: shared by all, per-image, or a file with [channels, side, side] of it. (default: shared)"
    ),
    diffusion("noise-seed"), diffusion("noises"),
    TableOption(
      "class",
      "Class that a class-conditional model is told, a number from 0. (default: the one for no class, else 0)",
      expected: "number", get: { $0.diffusion.conditioningClass.map { "\($0)" } },
      set: { selection, text in
        guard let number = Int(text) else { return false }
        (selection.diffusion.conditioningClass, selection.context) = (number, nil)
        return true
      }),
    TableOption(
      "context",
      "What the model is told instead of a class: zero, or a file with [tokens, numbers] of a text encoder.",
      expected: "zero|file.npy|file.npz|file.safetensors", recordValues: ["zero", "recorded"],
      get: { $0.context.map { $0 == .zero ? "zero" : "recorded" } },
      set: { (selection, text) throws(DataError) in
        selection.diffusion.conditioningClass = nil
        switch text {
        case "zero": selection.context = .zero
        case "recorded": selection.context = .recorded
        default: selection.context = .tokens(try tokens(contentsOf: text))
        }
        return true
      }),
  ]

  /// - Throws: `DataError` when the file holds anything but finite numbers in two dimensions, or in three of which the
  ///   first is 1.
  private static func tokens(contentsOf path: String) throws(DataError) -> Tensor {
    let array = try onlyArray(path)
    let shape = array.shape.count == 3 && array.shape[0] == 1 ? Array(array.shape.dropFirst()) : array.shape
    guard shape.count == 2, (1...mostTokens).contains(shape[0]), shape[1] > 0 else {
      throw DataError(
        .malformed, file: path, expected: "a context of shape [tokens, numbers]",
        found: "shape \(array.shape)")
    }
    let tensor = array.tensor().reshaped(shape)
    guard tensor.nonFiniteCount == 0 else {
      throw DataError(.malformed, file: path, expected: "finite numbers", found: "others")
    }
    return tensor
  }

  /// The array of a file, of several the one that is called a context.
  private static func onlyArray(_ path: String) throws(DataError) -> NumericArray {
    func name(_ names: [String]) throws(DataError) -> String {
      if names.count == 1 { return names[0] }
      guard names.contains(contextTensor) else {
        throw DataError(
          .malformed, file: path, expected: "one array, or one called \(contextTensor)",
          found: names.isEmpty ? "none" : names.prefix(8).joined(separator: ", "))
      }
      return contextTensor
    }
    if path.hasSuffix(".npy") { return try NpyFile(contentsOf: path).array }
    if path.hasSuffix(".npz") {
      let file = try NpzFile(contentsOf: path)
      return try file.array(named: name(file.names))
    }
    let checkpoint = try Checkpoint(contentsOf: path)
    return try checkpoint.array(named: name(checkpoint.tensors.map(\.name)))
  }
}
