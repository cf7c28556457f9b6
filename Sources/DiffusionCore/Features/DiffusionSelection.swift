import Base
import Checkpoints
import Features
import TensorCore

/// Which activations of a diffusion model are the features, and under which noise.
public struct DiffusionSelection: OptionTable {
  /// Steps of the process, in the order of the features.
  public var steps: [Int]
  /// Output blocks of the network; nil for those of the published checkpoints.
  public var blocks: [Int]?
  /// Nil for the numbers that stand beside a record.
  public var noise: FeatureNoise?
  /// Noises that the features are averaged over.
  public var noiseCount: Int
  /// Class that a class-conditional network is told; nil where nobody has said it.
  public var conditioningClass: Int?

  public init() { self.init(steps: [50, 150, 250]) }

  /// The steps of the reference unless given.
  public init(
    steps: [Int], blocks: [Int]? = nil, noise: FeatureNoise? = .shared(seed: 0), noiseCount: Int = 1,
    conditioningClass: Int? = nil
  ) {
    self.steps = steps
    self.blocks = blocks
    self.noise = noise
    self.noiseCount = noiseCount
    self.conditioningClass = conditioningClass
  }

  /// Name of the shared noise among the tensors of a record.
  package static let noiseTensor = "noise"

  public static let options: [TableOption<DiffusionSelection>] = [
    TableOption(
      "steps", "Diffusion steps, joined by commas. (default: 50,150,250, or the configuration's)", \.steps),
    TableOption(
      "blocks",
      "Output blocks of the U-Net, joined by commas. (default: 5,6,7,8,12 for networks of 18 blocks)",
      \.blocks),
    TableOption(
      "noise",
      "Noise that pictures are shown under: shared by all, per-image, or a file with [3, size, size] of it. (default: shared)",
      expected: "shared|per-image|file.npy", recordValues: ["recorded", "per-image"],
      get: {
        if case .perImage = $0.noise { "per-image" } else { "recorded" }
      },
      set: { (selection, text) throws(DataError) in
        switch text {
        case "recorded": selection.noise = nil
        case "shared": selection.noise = .shared(seed: selection.noise?.seed ?? 0)
        case "per-image": selection.noise = .perImage(seed: selection.noise?.seed ?? 0)
        default: selection.noise = .fixed(try noise(contentsOf: text))
        }
        return true
      }),
    TableOption(
      "noise-seed", "Seed of the noise. (default: --seed)", expected: "number",
      get: { if case .perImage(let seed) = $0.noise { "\(seed)" } else { nil } },
      set: { selection, text in
        guard let seed = UInt64(text) else { return false }
        selection.noise = selection.noise?.reseeded(seed)
        return true
      }),
    TableOption(
      "noises",
      "Noises to average features over: 1, or an even number, half of them negatives. (default: the preset's)",
      \.noiseCount),
    TableOption(
      "class", "Class that a class-conditional diffusion model is told, a number from 0. (default: 0)",
      \.conditioningClass),
  ]

  /// - Throws: `DataError` when the file holds anything but finite numbers in three dimensions, or in four.
  private static func noise(contentsOf path: String) throws(DataError) -> Tensor {
    let tensor = try NpyFile(contentsOf: path).array.tensor()
    // The reference saves its noise with a batch dimension of one.
    let isFinite = tensor.elements.allSatisfy(\.isFinite)
    guard tensor.rank == 3 || tensor.rank == 4, tensor.count > 0, isFinite else {
      throw DataError(
        .malformed, file: path, expected: "finite numbers of shape [channels, size, size]",
        found: "shape \(tensor.shape)" + (isFinite ? "" : " with other numbers"))
    }
    return tensor
  }
}
